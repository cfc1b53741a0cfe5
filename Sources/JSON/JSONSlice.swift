/// A value inside a JSON text by where it stands, without reading its characters: the way to the original bytes of a value when the text
/// had to be repaired before it parsed. Means something only for texts whose structure is sound; never reads beyond their end.
package struct JSONSlice: Sendable {
    private let text: [UInt8]
    private let range: Range<Int>

    /// The whole text, without a byte order mark.
    package init(_ text: [UInt8]) {
        self.text = text
        let start = text.starts(with: JSONDocument.byteOrderMark) ? JSONDocument.byteOrderMark.count : 0
        range = start..<text.count
    }

    private init(text: [UInt8], range: Range<Int>) {
        self.text = text
        self.range = range
    }

    /// The original bytes.
    package var bytes: [UInt8] { Array(text[range]) }

    /// The first member whose name is written exactly so.
    package subscript(key: String) -> JSONSlice? {
        let wanted = Array("\"\(key)\"".utf8)
        var index = begin(UInt8(ascii: "{"))
        while let start = index {
            let nameEnd = endOfValue(from: start)
            let colon = skipped(from: nameEnd)
            guard colon < range.upperBound, text[colon] == UInt8(ascii: ":") else { return nil }
            let value = skipped(from: colon + 1)
            let end = endOfValue(from: value)
            if text[start..<nameEnd].elementsEqual(wanted) { return JSONSlice(text: text, range: value..<end) }
            index = next(after: end)
        }
        return nil
    }

    /// The items of an array; none for anything else.
    package var items: [JSONSlice] {
        var items: [JSONSlice] = []
        var index = begin(UInt8(ascii: "["))
        while let start = index {
            let end = endOfValue(from: start)
            items.append(JSONSlice(text: text, range: start..<end))
            index = next(after: end)
        }
        return items
    }

    /// Where the first child begins, when this value opens so and is not empty.
    private func begin(_ opening: UInt8) -> Int? {
        let start = skipped(from: range.lowerBound)
        guard start < range.upperBound, text[start] == opening else { return nil }
        let first = skipped(from: start + 1)
        guard first < range.upperBound, !Self.closes(text[first]) else { return nil }
        return first
    }

    /// Where the child after a comma begins.
    private func next(after end: Int) -> Int? {
        let comma = skipped(from: end)
        guard comma < range.upperBound, text[comma] == UInt8(ascii: ",") else { return nil }
        let start = skipped(from: comma + 1)
        return start < range.upperBound ? start : nil
    }

    private func skipped(from start: Int) -> Int {
        var index = start
        while index < range.upperBound, [0x20, 0x09, 0x0A, 0x0D].contains(text[index]) { index += 1 }
        return index
    }

    /// One past the last byte of the value that begins at `start`.
    private func endOfValue(from start: Int) -> Int {
        var index = start
        var depth = 0
        while index < range.upperBound {
            let byte = text[index]
            if byte == UInt8(ascii: "\"") {
                index = endOfString(from: index)
                if depth == 0 { return index }
                continue
            }
            if depth == 0, byte == UInt8(ascii: ",") || byte == UInt8(ascii: ":") || Self.closes(byte) { return index }
            if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") { depth += 1 }
            index += 1
            if Self.closes(byte) {
                depth -= 1
                if depth == 0 { return index }
            }
        }
        return index
    }

    private func endOfString(from start: Int) -> Int {
        var index = start + 1
        while index < range.upperBound, text[index] != UInt8(ascii: "\"") { index += text[index] == UInt8(ascii: "\\") ? 2 : 1 }
        return min(index + 1, range.upperBound)
    }

    private static func closes(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") }
}
