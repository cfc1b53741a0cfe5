package import Conversation
internal import Text

/// Reads parameters from words by rules alone. Pure and safe to share; looks at the first 4,096 characters of a text.
///
/// Values come in the order in which they can be mistaken for each other: addresses and phone numbers first, then moments,
/// choices, money and
/// numbers, so that the digits of one are never read as another.
package struct SlotExtractor: SlotExtracting {
    package init() {}

    package func extract(_ request: SlotRequest) -> [String: Entity] {
        var reading = SlotReading(request)
        guard reading.tokens.count > 0 else { return [:] }
        reading.readAddresses()
        // Dates look like phone numbers to a phone library, not the other way round, so plain moments are marked before phones are
        // looked for.
        reading.markMoments()
        reading.readPhones()
        reading.readChoices()
        reading.readMoments()
        reading.readMoney()
        reading.readNumbers()
        reading.readText()
        reading.readRest()
        return reading.found
    }
}

/// The work on one request: what is found so far and which words are spoken for.
struct SlotReading {
    let request: SlotRequest
    let tokens: Tokens
    var found: [String: Entity] = [:]
    /// By token: already part of a value.
    var isTaken: [Bool]
    var pieces: [TemporalPiece] = []
    /// Tokens of links and e-mail addresses, whose words are names of things elsewhere.
    var addressTokens: Set<Int> = []
    /// The words by which choices were made.
    var choiceRanges: [Range<Int>] = []

    init(_ request: SlotRequest) {
        self.request = request
        tokens = Tokens(request.text)
        isTaken = Array(repeating: false, count: tokens.count)
    }

    func parameters(_ kinds: EntityKind...) -> [ParameterDefinition] { request.parameters.filter { kinds.contains($0.entity) } }

    /// The parameters of a kind in the order in which values are given to them: the one asked for, then those still without a value.
    func receivers(_ kinds: EntityKind...) -> [ParameterDefinition] {
        let fitting = request.parameters.filter { kinds.contains($0.entity) && found[$0.name] == nil }
        let asked = fitting.filter { $0.name == request.expecting }
        let open = fitting.filter { $0.name != request.expecting && request.collected[$0.name]?.value == nil }
        let known = fitting.filter { $0.name != request.expecting && request.collected[$0.name]?.value != nil }
        return asked + open + known
    }

    func isAsked(_ kinds: EntityKind...) -> Bool {
        request.parameters.contains { $0.name == request.expecting && kinds.contains($0.entity) }
    }

    mutating func take(_ range: Range<Int>) {
        for index in range where isTaken.indices.contains(index) { isTaken[index] = true }
    }

    func isFree(_ range: Range<Int>) -> Bool { range.allSatisfy { isTaken.indices.contains($0) && !isTaken[$0] } }

    /// Marks the tokens that a span of the source touches.
    mutating func take(_ range: Range<String.Index>) {
        for (index, token) in tokens.all.enumerated() where token.range.overlaps(range) { isTaken[index] = true }
    }

    /// The country that numbers without a code belong to, from a locale such as `en-GB`; `US` when it names none.
    var region: String {
        let parts = request.locale.split(whereSeparator: { $0 == "-" || $0 == "_" }).dropFirst()
        return parts.first { $0.count == 2 && $0.allSatisfy { $0.isASCII && $0.isLetter } }.map { $0.uppercased() } ?? "US"
    }
}
