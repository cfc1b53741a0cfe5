internal import Brain
internal import Conversation

/// A summary without a model: what was wanted and what became of it, from the ledger, then what was said last. Pure.
struct EmbeddedSummary {
    static let mostTokens = 500
    /// Less than this is said only of a conversation that has no more.
    static let leastTokens = 150
    /// Of them for what the ledger says.
    private static let ledgerTokens = 200

    let material: SummaryMaterial
    let configuration: BrandConfiguration

    var text: String {
        let ledger = ledgerText()
        let left = Self.mostTokens - ModelTokens.estimate(ledger) - 8
        var said = ""
        // Short pieces of many messages tell more than one long one; only where there are few do they grow.
        for cut in [60, 150, Self.mostTokens] {
            said = lastWords(atMost: left, each: cut)
            if ModelTokens.estimate(ledger) + ModelTokens.estimate(said) >= Self.leastTokens { break }
        }
        return ModelTokens.prefix([ledger, said].filter { !$0.isEmpty }.joined(separator: " "), Self.mostTokens)
    }

    // MARK: What was wanted

    private func ledgerText() -> String {
        var sentences: [String] = []
        var left = Self.ledgerTokens
        for entry in wishes.reversed() {
            let sentence = sentence(entry)
            let needed = ModelTokens.estimate(sentence) + 1
            guard needed <= left else { break }
            left -= needed
            sentences.append(sentence)
        }
        return sentences.reversed().joined(separator: " ")
    }

    /// What the ledger holds of actions; what was asked for twice stands there twice.
    private var wishes: [IntentLedgerEntry] {
        material.intents.filter { $0.intentType == .action && $0.status != .actionNotFound }
    }

    private func sentence(_ entry: IntentLedgerEntry) -> String {
        let name = configuration.action(named: entry.canonicalIntent)?.displayName ?? entry.canonicalIntent
        let details = entry.entities.sorted { $0.key < $1.key }.compactMap { name, entity -> String? in
            guard let value = entity.label ?? entity.value?.plainText, !value.isEmpty else { return nil }
            return "\(name.replacing("_", with: " ")): \(SummaryText.oneLine(value, atMost: 20))"
        }
        let list = details.isEmpty ? "" : " (\(details.joined(separator: ", ")))"
        return "\(name)\(list): \(Self.outcome(entry.status))."
    }

    private static func outcome(_ status: IntentLedgerEntry.Status) -> String {
        switch status {
        case .new: "asked for"
        case .blocked: "not possible now"
        case .queued: "under way"
        case .completed: "done"
        case .failed: "failed"
        case .cancelled: "called off"
        case .collecting: "details being asked for"
        case .actionNotFound: "nothing we do"
        }
    }

    // MARK: What was said

    private func lastWords(atMost tokens: Int, each: Int) -> String {
        var parts: [String] = []
        var left = tokens
        for line in material.lines.reversed() {
            let words = SummaryText.oneLine(line.text, atMost: each)
            let part = "\(line.speaker == .customer ? "Customer" : "Reply"): \(words)\(words.count < line.text.count ? " …" : "")"
            let needed = ModelTokens.estimate(part) + 1
            if needed > left {
                if parts.isEmpty { parts.append(ModelTokens.prefix(part, left)) }
                break
            }
            left -= needed
            parts.append(part)
        }
        return parts.reversed().joined(separator: " | ")
    }
}
