import Conversation
import Storage
import Synchronization
import TestKit
import Testing

@testable import Gateway

/// What people, and programs, do in the ticket system.
@Suite(.serialized) struct HandoverEventTests {
    private func opened(_ body: @escaping (HandoverWorld) async throws -> Void) async throws {
        try await HandoverWorld.ticketed { world in
            try await world.say("person")
            try await world.settle()
            try await body(world)
        }
    }

    @Test func anAnswerIsSentOnceHoweverOftenItIsTold() async throws {
        try await opened { world in
            let first = try await world.happens(world.reply("Good day"))
            let again = try await world.happens(world.reply("Good day"))
            #expect(first?.accepted == 1 && again?.accepted == 0 && again?.duplicates == 1)
            try await world.settle()
            #expect(try await world.told().filter { $0 == "Good day" }.count == 1)
            let handover = try await world.handover()
            #expect(handover.answeredBy == "front desk")
            let sent = try await world.brand.read { [session = world.session] in
                try $0.messages(session: session, after: nil, limit: 50).last { !$0.isInbound }
            }
            #expect(sent?.context?["author"] == "agent")
        }
    }

    @Test func unprovenAndForeignCallsChangeNothing() async throws {
        try await opened { world in
            await #expect(throws: DeskError.self) { try await world.happens(world.reply("Good day"), proof: "bad") }
            let foreign = try await world.happens(world.reply("Good day", ticket: "t-99"))
            #expect(foreign?.ignored == 1 && foreign?.accepted == 0)
            let unknown = ChannelRequest(parameters: [:], query: [:], headers: { _ in [] })
            #expect(try await world.inbox.receive(unknown, desk: "elsewhere") == nil)
            try await world.settle()
            #expect(try await !world.told().contains("Good day"))
        }
    }

    @Test func anAnswerThatIsFasterThanOurNoteOfTheTicketComesAgain() async throws {
        try await HandoverWorld.ticketed { world in
            world.desk.state.withLock { $0.outage = DeskError(.unknown, "no answer") }
            try await world.say("person")
            try await world.work { try await $0.handovers().count == 1 }
            await #expect(throws: DeskError.self) { try await world.happens(world.reply("Good day")) }
            var event = world.reply("Good day", ticket: "t-7")
            event.reference = try await world.handover().id
            #expect(try await world.happens(event)?.accepted == 1, "our reference is enough")
            #expect(try await world.handover().ticket?.id == "t-7")
        }
    }

    @Test func aForeignReferenceAdoptsNothing() async throws {
        try await opened { world in
            var event = world.reply("Good day", ticket: "t-99")
            event.reference = try await world.handover().id
            #expect(try await world.happens(event)?.ignored == 1)
            #expect(try await world.handover().ticket?.id == "t-1")
        }
    }

    @Test func closingInTheDeskGivesTheConversationBack() async throws {
        try await opened { world in
            _ = try await world.happens(world.reply("All sorted."), world.event(.closed, id: "e2"))
            try await world.settle()
            #expect(try await world.handover().state == .closed)
            #expect(try await world.told().suffix(2).first == "All sorted.")
            #expect(try await world.told().last?.contains("I'm back") == true)
            let late = try await world.happens(world.reply("One more thing", id: "e3"))
            #expect(late?.ignored == 1)
            try await world.settle()
            #expect(try await !world.told().contains("One more thing"))
            let id = try await world.handover().id
            let events = try await world.brand.read { try $0.events(of: id, limit: 10) }
            #expect(events.last?.outcome == "ignored:closed" && events.last?.text == "One more thing")
            #expect(world.desk.state.withLock { $0.closed }.isEmpty, "the desk knows already")
        }
    }

    @Test func reopeningMutesAgainUnlessANewerHandoverIsOpen() async throws {
        try await opened { world in
            _ = try await world.happens(world.event(.closed, id: "e1"))
            try await world.settle()
            #expect(try await world.happens(world.event(.reopened, id: "e2"))?.accepted == 1)
            #expect(try await world.isMuted())
            try await world.settle()
            #expect(try await world.feed() == ["open", "closed", "open"])
            _ = try await world.happens(world.event(.closed, id: "e3"))
            try await world.settle()
            try await world.say("person")
            try await world.settle()
            #expect(try await world.handovers().count == 2)
            #expect(try await world.happens(world.event(.reopened, id: "e4"))?.ignored == 1)
        }
    }

