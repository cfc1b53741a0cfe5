import Conversation
import Testing

@testable import Gateway

@Suite struct PolicyTurnTests {
    private static let filters = [
        ContentFilter(name: "rude", pattern: "damn", side: .both, verdict: .deny, say: "Please stay polite."),
        ContentFilter(name: "card", pattern: "[0-9]{16}", side: .both, verdict: .warn, say: "No card numbers, please."),
        ContentFilter(name: "threat", pattern: "lawyer", side: .both, verdict: .handover, say: "A colleague takes over."),
        ContentFilter(name: "fine", pattern: "hello", side: .both, verdict: .allow),
    ]
    private static let filtered = Policies(filters: filters)

    // MARK: Before a message is understood

    @Test func aFloodIsRefusedAndToldOnce() throws {
        let policy = try PolicyWorld.policy(Policies(limits: RateLimits(userPerMinute: 2)))
        #expect(policy.limit(MessageID(SystemIDs().next())) == nil && policy.limit(MessageID(SystemIDs().next())) == nil)
        let first = try #require(policy.limit(MessageID(SystemIDs().next())))
        #expect(first.verdict.result == .rateLimit && first.verdict.rule == "rate_limited:user")
        #expect(first.verdict.retryAfter == .seconds(30) && first.verdict.remainingQuota == 0)
        #expect(first.text?.contains("30 seconds") == true)
        #expect(policy.limit(MessageID(SystemIDs().next()))?.text == nil)
    }

    @Test func aFloodOfOthersIsNotToldToTheOneWhoWrites() throws {
        let policy = try PolicyWorld.policy(Policies(limits: RateLimits(instancePerMinute: 1)))
        #expect(policy.limit(MessageID(SystemIDs().next())) == nil)
        let refusal = try #require(policy.limit(MessageID(SystemIDs().next())))
        #expect(refusal.verdict.rule == "rate_limited:instance" && refusal.text == nil)
    }

    @Test func theBrandsOwnWordsSayTheWait() throws {
        let policy = try PolicyWorld.policy(
            Policies(limits: RateLimits(userPerMinute: 1)), templates: ["rate_limited": "Again in {retry_after}!"])
        _ = policy.limit(MessageID(SystemIDs().next()))
        #expect(policy.limit(MessageID(SystemIDs().next()))?.text == "Again in 60 seconds!")
    }

    @Test func aDeniedMessageIsRefusedWithItsWords() throws {
        let policy = try PolicyWorld.policy(Self.filtered)
        guard case .refused(let refusal) = policy.admit(PolicyWorld.message("oh DAMN"), in: ConversationState()) else {
            Issue.record("was not refused")
            return
        }
        #expect(refusal.text == "Please stay polite." && refusal.verdict.rule == "filter:rude")
    }

    @Test func aWarningGoesAlongAndAnExemptionSaysNothing() throws {
        let policy = try PolicyWorld.policy(Self.filtered)
        guard case .admitted("No card numbers, please.") = policy.admit(PolicyWorld.message("4111111111111111"), in: ConversationState())
        else {
            Issue.record("no warning")
            return
        }
        guard case .admitted(nil) = policy.admit(PolicyWorld.message("hello"), in: ConversationState()) else {
            Issue.record("an exemption warned")
            return
        }
        let result = policy.screened(PolicyWorld.result(PolicyWorld.reply(.text("Booked."))), warnings: ["No card numbers, please."])
        #expect(result.texts == ["No card numbers, please.\nBooked."])
    }

    @Test func aMessageForPeopleIsHandedOverWithItsQuestionClosed() throws {
        let policy = try PolicyWorld.policy(Self.filtered)
        let asking = PolicyWorld.result(asking: true).state
        guard case .handedOver(let result) = policy.admit(PolicyWorld.message("my lawyer will call"), in: asking) else {
            Issue.record("was not handed over")
            return
        }
        #expect(result.handovers.map(\.trigger) == [.policyViolation])
        #expect(result.texts == ["A colleague takes over."])
        #expect(!result.state.expectingResponse && result.state.answerSheet == nil && result.state.turn == 1)
    }

    @Test func aResultThatArrivesIsNoMessageToFilter() throws {
        let policy = try PolicyWorld.policy(Self.filtered)
        guard case .admitted(nil) = policy.admit(.inlineWait(ActionID(UniqueID(high: 1, low: 1))), in: ConversationState()) else {
            Issue.record("an event without words was filtered")
            return
        }
    }

    // MARK: Before a call is queued

