/// An origin as browsers write it (RFC 6454): scheme, host and port, and nothing else.
struct Origin: Sendable, Hashable {
    /// Lower case.
    let scheme: String
    /// Lower case; an IPv6 address in brackets.
    let host: String
    /// That of the scheme when none is written; nil when the scheme has none.
    let port: Int?

    /// Nil for anything but `scheme://host` or `scheme://host:port`, such as `null`, a path, a user or a list.
    init?(_ text: String) {
        guard text.utf8.count <= 512, let start = text.firstRange(of: "://") else { return nil }
        let scheme = String(text[..<start.lowerBound])
        guard scheme.first?.isLetter == true, scheme.consists(ofLettersDigitsAnd: "+.-") else { return nil }
        guard let (host, port) = Self.authority(text[start.upperBound...]) else { return nil }
        self.scheme = scheme.lowercased()
        self.host = host.lowercased()
        switch port {
        case .none: self.port = Self.defaultPorts[self.scheme]
        case .some(let digits):
            guard digits.utf8.allSatisfy({ (48...57).contains($0) }), digits.count <= 5, let number = Int(digits),
                (1...65_535).contains(number)
            else { return nil }
            self.port = number
        }
    }

    private static let defaultPorts = ["http": 80, "https": 443]

    private static func authority(_ text: Substring) -> (host: String, port: Substring?)? {
        let host: Substring
        let rest: Substring
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = text[...end]
            rest = text[text.index(after: end)...]
            guard String(host.dropFirst().dropLast()).consists(ofLettersDigitsAnd: ":."), host.count > 2 else { return nil }
        } else {
            host = text.prefix { $0 != ":" }
            rest = text[host.endIndex...]
            guard !host.isEmpty, String(host).consists(ofLettersDigitsAnd: ".-_") else { return nil }
        }
        if rest.isEmpty { return (String(host), nil) }
        return rest.hasPrefix(":") ? (String(host), rest.dropFirst()) : nil
    }
}

/// The origins that an instance lets in: each written out, or `scheme://host:*` for any port. An entry that is neither lets nobody in.
struct OriginRules {
    enum Verdict: Hashable {
        /// Not a browser, or a page reading from its own origin.
        case absent
        /// To be repeated in the answer as it came.
        case allowed(String)
        case refused
    }

    let rules: [String]

    func verdict(on headers: [String]) -> Verdict {
        guard let header = headers.first else { return .absent }
        guard headers.count == 1, let origin = Origin(header) else { return .refused }
        return rules.contains { Self.allows($0, origin) } ? .allowed(header) : .refused
    }

    /// Whether an entry can let anybody in.
    static func isRule(_ text: String) -> Bool { Origin(text) != nil || anyPort(text) != nil }

    private static func allows(_ rule: String, _ origin: Origin) -> Bool {
        guard let base = anyPort(rule) else { return Origin(rule) == origin }
        return base.scheme == origin.scheme && base.host == origin.host
    }

    /// What stands before the `:*`; nil for any other form.
    private static func anyPort(_ rule: String) -> Origin? {
        guard rule.hasSuffix(":*"), !rule.dropLast(2).hasSuffix(":") else { return nil }
        return Origin(String(rule.dropLast(2)))
    }
}
