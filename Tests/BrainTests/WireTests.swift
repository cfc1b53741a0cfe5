import Brain
import Conversation
import Foundation
import Testing

@Suite struct WireTests {
    @Test func theEightWiresHaveTheirNames() throws {
        var talk = Talk.atConfirmation()
        talk.state.sessionSummary = "Wants a haircut."
        let json = Wires(state: talk.state, popularActions: talk.brain.popularActions).json
        let wires = try #require(json.object)
        #expect(
            Set(wires.keys) == [
                "expecting_response", "answer_sheet", "active_task", "previous_intents", "available_signals", "conversation_context",
                "popular_actions", "session_summary",
            ])
        #expect(wires["expecting_response"] == true)
        #expect(wires["answer_sheet"]?["type"] == "confirmation")
        #expect(wires["answer_sheet"]?["context"] == "book_service.confirm?")
        #expect(wires["active_task"]?["canonical_action"] == "book_service")
        #expect(wires["active_task"]?["status"] == "ready_to_execute")
        #expect(wires["active_task"]?["params_collected"]?["service"] == "s1")
        #expect(wires["active_task"]?["params_missing"] == [])
        #expect(wires["active_task"]?["action_type"] == "BRAND_API")
        #expect(wires["previous_intents"]?.at(pointer: "/0/canonical_action") == "book_service")
        #expect(wires["available_signals"]?.array?.contains("yes") == true)
        #expect(wires["conversation_context"]?["pending_confirmation"] == true)
        #expect(wires["conversation_context"]?["awaiting"] == "confirm")
        #expect(wires["conversation_context"]?["domain"] == "booking")
        #expect(wires["conversation_context"]?["user_state"] == "acting")
        #expect(wires["popular_actions"]?.array?.count == 3)
        #expect(wires["session_summary"] == "Wants a haircut.")
    }

    @Test func anEmptyStateHasAllWiresToo() {
        let json = Wires(state: ConversationState(), popularActions: []).json
        #expect(json.object?.count == 8)
        #expect(json["active_task"] == .null)
        #expect(json["answer_sheet"] == .null)
    }

    @Test func onlyTheLastFiveIntentsAreKept() {
        var talk = Talk()
        for _ in 0..<4 { talk.say("my bookings", action: "list_bookings") }
        for _ in 0..<3 { talk.mumble("florp") }
        #expect(talk.state.previousIntents.count == 5)
        #expect(talk.state.previousIntents.last?.intentType == .unknown)
        #expect(talk.state.turn == 7)
        #expect(talk.state.previousIntents.last?.turn == 7)
    }

    @Test func theStateSurvivesItsJSON() throws {
        var talk = Talk.atConfirmation()
        talk.say("change my profile", action: "update_profile")
        talk.script["x"] = ["start": Salon.start(.ambiguous([ChoiceOption(id: "a", label: "A")]), partial: ["date": "2026-11-24"])]
        talk.say("x", action: "book_service")
        let data = try JSONEncoder().encode(talk.state)
        #expect(try JSONDecoder().decode(ConversationState.self, from: data) == talk.state)
    }

    @Test func theSameInputAndIdsGiveTheSameDecision() {
        func run() -> (ConversationState, [String]) {
            var talk = Talk.executing()
            talk.finish(.refused(status: 422, detail: "taken"))
            talk.reply("tuesday at 5", "value")
            return (talk.state, talk.replies.map(\.content.plainText) + talk.ledger.map { "\($0.id) \($0.status)" })
        }
        let first = run()
        let second = run()
        #expect(first.0 == second.0)
        #expect(first.1 == second.1)
    }

    @Test func anUnconfirmedGuessIsNeverRunBecauseSomethingElseEnded() {
        var talk = Talk()
        talk.say("lok my card", action: "lok_card")
        talk.say("what did I book?", action: "list_bookings")
        talk.finish(.done(complete: true), body: ["bookings": []])
        #expect(talk.decisions.isEmpty)
        #expect(talk.text.contains("Did you mean \"Lock my card\"?"))
    }

    @Test func anUndoThatWasOnlyOfferedIsNeverRunBecauseSomethingElseEnded() {
        var talk = Talk.executing()
        talk.open[0].state = .executing
        talk.reply("stop", "stop")
        talk.finish(.done(complete: true), result: ["booking_id": 42])
        talk.say("what did I book?", action: "list_bookings")
        talk.finish(.done(complete: true), body: ["bookings": []])
        #expect(talk.decisions.isEmpty)
        #expect(talk.text.contains("Would you like me to undo it"))
    }

    @Test func aLateCorrectionSupersedesOnlyWhatIsNotSent() {
        for state in [OpenAction.State.queued, .executing] {
            var talk = Talk.executing()
            let first = talk.lastDecision
            talk.open[0].state = state
            talk.reply("no, make it 6pm", "correct")
            let isUnsent = state == .queued
            #expect(talk.cancelled.isEmpty != isUnsent)
            #expect(talk.text.contains("6:00 PM?") == isUnsent)
            guard isUnsent else { continue }
            talk.press("Yes")
            #expect(talk.decisions.count == 1)
            #expect(talk.decisions.first?.taskID != first?.taskID)
        }
    }

    /// Whatever is said in whatever order: one reply at most, one call per yes, and a state that can be stored.
    @Test func noOrderOfMessagesMakesASecondCallOrALostState() throws {
        for seed in 0..<150 as Range<UInt64> {
            var random = seed &* 0x9E37_79B9_7F4A_7C15 | 1
            func next(_ count: UInt64) -> UInt64 {
                random ^= random << 13
                random ^= random >> 7
                random ^= random << 17
                return random % count
            }
            var talk = Talk()
            var keys: Set<[UInt8]> = []
            for _ in 0..<25 {
                let step = next(14)
                switch step {
                case 0: talk.say("book a haircut on tuesday at 5", action: "book_service")
                case 1: talk.say("book a haircut", action: "book_service")
                case 2: talk.press("Yes")
                case 3: talk.press("No")
                case 4: talk.reply("stop", "stop")
                case 5: talk.mumble("florp")
                case 6: talk.say("my bookings", action: "list_bookings")
                case 7: talk.say("cancel it", action: "cancel_booking")
                case 8: talk.finish(.done(complete: true), result: ["booking_id": 42], body: Salon.oneBooking)
                case 9: talk.finish(.refused(status: 422, detail: "taken"))
                case 10: talk.finish(.unknown(reason: "reset"))
                case 11: talk.reply("no, make it 6pm", "correct")
                case 12: talk.say("lok my card", action: "lok_card")
                default:
                    if !talk.open.isEmpty { talk.open[0].state = [.executing, .waiting, .queued][Int(next(3))] }
                    if let id = talk.open.first?.id { talk.run(.inlineWait(id)) }
                }
                #expect(talk.replies.count <= 1)
                #expect(talk.replies.allSatisfy { !$0.content.plainText.isEmpty && !$0.content.plainText.contains("{") })
                let writes = talk.decisions.filter { $0.method != "GET" }
                // Every write here needs a yes of its own.
                #expect(writes.count <= (step == 2 ? 1 : 0))
                for decision in talk.decisions { #expect(keys.insert(decision.idempotencyKey).inserted) }
                #expect(talk.state.expectingResponse == (talk.state.answerSheet != nil))
                if let task = talk.state.activeTask, talk.state.expectingResponse { #expect(task.status != .executing) }
                #expect(Set(talk.state.pausedTasks.map(\.taskID)).count == talk.state.pausedTasks.count)
            }
            let data = try JSONEncoder().encode(talk.state)
            #expect(try JSONDecoder().decode(ConversationState.self, from: data) == talk.state)
        }
    }
}
