/// How many tokens a call of a model may take, and for what: 3,000 while things are simple, up to 8,000 where much is going on at once.
/// Pure: the same conversation has the same plan.
package struct TokenPlan: Sendable, Hashable {
    /// What a prompt is made of, and the answer.
    package enum Section: String, Sendable, CaseIterable {
        case instructions, actions, wires, history, summary, answer
    }

    package enum Complexity: String, Sendable {
        case simple, medium, complex
    }

    package let complexity: Complexity
    /// Tokens of each section; a section that is not here stays out of the prompt.
    package let sections: [Section: Int]

    /// All sections together: what goes into `ModelPrompt.plannedTokens`.
    package var total: Int { sections.values.reduce(0, +) }

    /// The tokens set aside for a section; 0 for one that stays out.
    package func tokens(_ section: Section) -> Int { sections[section] ?? 0 }

    /// The plan for a call of that function at this point of a conversation.
    package static func plan(for function: ModelFunction, state: ConversationState) -> TokenPlan {
        let score = score(state)
        var sections: [Section: Int] = [:]
        for (section, range) in ranges(function) {
            let tokens = range.simple + (range.complex - range.simple) * score / highestScore
            if tokens > 0 { sections[section] = tokens }
        }
        return TokenPlan(complexity: score <= 1 ? .simple : score <= 3 ? .medium : .complex, sections: sections)
    }

    private static let highestScore = 5

    /// A point for each thing that makes a conversation harder to follow, `0...5`.
    private static func score(_ state: ConversationState) -> Int {
        var score = 0
        if let task = state.activeTask, isGoingOn(task) { score += task.paramsRequired.count > 3 ? 2 : 1 }
        if !state.pausedTasks.isEmpty { score += 1 }
        if state.clarification.total > 0 || state.clarification.unknownInARow > 0 { score += 1 }
        if Set(state.previousIntents.compactMap(\.canonicalAction)).count > 1 { score += 1 }
        return min(score, highestScore)
    }

    private static func isGoingOn(_ task: ActiveTask) -> Bool {
        switch task.status {
        case .initiated, .collectingParams, .readyToExecute, .executing: true
        case .completed, .failed, .cancelled: false
        }
    }

    private typealias Range = (simple: Int, complex: Int)

    private static func ranges(_ function: ModelFunction) -> [Section: Range] {
        switch function {
        case .intent, .deviation:
            // 3,000 together when simple, 8,000 when complex.
            [
                .instructions: (500, 700), .actions: (900, 2600), .wires: (400, 1200), .history: (700, 2500), .summary: (0, 500),
                .answer: (500, 500),
            ]
        case .response: [.instructions: (500, 500), .wires: (700, 1200), .history: (300, 800), .answer: (500, 500)]
        // Always the last 2,000 tokens of the conversation, and 500 for what is made of them.
        case .summary: [.instructions: (400, 400), .wires: (100, 100), .history: (2000, 2000), .answer: (500, 500)]
        }
    }
}
