import Conversation
import TestKit
import Testing

@testable import Gateway
@testable import Storage

/// From the opening to the hand-back, without a ticket system.
@Suite(.serialized) struct HandoverTests {
    @Test func askingForAPersonOpensOneHandoverAndSaysSo() async throws {
        try await HandoverWorld.with { world in
            try await world.say("hello")
            try await world.say("person")
            try await world.settle()
            let handover = try await world.handover()
            #expect(handover.reason == .userRequest && handover.priority == .high && handover.channel == .queue)
            #expect(handover.state == .open && handover.mutes)
            #expect(handover.payload["last_message"] == "person")
            #expect(handover.payload["history"]?.array?.count ?? 0 >= 2)
            #expect(handover.payload["customer"]?["name"] == "Customer")
            #expect(try await world.told().last?.contains("passing this on to a colleague") == true)
            #expect(try await world.feed() == ["open"])
        }
    }

    @Test func theBotIsSilentAndEverythingIsForwarded() async throws {
        try await HandoverWorld.with { world in
            try await world.say("person")
            try await world.settle()
            let told = try await world.told().count
            let text = try await world.say("hello?")
            let button = try await world.write(.reply(InteractiveReply(kind: .button, id: "old", title: "Yes")))
            let picture = try await world.write(.media(Media(kind: .image, url: "https://media.invalid/1.jpg", caption: "look")))
            try await world.settle()
            for id in [text, button, picture] { #expect(try await world.outcome(id) == "forwarded") }
            #expect(try await world.told().count == told)
            let handover = try await world.handover()
            let entries = try await world.brand.read { try $0.entries(of: handover.id, limit: 50) }.map(\.entry)
            #expect(entries.map(\.text) == ["hello?", "Yes", "look"])
            #expect(entries.last?.attachments.map(\.url) == ["https://media.invalid/1.jpg"])
        }
    }

    @Test func aPersonsAnswerReachesTheCustomerAndTheEndIsToldOnce() async throws {
        try await HandoverWorld.with { world in
            try await world.say("person")
            try await world.settle()
            let id = try await world.handover().id
            guard case .done(let answered) = try await world.people.reply("Good day, how can I help?", to: id, brand: HandoverWorld.brand)
            else {
                Issue.record("the reply was refused")
                return
            }
            #expect(answered.answeredAt != nil)
            try await world.say("is my appointment safe?")
            try await world.settle()
            #expect(try await world.told().last == "Good day, how can I help?")
            guard case .done = try await world.people.close(id, summary: "moved to Friday", brand: HandoverWorld.brand) else {
                Issue.record("closing was refused")
                return
            }
            try await world.settle()
            #expect(try await world.told().filter { $0.contains("I'm back") }.count == 1)
            #expect(try await world.feed() == ["open", "closed"])
            let state = try await world.brand.read { [session = world.session] in try $0.state(of: session).state }
            #expect(state.handBack?.contains("moved to Friday") == true)
            #expect(state.handBack?.contains("is my appointment safe?") == true)
            let greeting = try await world.say("hello")
            try await world.settle()
            #expect(try await world.outcome(greeting) == "answered")
            guard case .alreadyClosed = try await world.people.close(id, summary: nil, brand: HandoverWorld.brand),
                case .alreadyClosed = try await world.people.reply("late", to: id, brand: HandoverWorld.brand),
                case .notFound = try await world.people.reply("x", to: id, brand: BrandID(rawValue: "jobs"))
            else {
                Issue.record("a closed handover, or another brand's, was changed")
                return
            }
        }
    }

    @Test func aSecondRequestIsANoteInTheOpenHandover() async throws {
        try await HandoverWorld.with(HandoverConfiguration(channel: .callback)) { world in
            try await world.say("person")
            try await world.say("person")
            try await world.settle()
            let handover = try await world.handover()
            #expect(try await !world.isMuted())
            #expect(try await world.feed().isEmpty)
            let entries = try await world.brand.read { try $0.entries(of: handover.id, limit: 50) }.map(\.entry)
            #expect(entries.count == 1 && entries.first?.isInternal == true)
        }
    }

    @Test func duringACallbackTheBotGoesOn() async throws {
        try await HandoverWorld.with(HandoverConfiguration(channel: .callback)) { world in
            try await world.say("person")
            let after = try await world.say("hello")
            try await world.settle()
            #expect(try await world.outcome(after) == "answered")
        }
    }

    @Test func aSensitiveTopicIsNotUnderstoodButHandedOver() async throws {
        try await HandoverWorld.with(HandoverConfiguration(sensitiveTopics: ["lawyer"])) { world in
            try await world.say("I will call my lawyer")
            try await world.settle()
            let handover = try await world.handover()
            #expect(handover.reason == .sensitiveTopic && handover.mutes)
            #expect(try await world.told().count == 1)
        }
    }

    @Test func anOptOutIsRecordedButNotAnsweredWhilePeopleHaveTheConversation() async throws {
        try await HandoverWorld.with { world in
            try await world.say("person")
            try await world.settle()
            let told = try await world.told().count
            let stop = try await world.say("STOP")
            try await world.settle()
            #expect(try await world.outcome(stop) == "forwarded")
            #expect(try await world.told().count == told)
            let state = try await world.brand.read { [session = world.session] in try $0.state(of: session).state }
            #expect(state.optedOutOfMarketing)
        }
    }

    @Test func theEndOfAnActionIsANoteAndIsToldAtTheHandBack() async throws {
        try await HandoverWorld.with { world in
            try await world.say("person")
            try await world.settle()
            let told = try await world.told().count
            try await world.brand.write { [user = world.user, session = world.session] transaction in
                let id = ActionID(transaction.newID())
                let decision = ActionDecision(
                    id: id, taskID: transaction.newID(), intentID: IntentID(transaction.newID()), canonicalAction: "book_service",
                    params: [:], method: "POST", target: "/bookings", body: [], idempotencyKey: [1], fingerprint: [2], priority: .normal)
                _ = try transaction.insertAction(decision, session: session, instance: HandoverWorld.instance.id, user: user)
                try transaction.setAction(id, .done, mayHaveTakenEffect: true, result: ["booking_id": "bk-7"])
                let lane = Lane(brand: HandoverWorld.brand, instance: HandoverWorld.instance.id, user: user)
                try transaction.enqueue(
                    NewTask(
                        id: QueueTaskID(transaction.newID()), lane: lane.key, pool: .turn, kind: TurnTask.toolResult,
                        payload: [
                            "session": .string(session.description), "action": .string(id.description),
                            "state": ["is": "done", "complete": true], "result": ["booking_id": "bk-7"], "body": .null,
                        ], runAt: transaction.now))
            }
            try await world.settle()
            #expect(try await world.told().count == told)
            let handover = try await world.handover()
            #expect(handover.results.count == 1)
            let entries = try await world.brand.read { try $0.entries(of: handover.id, limit: 50) }.map(\.entry)
            #expect(entries.contains { $0.isInternal && $0.text.contains("bk-7") })
            _ = try await world.people.close(handover.id, summary: nil, brand: HandoverWorld.brand)
            try await world.settle()
            let last = try #require(try await world.told().last)
            #expect(last.contains("I'm back") && last.contains("ook a service"), "\(last)")
            #expect(try await world.told().count == told + 1)
            #expect(try await world.handover().results.isEmpty)
        }
    }

    @Test func whenNobodyAnswersTheBotTakesTheConversationBackAndAnAnswerTakesItOverAgain() async throws {
        try await HandoverWorld.with(HandoverConfiguration(nobodyAvailable: .seconds(60))) { world in
            try await world.say("person")
            try await world.work { try await $0.told().count >= 2 }
            #expect(try await world.told().last?.contains("nobody was free") == true)
            #expect(try await world.handover().state == .open)
            let greeting = try await world.say("hello")
            try await world.settle()
            #expect(try await world.outcome(greeting) == "answered")
            _ = try await world.people.reply("Here I am.", to: try await world.handover().id, brand: HandoverWorld.brand)
            let muted = try await world.say("hello again")
            try await world.settle()
            #expect(try await world.outcome(muted) == "forwarded")
            #expect(try await world.feed() == ["open", "closed", "open"])
        }
    }

    @Test func aLiveTransferThatNobodyTakesBecomesATicket() async throws {
        let settings = DeskConfiguration(id: "front", kind: .webhook, baseURL: "http://desk.invalid")
        let handover = HandoverConfiguration(desk: settings, channel: .liveTransfer, nobodyAvailable: .seconds(30))
        try await HandoverWorld.with(handover) { world in
            try await world.say("person")
            try await world.work { world in try await world.handovers().first?.deskState == .open }
            #expect(try await world.handover().channel == .ticket)
            #expect(try await world.isMuted(), "people keep it")
            #expect(try await world.told().contains { $0.contains("passed your request on") })
            #expect(world.desk.drafts.count == 1)
        }
    }

    @Test func aPersonsAnswerEndsTheWait() async throws {
        try await HandoverWorld.with(HandoverConfiguration(nobodyAvailable: .seconds(60))) { world in
            try await world.say("person")
            try await world.settle()
            _ = try await world.people.reply("One moment.", to: try await world.handover().id, brand: HandoverWorld.brand)
            let start = world.clock.now
            try await world.work { $0.clock.now - start > .seconds(120) }
            #expect(try await world.isMuted())
            #expect(try await !world.told().contains { $0.contains("nobody was free") })
        }
    }

    @Test func aTurnThatIsGivenUpEndsWithPeople() async throws {
        try await HandoverWorld.with { world in
            let id = try await world.say("hello")
            // The content cannot be read back: no attempt can succeed.
            try await world.brand.write { [session = world.session] transaction in
                try transaction.setOutcome("", of: id, session: session, turn: nil)
                try transaction.clearOutcome(of: id, session: session)
                _ = try transaction.storeState("{\"turn\":\"broken\"}", of: session, version: 0)
            }
            try await world.work { try await $0.told().count == 1 }
            #expect(try await world.handover().reason == .systemError)
            #expect(try await world.outcome(id) == "dead_letter")
            #expect(try await world.isMuted())
        }
    }

    @Test func rowsThatCannotBeReadKeepNoHandoverFromBeginning() async throws {
        try await HandoverWorld.with { world in
            let id = try await world.say("hello")
            try await world.brand.write { [session = world.session, user = world.user] transaction in
                _ = try transaction.storeState("{\"turn\":\"broken\"}", of: session, version: 0)
                let decision = ActionDecision(
                    id: ActionID(transaction.newID()), taskID: transaction.newID(), intentID: IntentID(transaction.newID()),
                    canonicalAction: "book_service", params: [:], method: "POST", target: "/bookings", body: [], idempotencyKey: [1],
                    fingerprint: [2], priority: .normal)
                _ = try transaction.insertAction(decision, session: session, instance: HandoverWorld.instance.id, user: user)
                // What was tried cannot be told any more.
                try transaction.run(SQL("UPDATE actions SET params = 'broken' WHERE brand_id = $1"))
            }
            try await world.work { try await $0.told().count == 1 }
            #expect(try await world.handover().reason == .systemError)
            #expect(try await world.handover().payload["history"] == [])
            #expect(try await world.outcome(id) == "dead_letter")
        }
    }

    @Test func aRefusalIsNotSaidInAConversationThatPeopleTookMeanwhile() async throws {
        try await HandoverWorld.with { world in
            let id = try await world.say("hello")
            let snapshot = try await world.brand.read { [session = world.session] transaction in
                let task = QueueTask(
                    id: QueueTaskID(id.value), kind: TurnTask.message,
                    payload: ["message": .string(id.description), "session": .string(session.description)], priority: .normal, attempts: 1,
                    crashes: 0, createdAt: transaction.now, node: "test", wasInterrupted: false)
                return try TurnSnapshot.load(task, withHistory: false, in: transaction)
            }
            let loaded = try #require(snapshot)
            let brand = try #require(world.registry.brand(HandoverWorld.brand))
            let refusal = MessageRefusal(verdict: PolicyVerdict(result: .deny, rule: "filter:x", text: "no"), text: "no")
            await #expect(throws: StageError.self) {
                try await world.brand.write { transaction in
                    let opening = HandoverOpening(
                        brand: brand, channel: world.channel, session: loaded.session, user: loaded.user, state: loaded.state)
                    try opening.store(HandoverRequest(trigger: .userRequest, summary: ""), HandoverMaterial(), in: transaction)
                    try refusal.store(loaded, brand, world.channel, turn: transaction.newID(), in: transaction)
                }
            }
        }
    }
}
