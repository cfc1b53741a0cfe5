import Conversation
import Yams

/// A value in a file together with where it stands. Every reader reports what is wrong and answers nil, so that one run finds everything.
struct Entry {
    let node: Node
    /// Such as `actions[0].params[1].name`.
    let path: String
    let document: Document

    var line: Int { node.mark?.line ?? 1 }

    func problem(_ what: String, _ remedy: String) {
        document.report(line: line, key: path.isEmpty ? document.name : path, what, remedy)
    }

    func warning(_ what: String, _ remedy: String) {
        document.report(.warning, line: line, key: path.isEmpty ? document.name : path, what, remedy)
    }

    var isNull: Bool {
        guard case .scalar(let scalar) = node, scalar.style == .plain || scalar.style == .any else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }

    var isMapping: Bool { if case .mapping = node { true } else { false } }
    var isSequence: Bool { if case .sequence = node { true } else { false } }

    func child(_ node: Node, key: String) -> Entry { Entry(node: node, path: path.isEmpty ? key : "\(path).\(key)", document: document) }

    /// The items of a list; reports anything else.
    func items() -> [Entry] {
        guard case .sequence(let sequence) = node else {
            problem("is not a list", "write [a, b] or lines that begin with \"- \"")
            return []
        }
        return sequence.enumerated().map { Entry(node: $1, path: "\(path)[\($0)]", document: document) }
    }

    /// Key, value and the key's line of each member of a mapping, in the order of the file; reports anything else.
    func pairs() -> [(key: String, value: Entry, line: Int)] {
        guard case .mapping(let mapping) = node else {
            problem("is not a mapping", "write it as key: value")
            return []
        }
        return mapping.compactMap { pair in
            guard case .scalar(let key) = pair.key else {
                child(pair.key, key: "?").problem("a key must be a text", "write it as key: value")
                return nil
            }
            return (key.string, child(pair.value, key: key.string), key.mark?.line ?? line)
        }
    }

    /// The mapping's members; reports keys that are not `allowed`. Nil when it is no mapping.
    func members(_ allowed: [String]) -> Members? {
        guard isMapping else {
            problem("is not a mapping", "known keys: " + allowed.joined(separator: ", "))
            return nil
        }
        var values: [String: Entry] = [:]
        for (key, value, line) in pairs() {
            if allowed.contains(key) {
                values[key] = value
            } else {
                let remedy = Suggestion.remedy(for: key, in: allowed, noun: "key")
                document.report(line: line, key: value.path, "unknown key \"\(key)\"", remedy)
            }
        }
        return Members(entry: self, values: values)
    }
}

/// The known members of one mapping.
struct Members {
    let entry: Entry
    let values: [String: Entry]

    /// Nil when absent or null.
    subscript(key: String) -> Entry? {
        guard let value = values[key], !value.isNull else { return nil }
        return value
    }

    /// Reports an absent key; `example` is a line that would be right.
    func required(_ key: String, _ example: String) -> Entry? {
        if let value = self[key] { return value }
        let place = values[key]?.line ?? entry.line
        let path = entry.path.isEmpty ? key : "\(entry.path).\(key)"
        entry.document.report(line: place, key: path, "is missing", "add \"\(key): \(example)\"")
        return nil
    }
}
