internal import CPhoneNumber

/// Phone numbers in their one canonical form, E.164.
package enum PhoneNumbers {
    /// A number found inside a text.
    package struct Match: Sendable, Hashable {
        package var range: Range<String.Index>
        package var e164: String
    }

    /// Longest text that is searched, in bytes; a phone number further back is not looked for.
    private static let searchedBytes = 4096

    /// `+14155550123`, or nil when the text is no valid number. A number without a country code is read as one of `region`
    /// (ISO 3166-1, such as `US`). Brazilian and Mexican mobiles that some systems write in an older form come out the same as in
    /// the new one.
    package static func e164(_ text: String, region: String = "US") -> String? {
        guard text.utf8.count <= 64 else { return nil }
        if let number = parsed(text, region: region) { return canonical(number) }
        // A number with a country code whose only fault is the missing or superfluous mobile digit.
        let digits = text.filter { $0.isASCII && $0.isNumber }
        guard text.contains("+") || digits.count > 11 else { return nil }
        return parsed(mended("+" + digits), region: region)
    }

    /// Valid numbers in the text, from left to right, at most eight.
    package static func find(in text: String, region: String = "US") -> [Match] {
        var head = String(text.utf8.count > searchedBytes ? text.prefix(searchedBytes / 4) : text[...])
        guard head.utf8.reduce(into: 0, { $0 += (48...57).contains($1) ? 1 : 0 }) >= 6 else { return [] }
        var found = [cphone_match](repeating: cphone_match(), count: 8)
        let count = head.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { cphone_find($0.baseAddress, $0.count, region, &found, Int32(found.count)) }
        }
        return found.prefix(Int(count)).map { match in
            let start = text.utf8.index(text.startIndex, offsetBy: match.start)
            let end = text.utf8.index(start, offsetBy: match.end - match.start)
            return Match(range: start..<end, e164: canonical(string(match)))
        }
    }

    private static func parsed(_ text: String, region: String) -> String? {
        var text = text
        var written = [CChar](repeating: 0, count: Int(CPHONE_E164_SIZE))
        let isValid = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { cphone_parse($0.baseAddress, $0.count, region, &written) }
        }
        return isValid ? CText.string(written) : nil
    }

    private static func string(_ match: cphone_match) -> String {
        withUnsafeBytes(of: match.e164) { CText.string($0.map { CChar(bitPattern: $0) }) }
    }

    /// Mexico dropped the 1 after +52 in 2019, Brazil put a 9 before mobile numbers until 2016; WhatsApp still uses the older forms for
    /// accounts made before. One person must be one number.
    private static func canonical(_ number: String) -> String {
        let changed = mended(number)
        return changed == number ? number : parsed(changed, region: "ZZ") ?? number
    }

    /// The forms under which somebody may be known who has this number, in E.164: the number itself, its canonical form, and the older one
    /// that some systems still use.
    package static func forms(of number: String) -> [String] {
        let canonical = e164(number) ?? mended(number)
        var forms: [String] = []
        for form in [number, canonical, older(canonical)] where !forms.contains(form) { forms.append(form) }
        return forms
    }

    /// The opposite of `mended`.
    private static func older(_ number: String) -> String {
        if number.hasPrefix("+52"), number.count == 13 { return "+521" + number.dropFirst(3) }
        let mobile = number.dropFirst(5)
        if number.hasPrefix("+55"), number.count == 14, mobile.first == "9", let next = mobile.dropFirst().first, "6789".contains(next) {
            return String(number.prefix(5) + mobile.dropFirst())
        }
        return number
    }

    private static func mended(_ number: String) -> String {
        if number.hasPrefix("+521"), number.count == 14 { return "+52" + number.dropFirst(4) }
        // +55, area code, eight digits; only those beginning with 6 to 9 are mobiles.
        if number.hasPrefix("+55"), number.count == 13, let first = number.dropFirst(5).first, "6789".contains(first) {
            return number.prefix(5) + "9" + number.dropFirst(5)
        }
        return number
    }
}
