internal import Foundation

/// Texts in the form in which they are compared.
package enum Normalizer {
    /// NFC, invisible characters removed, ends trimmed, runs of white space as one space. Case stays.
    package static func clean(_ text: String) -> String {
        if isPlain(text) { return text }
        var result = String.UnicodeScalarView()
        var pendingSpace = false
        for scalar in text.unicodeScalars where !isInvisible(scalar) {
            if scalar.properties.isWhitespace {
                pendingSpace = !result.isEmpty
            } else {
                if pendingSpace { result.append(" ") }
                pendingSpace = false
                result.append(scalar)
            }
        }
        let cleaned = String(result)
        return cleaned.utf8.allSatisfy { $0 < 128 } ? cleaned : cleaned.precomposedStringWithCanonicalMapping
    }

    /// `clean`, with case folded and typographic quotes, dashes and skin tones as their plain forms. For comparing, never for showing.
    package static func fold(_ text: String) -> String {
        let cleaned = clean(text)
        if cleaned.utf8.allSatisfy({ $0 < 128 }) { return cleaned.lowercased() }
        var result = String.UnicodeScalarView()
        // Upper and then lower case folds what lower case alone leaves apart, such as ß and ss, ς and σ.
        for scalar in cleaned.uppercased().lowercased().unicodeScalars {
            switch scalar.value {
            case 0x2018, 0x2019, 0x201B, 0x2032, 0x02BC, 0x60, 0xB4: result.append("'")
            case 0x201C, 0x201D, 0x201E, 0x2033: result.append("\"")
            case 0x2010...0x2015, 0x2212: result.append("-")
            case 0xFE00...0xFE0F, 0x1F3FB...0x1F3FF: break
            default: result.append(scalar)
            }
        }
        return String(result)
    }

    /// `fold` without accents: `Café` and `cafe` are the same.
    package static func foldWithoutAccents(_ text: String) -> String {
        let folded = fold(text)
        if folded.utf8.allSatisfy({ $0 < 128 }) { return folded }
        let bare = folded.decomposedStringWithCanonicalMapping.unicodeScalars.filter { $0.properties.generalCategory != .nonspacingMark }
        return String(String.UnicodeScalarView(bare)).precomposedStringWithCanonicalMapping
    }

    /// ASCII with nothing to change, as most messages are.
    private static func isPlain(_ text: String) -> Bool {
        var previous: UInt8 = 32
        for byte in text.utf8 {
            if byte >= 128 || byte < 32 || byte == 127 || (byte == 32 && previous == 32) { return false }
            previous = byte
        }
        return previous != 32 || text.isEmpty
    }

    /// Zero-width and direction characters, and controls that are no white space. The joiner inside emoji stays.
    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x200B, 0x200C, 0x200E, 0x200F, 0x202A...0x202E, 0x2060...0x2064, 0x2066...0x2069, 0xFEFF, 0xAD, 0x61C: true
        case 0x00...0x08, 0x0E...0x1F, 0x7F: true
        default: false
        }
    }
}