    @Test func aCustomerWhoComesBackGetsANewTicket() async throws {
        try await opened { world in
            _ = try await world.happens(world.event(.closed, id: "e1"))
            try await world.settle()
            try await world.say("person")
            try await world.settle()
            #expect(world.desk.drafts.count == 2 && Set(world.desk.drafts.map(\.reference)).count == 2)
        }
    }

    @Test func programsAreNotPassedOnBeyondTheirFirstWord() async throws {
        try await opened { world in
            _ = try await world.happens(world.reply("We got your message.", id: "a1", automatic: true))
            let second = try await world.happens(world.reply("We got it again.", id: "a2", automatic: true))
            #expect(second?.ignored == 1)
            try await world.settle()
            #expect(try await world.told().contains("We got your message."))
            #expect(try await !world.told().contains("We got it again."))
            #expect(try await world.handover().answeredAt == nil, "a program is nobody who answers")
        }
    }

    @Test func elevenAnswersInAMinuteAreALoop() async throws {
        try await opened { world in
            for number in 1...12 { _ = try await world.happens(world.reply("answer number \(number)", id: "e\(number)")) }
            try await world.settle()
            #expect(try await world.told().filter { $0.hasPrefix("answer number") }.count == 10)
            #expect(try await world.handover().loopedAt != nil)
            #expect(try await world.happens(world.event(.closed, id: "end"))?.accepted == 1, "it can still be ended")
        }
    }

    @Test func ourOwnWordsNeverComeBack() async throws {
        try await opened { world in
            try await world.say("I would like to move my appointment")
            try await world.settle()
            let echo = try await world.happens(world.reply("I would like to  move my appointment"))
            #expect(echo?.ignored == 1)
            #expect(try await world.handover().loopedAt != nil)
            try await world.settle()
            #expect(try await !world.told().contains { $0.contains("move my appointment") })
        }
    }

    @Test func anAnswerThatIsTooLateForTheWindowIsNotedInTheTicket() async throws {
        try await opened { world in
            world.channel.refuse(ChannelError(code: "window", message: "the window is closed", reaction: .askForTemplate))
            _ = try await world.happens(world.reply("Good day"))
            try await world.settle()
            #expect(try await !world.told().contains("Good day"))
            #expect(world.desk.entries.last?.isInternal == true)
            #expect(world.desk.entries.last?.text.contains("the window is closed") == true)
        }
    }

    @Test func anAnswersAttachmentsAreLinksOfTheWebOnly() async throws {
        try await opened { world in
            let files = [
                TicketAttachment(url: "https://desk.invalid/a.pdf", name: "a.pdf"), TicketAttachment(url: "javascript:alert(1)", name: "x"),
            ]
            let event = DeskEvent(id: "e1", ticket: "t-1", kind: .reply(text: "See here", attachments: files), at: world.clock.now)
            _ = try await world.happens(event)
            try await world.settle()
            #expect(try await world.told().last == "See here\na.pdf: https://desk.invalid/a.pdf")
        }
    }

    @Test func aCallThatOnlySaysThatSomethingHappenedLeadsToALook() async throws {
        try await opened { world in
            let call = world.event(.changed, id: "changed")
            #expect(try await world.happens(call)?.accepted == 1)
            #expect(try await world.happens(call)?.accepted == 1, "nothing of it is kept")
            world.desk.state.withLock { $0.changes = [world.reply("Good day")] }
            await world.watch.look()
            try await world.settle()
            #expect(try await world.told().filter { $0 == "Good day" }.count == 1)
            let id = try await world.handover().id
            #expect(try await world.brand.read { try $0.events(of: id, limit: 10) }.map(\.kind) == ["reply"])
        }
    }

    @Test func whatHappensWhileTheInstanceIsStoppedComesAgain() async throws {
        try await opened { world in
            try world.runs(instances: [])
            do {
                _ = try await world.happens(world.reply("Good day"))
                Issue.record("an answer that nobody could send was taken")
            } catch let error as DeskError {
                #expect(error.outcome == .notDone)
            }
            world.clock.advance(by: .seconds(61))
            await world.watch.look()
            #expect(try await world.handover().cursor == nil, "the look moved nothing")
            try world.runs(instances: [HandoverWorld.instance])
            #expect(try await world.happens(world.reply("Good day"))?.accepted == 1)
            try await world.settle()
            #expect(try await world.told().filter { $0 == "Good day" }.count == 1)
        }
    }
}
