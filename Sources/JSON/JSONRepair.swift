internal import CSimdjson

/// Copies of JSON texts in which what no parser takes is replaced. The structure stays: only characters inside strings change.
package enum JSONRepair {
    /// A copy in which escapes of lone surrogates and bytes that are no UTF-8 are U+FFFD. Meant for texts that failed to parse.
    package static func withReplacedCharacters(_ bytes: [UInt8]) -> [UInt8] {
        var text = Array(String(decoding: bytes, as: UTF8.self).utf8)
        forEachUnicodeEscape(in: text) { index, unit in
            switch unit {
            case 0xD800...0xDBFF:
                if let low = escape(at: index + 6, in: text), (0xDC00...0xDFFF).contains(low) { return 12 }
                replace(at: index, in: &text)
            case 0xDC00...0xDFFF: replace(at: index, in: &text)
            default: break
            }
            return 6
        }
        return text
    }

    /// A copy in which every `\u0000` is `\uFFFD`, or nil when there is none: several stores refuse U+0000 in text.
    package static func withoutNulls(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.withUnsafeBufferPointer({ sj_contains($0.baseAddress, $0.count, "\\u0000") }) else { return nil }
        var text = bytes
        var hasChanged = false
        forEachUnicodeEscape(in: bytes) { index, unit in
            if unit == 0 {
                replace(at: index, in: &text)
                hasChanged = true
            }
            return 6
        }
        return hasChanged ? text : nil
    }

    /// Calls `visit` with the place and code unit of each `\uXXXX` inside strings; it answers how many bytes to go on by.
    private static func forEachUnicodeEscape(in text: [UInt8], _ visit: (Int, UInt16) -> Int) {
        var index = 0
        while index < text.count {
            guard text[index] == UInt8(ascii: "\\") else {
                index += 1
                continue
            }
            guard let unit = escape(at: index, in: text) else {
                index += 2
                continue
            }
            index += visit(index, unit)
        }
    }

    /// The code unit of a `\uXXXX` that begins at `index`; nil when none does.
    private static func escape(at index: Int, in text: [UInt8]) -> UInt16? {
        guard index + 6 <= text.count, text[index] == UInt8(ascii: "\\"), text[index + 1] == UInt8(ascii: "u") else { return nil }
        var unit: UInt16 = 0
        for digit in text[index + 2..<index + 6] {
            guard let value = Character(UnicodeScalar(digit)).hexDigitValue else { return nil }
            unit = unit << 4 | UInt16(value)
        }
        return unit
    }

    private static func replace(at index: Int, in text: inout [UInt8]) {
        for (offset, byte) in "\\ufffd".utf8.enumerated() { text[index + offset] = byte }
    }
}
