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

    @Test func anAnswerWhoseCallWasLostIsFoundAndOneThatWasHeardIsNotRepeated() async throws {
        try await HandoverWorld.ticketed(callsUs: true) { world in
            try await open(world)
            #expect(try await world.happens(world.reply("I was heard", id: "e1"))?.accepted == 1)
            let lost = world.reply("I was lost", id: "e2")
            world.desk.state.withLock { $0.changes = [world.reply("I was heard", id: "e1"), lost] }
            world.clock.advance(by: .seconds(61))
            await world.watch.look()
            try await world.settle()
            let told = try await world.told()
            #expect(told.filter { $0 == "I was heard" }.count == 1 && told.filter { $0 == "I was lost" }.count == 1)
            #expect(try await world.happens(lost)?.duplicates == 1, "and the other way round")
        }
    }

    /// Also where the store's clock is not the node's, by minutes in either direction.
    @Test(arguments: [nil, Duration.seconds(300), .seconds(-300)])
    func whatIsHeardWhileADeskIsAskedIsNotUndoneByWhatWasRead(storeAhead: Duration?) async throws {
        try await HandoverWorld.ticketed(storeAhead: storeAhead) { world in
            try await open(world)
            world.desk.state.withLock {
                $0.changes = [world.event(.closed, id: "old")]
                $0.isHeld = true
            }
            world.clock.advance(by: .seconds(61))
            async let look: Void = world.watch.look()
            while world.desk.state.withLock({ $0.waits }) == 0 { await Task.yield() }
            world.clock.advance(by: .seconds(1))
            _ = try await world.happens(world.reply("I have it", id: "new"))
            world.desk.state.withLock { $0.isHeld = false }
            await look
            #expect(try await world.handover().state == .open)
        }
    }

    @Test func aSlowDeskDelaysNoOtherBrand() async throws {
        var rounds = LookRounds()
        let (slow, fast) = (BrandID(rawValue: "slow"), BrandID(rawValue: "fast"))
        let now = Timestamp(seconds: 1)
        let both = rounds.begin([slow, fast], now: now)
        let isShort = rounds.end(fast)
        let again = rounds.begin([slow, fast], now: now)
        #expect(both == [fast, slow] && !isShort && again == [fast], "the slow one is not asked twice at once")
        let many = (0..<200).map { BrandID(rawValue: "b\($0)") }
        let first = rounds.begin(many, now: now)
        #expect(first.count == LookRounds.most - 2)
        let isWaitedFor = rounds.end(first[0])
        #expect(isWaitedFor, "somebody waits for the place")
        let next = rounds.begin(many, now: now + .seconds(1))
        #expect(next.count == 1 && !first.contains(next[0]), "those who waited come first")
    }

    @Test func anOpeningWhoseEndNobodyKnowsSettlesBeforeTheNext() async throws {
        try await HandoverWorld.ticketed { world in
            world.desk.state.withLock {
                $0.losesAnswers = 1
                $0.hiddenFinds = 1
            }
            let start = world.clock.now
            try await open(world)
            #expect(world.desk.drafts.count == 1, "it was listed late, and found")
            #expect(world.clock.now - start >= .seconds(60))
            let handover = try await world.handover()
            #expect(handover.ticket?.id == "t-1" && handover.misses == 0 && handover.triedAt == nil)
        }
    }

    @Test func anOpeningThatCertainlyIsNotThereIsTriedAgain() async throws {
        try await HandoverWorld.ticketed { world in
            world.desk.state.withLock { $0.failures = [DeskError(.unknown, "500")] }
            let start = world.clock.now
            try await open(world)
            #expect(world.desk.drafts.count == 1 && world.desk.state.withLock { $0.finds } >= 2)
            #expect(world.clock.now - start >= .seconds(60))
        }
    }

    @Test func whatWaitedInTheQueueStandsInTheTicketInItsOrder() async throws {
        let settings = DeskConfiguration(id: "front", kind: .webhook, baseURL: "http://desk.invalid")
        let handover = HandoverConfiguration(desk: settings, channel: .liveTransfer, nobodyAvailable: .seconds(30))
        try await HandoverWorld.with(handover) { world in
            try await world.say("person")
            try await world.settle()
            try await world.say("first")
            try await world.settle()
            try await world.work { world in try await world.handovers().first?.deskState == .open }
            try await world.settle()
            let texts = world.desk.entries.map(\.text)
            #expect(texts.first == "first" && texts.count == 2 && texts.last?.hasPrefix("Nobody took") == true, "\(texts)")
        }
    }

    @Test func anAnswerInATicketThatWasGivenUpBringsWhatStayedWithUs() async throws {
        try await HandoverWorld.ticketed { world in
            world.desk.state.withLock { $0.failures = [DeskError(.refused, "422")] }
            try await open(world)
            try await world.say("still there?")
            try await world.settle()
            var event = world.reply("Good day", ticket: "t-7")
            event.reference = try await world.handover().id
            #expect(try await world.happens(event)?.accepted == 1)
            try await world.settle()
            #expect(world.desk.entries.map(\.text) == ["still there?"])
        }
    }

    @Test func whatStillWaitsForItsTurnIsNoHistory() async throws {
        try await HandoverWorld.ticketed { world in
            try await world.say("person")
            try await world.say("one")
            try await world.say("two")
            try await world.settle()
            let draft = try #require(world.desk.drafts.first)
            #expect(draft.history.filter { $0.author == .customer }.map(\.text) == ["person"])
            #expect(world.desk.entries.map(\.text) == ["one", "two"])
        }
    }

    @Test func nothingIsKeptFromThePeople() async throws {
        try await HandoverWorld.ticketed { world in
            try await open(world)
            for number in 0..<50 { try await world.say("message \(number)") }
            try await world.settle()
            #expect(world.desk.entries.map(\.text) == (0..<50).map { "message \($0)" })
        }
    }
}
