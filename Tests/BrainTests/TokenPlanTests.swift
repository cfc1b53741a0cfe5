import Conversation
import Testing

@testable import Brain

struct TokenPlanTests {
    private static let now = Timestamp(seconds: 1_800_000_000)

    private func task(_ params: [String], _ status: ActiveTask.Status = .collectingParams) -> ActiveTask {
        ActiveTask(
            taskID: UniqueID(high: 1, low: 1), intentID: IntentID(UniqueID(high: 1, low: 2)), canonicalAction: "book_service",
            actionType: .brandAPI, paramsRequired: params, status: status, createdAt: Self.now, updatedAt: Self.now)
    }

    private func intent(_ action: String) -> PreviousIntent {
        PreviousIntent(intentType: .action, canonicalAction: action, confidence: 1, timestamp: Self.now, turn: 1)
    }

    @Test func aFreshConversationIsPlannedWithThreeThousandTokens() {
        let plan = TokenPlan.plan(for: .intent, state: ConversationState())
        #expect(plan.total == 3000 && plan.complexity == .simple)
        #expect(plan.tokens(.summary) == 0 && plan.sections[.summary] == nil, "a new conversation has nothing to sum up")
    }

    @Test func whereMuchGoesOnAtOnceThereAreEightThousand() {
        var state = ConversationState()
        state.activeTask = task(["a", "b", "c", "d"])
        state.pausedTasks = [task(["x"])]
        state.clarification.total = 2
        state.previousIntents = [intent("book_service"), intent("cancel_booking")]
        for function in [ModelFunction.intent, .deviation] {
            let plan = TokenPlan.plan(for: function, state: state)
            #expect(plan.total == 8000 && plan.complexity == .complex)
            #expect(plan.tokens(.summary) == 500)
        }
    }

    @Test func everyStepBetweenAddsAThousandAndNoSectionEverShrinks() {
        var state = ConversationState()
        var plans = [TokenPlan.plan(for: .intent, state: state)]
        state.activeTask = task(["a"])
        plans.append(.plan(for: .intent, state: state))
        state.activeTask = task(["a", "b", "c", "d"])
        plans.append(.plan(for: .intent, state: state))
        state.pausedTasks = [task(["x"])]
        plans.append(.plan(for: .intent, state: state))
        state.clarification.unknownInARow = 1
        plans.append(.plan(for: .intent, state: state))
        #expect(plans.map(\.total) == [3000, 4000, 5000, 6000, 7000])
        for (less, more) in zip(plans, plans.dropFirst()) {
            for section in TokenPlan.Section.allCases { #expect(less.tokens(section) <= more.tokens(section)) }
        }
        state.activeTask = task(["a", "b", "c", "d"], .completed)
        #expect(TokenPlan.plan(for: .intent, state: state).total == 5000, "what has ended needs no room")
    }

    @Test func aSummaryAlwaysReadsTheLastTwoThousandTokens() {
        var state = ConversationState()
        state.activeTask = task(["a", "b", "c", "d"])
        for state in [state, ConversationState()] {
            let plan = TokenPlan.plan(for: .summary, state: state)
            #expect(plan.tokens(.history) == 2000 && plan.tokens(.answer) == 500 && plan.tokens(.actions) == 0)
        }
    }

    @Test func tokensAreEstimatedForEveryScript() {
        #expect(ModelTokens.estimate("") == 0)
        #expect(ModelTokens.estimate("a") == 1)
        #expect(ModelTokens.estimate("abcdefgh") == 2)
        #expect(ModelTokens.estimate("予約をしたい") == 6)
        #expect(ModelTokens.estimate(String(repeating: "word ", count: 400)) == 500)
    }

    @Test func aPrefixNeverCostsMoreThanItMayAndEndsBetweenWords() {
        let text = String(repeating: "alpha beta ", count: 1000)
        for tokens in [1, 7, 60, 500] {
            let cut = ModelTokens.prefix(text, tokens)
            #expect(ModelTokens.estimate(cut) <= tokens && text.hasPrefix(cut))
        }
        #expect(ModelTokens.prefix("alpha beta gamma", 3) == "alpha beta")
        #expect(ModelTokens.prefix("short", 100) == "short" && ModelTokens.prefix("short", 0).isEmpty)
        let oneWord = String(repeating: "é", count: 100)
        #expect(ModelTokens.prefix(oneWord, 10).count == 10)
    }

    @Test func theNewestLinesAreKept() {
        let lines = (0..<100).map { HistoryLine(speaker: .customer, text: "line number \($0) of them") }
        let kept = ModelTokens.latest(lines, 200)
        #expect(kept.last == lines.last && kept.count < 30 && kept == Array(lines.suffix(kept.count)))
        #expect(kept.reduce(0) { $0 + ModelTokens.estimate($1.text) + ModelTokens.perLine } <= 200)
        let long = HistoryLine(speaker: .customer, text: String(repeating: "word ", count: 10_000))
        let cut = ModelTokens.latest([lines[0], long], 300)
        #expect(cut.count == 1 && ModelTokens.estimate(cut[0].text) <= 300)
        #expect(ModelTokens.latest(lines, 0).isEmpty && ModelTokens.latest([], 100).isEmpty)
    }
}
