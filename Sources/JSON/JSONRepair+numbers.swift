extension JSONRepair {
    /// A copy in which whole numbers beyond 64 bits have a fraction (they read as doubles) and numbers beyond a double are strings.
    /// Nil when no number needed it.
    static func withReadableNumbers(_ bytes: [UInt8]) -> [UInt8]? {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count + 64)
        var hasChanged = false
        var index = 0
        while index < bytes.count {
            let end = tokenEnd(in: bytes, from: index)
            let token = bytes[index..<end]
            if isNumberStart(bytes[index]), let readable = readable(token) {
                output.append(contentsOf: readable)
                hasChanged = true
            } else {
                output.append(contentsOf: token)
            }
            index = end
        }
        return hasChanged ? output : nil
    }

    private static func isNumberStart(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    /// Nil when the token reads as it stands, or is no number at all.
    private static func readable(_ token: ArraySlice<UInt8>) -> [UInt8]? {
        let text = String(decoding: token, as: UTF8.self)
        guard let value = Double(text) else { return nil }
        if !value.isFinite { return [UInt8(ascii: "\"")] + token + [UInt8(ascii: "\"")] }
        let isWhole = token.allSatisfy { isNumberStart($0) }
        guard isWhole, Int64(text) == nil, UInt64(text) == nil else { return nil }
        return token + Array(".0".utf8)
    }

    /// The end of the string, the number or the single byte that begins at `start`.
    private static func tokenEnd(in bytes: [UInt8], from start: Int) -> Int {
        var index = start + 1
        if bytes[start] == UInt8(ascii: "\"") {
            while index < bytes.count, bytes[index] != UInt8(ascii: "\"") { index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1 }
            return min(index + 1, bytes.count)
        }
        guard isNumberStart(bytes[start]) else { return index }
        while index < bytes.count, isNumberPart(bytes[index]) { index += 1 }
        return index
    }

    private static func isNumberPart(_ byte: UInt8) -> Bool {
        isNumberStart(byte) || [UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "+")].contains(byte)
    }
}
