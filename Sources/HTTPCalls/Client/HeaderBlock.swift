/// Header lines as they came, made into names and values.
enum HeaderBlock {
    /// Names in lower case, values without surrounding blanks; a line that continues the one before is joined to it by a space. A line
    /// without a colon (the status line) is left out.
    static func parse(_ head: [UInt8]) -> [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = []
        for line in head.split(separator: UInt8(ascii: "\n")) {
            if let first = line.first, isBlank(first), !headers.isEmpty {
                let more = text(line)
                if !more.isEmpty { headers[headers.count - 1].value += " \(more)" }
            } else if !line.starts(with: statusLineStart) || !headers.isEmpty, let colon = line.firstIndex(of: UInt8(ascii: ":")) {
                headers.append((text(line[..<colon]).lowercased(), text(line[(colon + 1)...])))
            }
        }
        return headers
    }

    private static let statusLineStart = Array("HTTP/".utf8)

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        guard let start = bytes.firstIndex(where: { !isBlank($0) }), let end = bytes.lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(decoding: bytes[start...end], as: UTF8.self)
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
}
