internal import Conversation
internal import Storage

/// What the conversation remembers of the time in which people had it: the last lines.
enum HandBackSummary {
    private static let lines = 6
    private static let longestLine = 300

    /// Empty when nothing was said.
    static func text(_ handover: HandoverRecord, _ transaction: BrandTransaction) throws -> String {
        let said = try transaction.entries(of: handover.id, limit: 50).map(\.entry).filter { entry in
            // A person's closing words are for the ticket and for us.
            entry.author == .agent || entry.author == .customer && !entry.isInternal
        }
        guard !said.isEmpty else { return "" }
        let lines = said.suffix(lines).map { "\($0.author.rawValue): \($0.text.prefix(longestLine))" }
        return (["Our team had the conversation (\(handover.reason.words)). Said last:"] + lines).joined(separator: "\n")
    }
}
