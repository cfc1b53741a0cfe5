import Conversation

/// Texts of a certain form.
extension Entry {
    /// RFC 6901. Empty means the whole value.
    func pointer() -> String? {
        guard let value = scalar() else { return nil }
        if let fault = Self.pointerFault(value.text) {
            problem(
                "\"\(value.raw)\" is not a JSON Pointer: \(fault)",
                "write it like /address/street; ~1 stands for / and ~0 for ~ inside a name")
            return nil
        }
        return value.text
    }

    private static func pointerFault(_ text: String) -> String? {
        if text.isEmpty { return nil }
        if !text.hasPrefix("/") { return "it does not begin with /" }
        let characters = Array(text)
        for (index, character) in characters.enumerated() where character == "~" {
            let next = index + 1 < characters.count ? characters[index + 1] : " "
            if next != "0" && next != "1" { return "~ is followed by neither 0 nor 1" }
        }
        return nil
    }

    func pattern() -> String? {
        guard let text = text() else { return nil }
        if let fault = document.validators.pattern(text) {
            problem(
                "is not an RE2 pattern: \(fault)",
                "use RE2 syntax: no look-around and no back-references; in YAML single quotes keep backslashes")
            return nil
        }
        return text
    }

    /// A name of ours: small letters, digits and underscores.
    func identifier() -> String? {
        guard let value = scalar() else { return nil }
        let letters = value.text.utf8
        let isName = letters.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 }
        guard isName, let first = letters.first, (97...122).contains(first), letters.count <= 64 else {
            problem("\"\(value.raw)\" is not a name", "use small letters, digits and underscores, beginning with a letter, at most 64")
            return nil
        }
        return value.text
    }

    /// An absolute http or https URL without credentials, query or fragment; a slash at its end is dropped.
    func url() -> String? {
        guard let value = scalar() else { return nil }
        let lower = value.text.lowercased()
        guard let scheme = ["http://", "https://"].first(where: { lower.hasPrefix($0) }) else {
            problem("\"\(value.raw)\" is not an http or https URL", "write https://host/path")
            return nil
        }
        let rest = value.text.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" }
        let isClean = rest.utf8.allSatisfy { $0 > 32 && $0 < 127 } && !rest.contains { "?#\\\"<>^`{|}".contains($0) }
        guard !authority.isEmpty, !authority.hasPrefix(":"), !authority.contains("@"), isClean else {
            problem("\"\(value.raw)\" is not a plain base URL", "write https://host/path without user, query, fragment or spaces")
            return nil
        }
        return value.text.hasSuffix("/") ? String(value.text.dropLast()) : value.text
    }

    func addresses() -> [AddressRule] {
        items().compactMap { item in
            guard let value = item.scalar() else { return nil }
            do {
                return try document.validators.addressRule(value.text)
            } catch {
                item.problem(
                    "\"\(value.raw)\" is not an address",
                    "write an IP or CIDR, optionally with a port: 127.0.0.1, 10.0.0.0/8, 127.0.0.1:8090")
                return nil
            }
        }
    }

    /// A value that is never printed. See `SecretRule` for `minimumBytes`.
    func secret(minimumBytes: Int) -> Secret? {
        guard let value = scalar() else { return nil }
        if value.text.isEmpty {
            let names = value.raw.matches(of: /\$\{([A-Za-z0-9_]+)/).map { String($0.1) }
            let from = names.isEmpty ? "it comes from" : names.joined(separator: " or ")
            problem("the secret is empty", "set the environment variable \(from)")
            return nil
        }
        if value.text.utf8.count < minimumBytes {
            problem(
                "the secret is shorter than \(minimumBytes) bytes",
                "use at least \(minimumBytes) random bytes, such as from openssl rand -hex 24")
            return nil
        }
        if value.text.utf8.contains(where: { $0 < 32 || $0 == 127 }) {
            problem("the secret holds control characters", "check for a line break at its end")
            return nil
        }
        return Secret(value.text)
    }

    func secrets(minimumBytes: Int) -> [Secret] {
        let items = items()
        if isSequence, items.isEmpty { problem("holds no secret", "list at least one") }
        return items.compactMap { $0.secret(minimumBytes: minimumBytes) }
    }
}
