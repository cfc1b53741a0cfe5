import Conversation

extension Turn {
    /// What a model read for parameters that the customer's own words do not give: each value goes through the same reading as any words,
    /// counts only when it is usable, and is asked about unless the customer wrote it.
    func proposals(_ proposed: [String: String], _ request: SlotRequest, found: [String: Entity]) -> [String: Entity] {
        var accepted: [String: Entity] = [:]
        for parameter in request.parameters {
            guard let words = proposed[parameter.name], Self.isOpen(found[parameter.name]) else { continue }
            var single = request
            single.text = words
            single.parameters = [parameter]
            single.expecting = parameter.name
            guard var entity = brain.slots.extract(single)[parameter.name], entity.isUsable else { continue }
            if !Self.occurs(words, in: message?.content.text ?? "") { entity.needsConfirmation = true }
            accepted[parameter.name] = entity
        }
        return accepted
    }

    /// What a model read for the answer to the open question.
    var answerSlots: [String: String] { input.intents.first { $0.type == .response && !$0.slots.isEmpty }?.slots ?? [:] }

    /// Whether a model, and not the words alone, chose the answer to the open question.
    var answerIsModels: Bool { input.intents.contains { $0.type == .response && $0.source == .model } }

    /// Nothing was said about it, or nothing that could be read.
    private static func isOpen(_ entity: Entity?) -> Bool { entity == nil || entity?.problem == .invalid && entity?.partial == nil }

    /// Whether the words stand in a text, whatever their case and punctuation.
    static func occurs(_ words: String, in text: String) -> Bool {
        let words = ActionLookup.normalized(words)
        return !words.isEmpty && "_\(ActionLookup.normalized(text))_".contains("_\(words)_")
    }
}
