import Foundation

/// What operators call a node.
enum NodeName {
    static func isGood(_ name: String) -> Bool {
        let letters = name.utf8
        return (1...63).contains(letters.count)
            && letters.allSatisfy { byte in
                (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte) || [45, 46, 95].contains(byte)
            }
    }

    /// The machine's name, or what of it can be used.
    static var ofMachine: String {
        let name = String(ProcessInfo.processInfo.hostName.prefix(63))
        return isGood(name) ? name : "node"
    }
}
