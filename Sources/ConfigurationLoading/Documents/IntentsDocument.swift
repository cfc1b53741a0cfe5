import Conversation

/// `intents.yaml`: example sentences and patterns for what messages want.
struct IntentsDocument {
    let reading: BrandReading

    func read() -> [IntentDefinition] {
        let members = reading.document("intents.yaml").root(required: false)?.members(["intents"])
        return members?["intents"]?.items().compactMap { read($0) } ?? []
    }

    private func read(_ item: Entry) -> IntentDefinition? {
        guard let members = item.members(["type", "action", "examples", "patterns"]) else { return nil }
        let examples = members["examples"]?.texts() ?? []
        let patterns = members["patterns"]?.items().compactMap { $0.pattern() } ?? []
        if members["examples"] == nil, members["patterns"] == nil {
            item.problem("says nothing about the intent", "add examples or patterns")
        }
        guard let type = members.required("type", "greeting")?.oneOf(IntentType.self) else { return nil }
        guard type == .action else {
            members["action"]?.problem("only an intent of type action names an action", "write \"type: action\" or remove it")
            return IntentDefinition(type: type, examples: examples, patterns: patterns)
        }
        guard let entry = members.required("action", "book_service"), let name = entry.text() else { return nil }
        reading.requireAction(name, at: entry)
        return IntentDefinition(type: .action, action: name, examples: examples, patterns: patterns)
    }
}