    @Test func aRefusedCallTakesNoToken() throws {
        let rule = BusinessRule(
            name: "most", actions: [], condition: .atMost(parameter: "service", path: "/price", amount: 50), verdict: .deny)
        let policy = try PolicyWorld.policy(Policies(limits: RateLimits(toolPerMinute: ["book_service": 1]), rules: [rule]))
        let dear = PolicyWorld.result(.queue(PolicyWorld.decision(params: ["service": PolicyWorld.service(price: 80)])))
        for _ in 0..<3 {
            guard case .refused(let refusals) = policy.review(dear, tier: "verified") else {
                Issue.record("was not refused")
                return
            }
            #expect(refusals["book_service"]?.code == "rule:most" && refusals["book_service"]?.handsOver == false)
        }
        let cheap = PolicyWorld.result(.queue(PolicyWorld.decision(params: ["service": PolicyWorld.service(price: 20)])))
        guard case .passed(let warnings) = policy.review(cheap, tier: "verified") else {
            Issue.record("the token was gone")
            return
        }
        #expect(warnings.isEmpty)
        guard case .refused(let limited) = policy.review(cheap, tier: "verified") else {
            Issue.record("the second call of the minute got through")
            return
        }
        let refusal = try #require(limited["book_service"])
        #expect(refusal.code == "rate_limited:book_service" && refusal.retryAfter == .seconds(60))
        #expect(refusal.text.contains("Book a service") && refusal.text.contains("60 seconds"))
    }

    @Test func aTurnWithoutCallsIsNotCounted() throws {
        let policy = try PolicyWorld.policy(Policies(limits: RateLimits(toolPerMinute: ["book_service": 1])))
        for _ in 0..<5 {
            guard case .passed(let warnings) = policy.review(PolicyWorld.result(PolicyWorld.reply(.text("Hi"))), tier: "guest") else {
                Issue.record("was refused")
                return
            }
            #expect(warnings.isEmpty)
        }
    }

    @Test func aWarningBecomesAReplyWhereThereIsNone() throws {
        let rule = BusinessRule(name: "note", actions: [], condition: .tier("premium"), verdict: .warn, say: "Not refundable.")
        let policy = try PolicyWorld.policy(Policies(rules: [rule]))
        let result = PolicyWorld.result(.queue(PolicyWorld.decision()))
        guard case .passed(let warnings) = policy.review(result, tier: "verified") else {
            Issue.record("a warning refused")
            return
        }
        #expect(warnings == ["Not refundable."])
        let screened = policy.screened(result, warnings: warnings + warnings)
        #expect(screened.texts == ["Not refundable."], "each warning is said once")
        #expect(screened.effects.contains { if case .queue = $0 { true } else { false } })
    }

    // MARK: Before a reply is stored

    @Test func aDeniedReplyIsReplacedAndItsQuestionClosed() throws {
        let policy = try PolicyWorld.policy(Self.filtered)
        let prompt = ChoicePrompt(text: "Damn, which one?", options: [ChoicePrompt.Option(id: "1", title: "This")])
        let result = policy.screened(PolicyWorld.result(PolicyWorld.reply(.choices(prompt)), asking: true), warnings: [])
        #expect(result.texts == ["Please stay polite."])
        #expect(!result.state.expectingResponse && result.state.answerSheet == nil)
        #expect(result.handovers.isEmpty)
        let narratives = result.effects.compactMap { if case .reply(let reply) = $0 { reply.narrative } else { nil } }
        #expect(narratives.allSatisfy { !$0.primary.lowercased().contains("damn") && !$0.must.joined().lowercased().contains("damn") })
    }

    @Test func aWarnedReplyKeepsItsButtons() throws {
        let policy = try PolicyWorld.policy(Self.filtered)
        let prompt = ChoicePrompt(text: "Use 4111111111111111?", options: [ChoicePrompt.Option(id: "1", title: "Yes")])
        let result = policy.screened(PolicyWorld.result(PolicyWorld.reply(.choices(prompt)), asking: true), warnings: [])
        #expect(result.texts == ["Use 4111111111111111?\nNo card numbers, please.\n1. Yes"])
        #expect(result.state.expectingResponse)
    }

    @Test func aReplyForPeopleIsHeldBackAndHandedOverOnce() throws {
        let policy = try PolicyWorld.policy(Self.filtered)
        let twice = PolicyWorld.result(PolicyWorld.reply(.text("Ask your lawyer")), PolicyWorld.reply(.text("or a lawyer")))
        let result = policy.screened(twice, warnings: [])
        #expect(result.texts == ["A colleague takes over.", "A colleague takes over."])
        #expect(result.handovers.map(\.trigger) == [.policyViolation])
        let handed = PolicyWorld.result(
            .handover(HandoverRequest(trigger: .userRequest, summary: "")), PolicyWorld.reply(.text("our lawyer")))
        #expect(policy.screened(handed, warnings: []).handovers.map(\.trigger) == [.userRequest])
    }

    @Test func whatNoFilterSpeaksOfStaysAsItIs() throws {
        let policy = try PolicyWorld.policy(Self.filtered)
        let result = policy.screened(PolicyWorld.result(PolicyWorld.reply(.text("hello damn"))), warnings: [])
        #expect(result.texts == ["Please stay polite."], "the exemption stands below the refusal")
        #expect(policy.screened(PolicyWorld.result(PolicyWorld.reply(.text("Booked."))), warnings: []).texts == ["Booked."])
    }
}
