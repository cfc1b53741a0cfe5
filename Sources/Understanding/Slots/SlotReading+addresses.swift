internal import Conversation
internal import Text

extension SlotReading {
    /// E-mail addresses and links.
    mutating func readAddresses() {
        guard tokens.source.contains("@") || tokens.source.contains(".") else { return }
        for match in AddressPatterns.email.all(in: tokens.source, limit: 4) {
            takeAddress(match.range)
            let value = match.groups[0] ?? ""
            // Domains compare without case, the part before the sign strictly speaking does not; mailboxes in the wild do.
            give(receivers(.email), value: .string(value.lowercased()), raw: value)
        }
        for match in AddressPatterns.url.all(in: tokens.source, limit: 4) where isFreeSource(match.range) {
            let raw = (match.groups[0] ?? "").trimmingTrailing(".,;:!?)")
            takeAddress(match.range)
            guard let parameter = receivers(.url).first else { continue }
            found[parameter.name] = checked(parameter, value: raw.contains("://") ? raw : "https://" + raw, raw: raw)
        }
        if let parameter = receivers(.email).first, parameter.name == request.expecting, tokens.source.contains("@") {
            found[parameter.name] = Entity(name: parameter.name, kind: .email, raw: tokens.source, confidence: 0.9, problem: .invalid)
        }
    }

    private mutating func takeAddress(_ range: Range<String.Index>) {
        take(range)
        for (index, token) in tokens.all.enumerated() where token.range.overlaps(range) { addressTokens.insert(index) }
    }

    /// Phone numbers, as E.164.
    mutating func readPhones() {
        let wanted = !parameters(.phone).isEmpty
        guard wanted || !parameters(.number, .money).isEmpty else { return }
        for match in PhoneNumbers.find(in: tokens.source, region: region) where isFreeSource(match.range) {
            take(match.range)
            give(receivers(.phone), value: .string(match.e164), raw: String(tokens.source[match.range]))
        }
        guard let parameter = receivers(.phone).first, parameter.name == request.expecting, found[parameter.name] == nil else { return }
        let digits = tokens.all.filter { $0.kind == .number }
        let count = digits.reduce(0) { $0 + $1.text.count }
        guard count >= 5, pieces.isEmpty else { return }
        for index in tokens.all.indices where tokens.all[index].kind == .number { isTaken[index] = true }
        if let number = PhoneNumbers.e164(tokens.source, region: region) ?? PhoneNumbers.e164(digits.map(\.text).joined(), region: region) {
            give([parameter], value: .string(number), raw: tokens.source)
        } else {
            found[parameter.name] = Entity(name: parameter.name, kind: .phone, raw: tokens.source, confidence: 0.9, problem: .invalid)
        }
    }

    /// A free text or link, only when it was asked for: then it is all that was said.
    mutating func readText() {
        guard let parameter = request.parameters.first(where: { $0.name == request.expecting }), found[parameter.name] == nil,
            parameter.entity == .text || parameter.entity == .url && parameter.pattern != nil
        else { return }
        let text = tokens.source
        guard !text.isEmpty else { return }
        found[parameter.name] = checked(parameter, value: text, raw: text)
    }

    /// Checks the pattern of the parameter and, as lengths in characters, its bounds.
    func checked(_ parameter: ParameterDefinition, value: String, raw: String) -> Entity {
        var entity = Entity(name: parameter.name, kind: parameter.entity, value: .string(value), raw: raw, confidence: 0.95)
        let length = Double(value.count)
        let isLong = parameter.maximum.map { length > $0 } ?? false
        let isShort = parameter.minimum.map { length < $0 } ?? false
        var fits = !isLong && !isShort
        if fits, let pattern = parameter.pattern {
            // A pattern that does not compile is reported when the configuration is loaded; here nothing matches it.
            fits = (try? Pattern(pattern, caseSensitive: true)).map { $0.matchesWhole(value) || $0.matchesWhole(raw) } ?? false
        }
        if !fits {
            entity.value = JSONValue?.none
            entity.problem = .invalid
        }
        return entity
    }

    private mutating func give(_ parameters: [ParameterDefinition], value: JSONValue, raw: String) {
        guard let parameter = parameters.first else { return }
        found[parameter.name] = Entity(name: parameter.name, kind: parameter.entity, value: value, raw: raw, confidence: 0.97)
    }

    private func isFreeSource(_ range: Range<String.Index>) -> Bool {
        !tokens.all.indices.contains { isTaken[$0] && tokens.all[$0].range.overlaps(range) }
    }
}

enum AddressPatterns {
    static let email = builtIn(#"[\pL\pN._%+\-]+@[\pL\pN](?:[\pL\pN\-]*[\pL\pN])?(?:\.[\pL\pN](?:[\pL\pN\-]*[\pL\pN])?)+"#)
    static let url = builtIn(
        #"(?:https?://[^\s<>"]+|www\.[^\s<>"]+|"#
            + #"\b(?:[a-z0-9](?:[a-z0-9\-]*[a-z0-9])?\.)+(?:com|org|net|io|co|app|dev|edu|gov|uk|de|fr|es|it|nl|br|mx|in|eu)\b(?:/[^\s<>"]*)?)"#
    )

    /// A pattern written here; one that does not compile is a fault of the program.
    static func builtIn(_ source: String) -> Pattern {
        do {
            return try Pattern(source)
        } catch {
            preconditionFailure("\(error)")
        }
    }
}

extension String {
    func trimmingTrailing(_ signs: String) -> String {
        var text = self[...]
        while let last = text.last, signs.contains(last) { text.removeLast() }
        return String(text)
    }
}
