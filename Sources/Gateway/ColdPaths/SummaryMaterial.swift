internal import Brain
internal import Conversation
internal import Storage

/// What a session's notes are made from, read from one state of the store.
struct SummaryMaterial: Sendable {
    /// Tokens of conversation that are looked at.
    static let window = 2000
    /// Messages that are read to find them.
    private static let messageLimit = 200
    private static let intentLimit = 200

    var session: SessionRecord
    /// Oldest first, at most `window` tokens.
    var lines: [HistoryLine]
    /// In the order in which they were detected.
    var intents: [IntentLedgerEntry]
    var lastMessage: MessageID
    var firstMessageAt: Timestamp?
    var lastMessageAt: Timestamp?
    var lastActionAt: Timestamp?

    var tokens: Int { lines.reduce(0) { $0 + ModelTokens.estimate($1.text) + ModelTokens.perLine } }

    /// Nil for a session without a message.
    static func load(_ session: SessionRecord, in transaction: BrandTransaction) throws -> SummaryMaterial? {
        let messages = try transaction.latestMessages(session: session.id, limit: messageLimit)
        guard let last = messages.last else { return nil }
        let lines = messages.compactMap { record -> HistoryLine? in
            guard let line = record.line, !line.text.isEmpty else { return nil }
            return HistoryLine(speaker: line.speaker, text: SummaryText.oneLine(line.text, atMost: window))
        }
        return SummaryMaterial(
            session: session, lines: ModelTokens.latest(lines, window),
            intents: try transaction.intents(session: session.id, limit: intentLimit).map(\.entry), lastMessage: last.id,
            firstMessageAt: try transaction.messages(session: session.id, after: nil, limit: 1).first?.recordedAt,
            lastMessageAt: last.recordedAt, lastActionAt: try transaction.lastAction(of: session.user, session: session.id))
    }

    func notes(_ summary: String, topics: [String], source: SessionNotes.Source, at now: Timestamp) -> SessionNotes {
        SessionNotes(
            summary: summary, topics: topics, source: source, firstMessageAt: firstMessageAt, lastMessageAt: lastMessageAt,
            lastActionAt: lastActionAt, lastMessage: lastMessage, madeAt: now)
    }
}

/// Text as it may stand in a summary: on one line, without control characters and without the marks by which models tell roles apart.
enum SummaryText {
    static func oneLine(_ text: String, atMost tokens: Int) -> String {
        // Looks at no more than could be kept: a text may be megabytes long.
        let beginning = String(text.unicodeScalars.prefix(tokens * 5))
        var text = String(String.UnicodeScalarView(beginning.unicodeScalars.map { isInvisible($0) ? " " : $0 }))
        for mark in ["<|", "|>", "```", "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>"] { text = text.replacing(mark, with: " ") }
        return ModelTokens.prefix(text.split(separator: " ").joined(separator: " "), tokens)
    }

    /// Control and format characters, line ends, and the private and unassigned ones that carry hidden text.
    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .surrogate, .privateUse, .unassigned:
            // Joiners make one sign of several in many scripts and in pictures.
            scalar.value != 0x200C && scalar.value != 0x200D
        default: false
        }
    }
}
