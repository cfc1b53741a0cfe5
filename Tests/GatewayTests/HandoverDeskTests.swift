import Conversation
import Storage
import Synchronization
import TestKit
import Testing

@testable import Gateway

/// With a ticket system: one ticket whatever happens, and nothing lost while it is away.
@Suite(.serialized) struct HandoverDeskTests {
    private func open(_ world: HandoverWorld) async throws {
        try await world.say("person")
        try await world.settle()
    }

    @Test func oneTicketWithTheHistoryAndTheNextMessagesAsEntries() async throws {
        try await HandoverWorld.ticketed { world in
            try await world.say("hello")
            try await world.settle()
            try await open(world)
            let draft = try #require(world.desk.drafts.first)
            let id = try await world.handover().id
            #expect(draft.reference == id && draft.priority == .high && draft.reason == .userRequest)
            #expect(draft.history.map(\.text).contains("hello") && draft.history.last?.text == "person")
            #expect(draft.summary.contains("the customer asks for a person") && draft.payload["flow_state"] != nil)
            try await world.say("one")
            try await world.say("two")
            try await world.settle()
            #expect(world.desk.entries.map(\.text) == ["one", "two"])
            #expect(world.desk.entries.allSatisfy { $0.author == .customer && !$0.isInternal })
            #expect(try await world.handover().ticket?.id == "t-1")
        }
    }

    @Test func anOpeningWhoseAnswerWasLostIsFoundAgainAndNotRepeated() async throws {
        try await HandoverWorld.ticketed { world in
            world.desk.state.withLock { $0.losesAnswers = 1 }
            try await open(world)
            #expect(world.desk.drafts.count == 1)
            #expect(world.desk.state.withLock { $0.finds } == 1)
            #expect(try await world.handover().ticket?.id == "t-1")
        }
    }

    @Test func aDeskThatIsAwayForTenMinutesLosesNothingAndTheCustomerIsToldOnce() async throws {
        try await HandoverWorld.ticketed { world in
            world.desk.state.withLock { $0.outage = DeskError(.notDone, "connection refused") }
            try await world.say("person")
            let start = world.clock.now
            try await world.work { $0.clock.now - start > .seconds(10) }
            let waiting = try await world.say("are you there?")
            try await world.work(step: .seconds(5)) { $0.clock.now - start > .seconds(600) }
            #expect(try await world.outcome(waiting) == "forwarded")
            #expect(try await world.isMuted())
            #expect(try await world.told().filter { $0.contains("can't reach our team") }.count == 1)
            let letters = try await world.brand.read { try $0.deadLetters(after: nil, limit: 10) }
            #expect(letters.isEmpty)
            world.desk.state.withLock { $0.outage = nil }
            try await world.settle()
            #expect(world.desk.drafts.count == 1 && world.desk.entries.map(\.text) == ["are you there?"])
            #expect(try await world.handover().unreachableAt == nil)
        }
    }

    @Test func aDeskThatAsksForPatienceIsGivenIt() async throws {
        try await HandoverWorld.ticketed { world in
            world.desk.state.withLock { $0.failures = [DeskError(.notDone, "429", retryAfter: .seconds(90))] }
            let start = world.clock.now
            try await open(world)
            #expect(world.clock.now - start >= .seconds(90))
            #expect(world.desk.drafts.count == 1)
        }
    }

    @Test func aRefusedTicketIsADeadLetterThatCanBeDrivenAgain() async throws {
        try await HandoverWorld.ticketed { world in
            world.desk.state.withLock { $0.failures = [DeskError(.refused, "422 no such group")] }
            try await open(world)
            let letters = try await world.brand.read { try $0.deadLetters(after: nil, limit: 10) }
            #expect(letters.map(\.kind) == ["handover"])
            try await world.say("still there?")
            try await world.settle()
            #expect(try await world.isMuted(), "people answer over the API meanwhile")
            let letter = try #require(letters.first)
            let desk = DeadLetterDesk(store: world.store, registry: world.registry)
            #expect(try await desk.redrive(letter.id, brand: HandoverWorld.brand) == .done)
            try await world.settle()
            #expect(world.desk.state.withLock { $0.finds } == 1, "looked for before it is opened again")
            #expect(world.desk.drafts.count == 1 && world.desk.entries.map(\.text) == ["still there?"])
        }
    }

    @Test func closingOverTheAPIClosesTheTicket() async throws {
        try await HandoverWorld.ticketed { world in
            try await open(world)
            _ = try await world.people.close(try await world.handover().id, summary: "done", brand: HandoverWorld.brand)
            try await world.settle()
            #expect(world.desk.state.withLock { $0.closed } == ["t-1"])
            #expect(world.desk.entries.last?.text == "done" && world.desk.entries.last?.isInternal == true)
        }
    }

    @Test func deskThatCannotCallUsIsAskedAndTheCursorIsKept() async throws {
        try await HandoverWorld.ticketed(callsUs: false) { world in
            try await open(world)
            world.desk.state.withLock { $0.changes = [world.reply("Good day")] }
            await world.watch.look()
            #expect(try await !world.told().contains("Good day"), "not before its time")
            world.clock.advance(by: .seconds(16))
            await world.watch.look()
            #expect(try await world.handover().cursor == "1")
            world.clock.advance(by: .seconds(16))
            await world.watch.look()
            try await world.settle()
            #expect(try await world.told().filter { $0 == "Good day" }.count == 1)
            world.desk.state.withLock { $0.outage = DeskError(.notDone, "down") }
            world.clock.advance(by: .seconds(16))
            await world.watch.look()
            let waiting = try #require(try await world.handover().pollAt)
            #expect(waiting - world.clock.now >= .seconds(30), "less often while it fails")
            #expect(try await world.handover().cursor == "1")
        }
    }
}
