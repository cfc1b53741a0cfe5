import Conversation
import Testing

@testable import Brain

/// When failures, topics and giving back are for people.
struct FailureTests {
    @Test func oneFailureIsLookedIntoAndTheSecondInARowIsForAPerson() {
        var talk = Talk.executing()
        talk.finish(.notDone(reason: "503"))
        #expect(talk.handovers.map(\.trigger) == [.systemError])
        #expect(talk.state.failures?.inARow == 1)
        talk.say("lock my card", action: "lock_card")
        talk.finish(.unknown(reason: "time-out"))
        #expect(talk.handovers.map(\.trigger) == [.repeatedFailure])
        #expect(talk.handovers.first?.action == talk.lastDecision?.id)
        #expect(talk.text.contains("passing this on"))
        #expect(talk.state.failures == nil, "counted anew afterwards")
    }

    @Test func anActionThatWorksBreaksTheRowButTheSameActionFailingAgainDoesNotNeedOne() {
        var talk = Talk.executing()
        talk.finish(.notDone(reason: "503"))
        talk.say("lock my card", action: "lock_card")
        talk.finish(.done(complete: true))
        #expect(talk.state.failures?.inARow == 0)
        talk.say("unlock my card", action: "unlock_card")
        talk.finish(.notDone(reason: "503"))
        #expect(talk.handovers.map(\.trigger) == [.systemError], "not in a row, and another action")
        talk.say("lock my card", action: "lock_card")
        talk.finish(.done(complete: true))
        talk.say("unlock my card", action: "unlock_card")
        talk.finish(.notDone(reason: "503"))
        #expect(talk.handovers.map(\.trigger) == [.repeatedFailure], "the same one twice")
    }

    @Test func theBotSaysThatItIsBackAndWhatCameOfActionsInOneReply() {
        var talk = Talk.executing()
        let decision = talk.lastDecision
        talk.handBack(decision.map { [Talk.report($0, .done(complete: true), result: ["booking_id": "bk-9"])] } ?? [])
        #expect(talk.replies.count == 1)
        #expect(talk.text.contains("I'm back") && talk.text.contains("bk-9"), "\(talk.text)")
        #expect(talk.state.handBack == "agent: see you on Friday")
        #expect(talk.state.activeTask?.status == .completed)
    }

    @Test func aHandBackWithoutNewsClosesTheOpenQuestion() {
        var talk = Talk.atConfirmation()
        #expect(talk.state.expectingResponse)
        talk.handBack([], words: "handover.nobody")
        #expect(!talk.state.expectingResponse && talk.text.contains("nobody was free"))
    }

    @Test func aSensitiveTopicIsNotUnderstood() {
        var talk = Talk()
        talk.touch("book a haircut, my lawyer says")
        #expect(talk.handovers.map(\.trigger) == [.sensitiveTopic])
        #expect(talk.decisions.isEmpty && talk.state.activeTask == nil)
        #expect(talk.text.contains("passing this on"))
    }
}
