import Conversation

extension Turn {
    /// Writes a new intent into the ledger and tells it.
    mutating func log(
        _ intent: DetectedIntent, id: IntentID, name: String, match: IntentLedgerEntry.MatchType?, status: IntentLedgerEntry.Status = .new
    ) {
        effects.append(
            .ledger(
                IntentLedgerEntry(
                    id: id, intentType: intent.type, canonicalIntent: name, matchType: match, confidence: intent.confidence,
                    turn: state.turn,
                    status: status, source: intent.source.rawValue, margin: intent.margin)))
        update(.intentLogged, ["intent_id": .string(id.description), "status": .string(status.rawValue)])
    }

    /// Writes a changed status under the same id. Confidence and match type are those of the first entry, as far as they are remembered.
    mutating func log(_ task: ActiveTask, _ status: IntentLedgerEntry.Status, reasons: [String] = []) {
        let first = effects.firstEntry(task.intentID)
        let remembered = state.previousIntents.last { $0.canonicalAction == task.canonicalAction }
        effects.append(
            .ledger(
                IntentLedgerEntry(
                    id: task.intentID, intentType: .action, canonicalIntent: task.canonicalAction, matchType: first?.matchType,
                    confidence: first?.confidence ?? remembered?.confidence ?? 1, turn: remembered?.turn ?? state.turn,
                    entities: task.paramsCollected, status: status, reasons: reasons, source: first?.source ?? "brain",
                    margin: first?.margin)))
    }

    /// Remembers what a message wanted, for the next turns.
    mutating func remember(_ intent: DetectedIntent, action: String? = nil) {
        state.previousIntents.append(
            PreviousIntent(
                intentType: intent.type, canonicalAction: action ?? intent.candidates.first, matchedSignal: intent.signal,
                confidence: intent.confidence, timestamp: input.now, turn: state.turn))
        state.previousIntents = state.previousIntents.suffix(5)
    }
}

extension [Effect] {
    fileprivate func firstEntry(_ id: IntentID) -> IntentLedgerEntry? {
        for effect in self {
            if case .ledger(let entry) = effect, entry.id == id { return entry }
        }
        return nil
    }
}
