import Conversation
import Foundation
import JSON
import Testing

/// Conversations over the web channel as a page holds them: plain HTTP and one stream of events.
@Suite(.serialized) struct WebTests {
    private static let quickly: [(file: String, from: String, to: String)] = [
        ("brands/salon/brand.yaml", "    opens_per_minute: 6000", "    messages_per_minute: 6000\n    opens_per_minute: 6000")
    ]

    @Test func aGuestBooksAndSeesEveryUpdateAndMessageOnceAndInOrder() async throws {
        try await Rig.withPages { pages in
            try await Rig.with { rig in
                let guest = try await rig.guest(["locale": "en-US", "time_zone": "America/New_York"])
                let page = try await rig.liveStream(guest, pages)
                #expect(page.head.lowercased().contains("content-type: text/event-stream"))
                let id = try await Self.book(rig, guest, page, hour: "3pm")
                try await Self.expectAll(rig, guest, page)
                #expect(try await rig.bookings().compactMap { $0["id"]?.string } == [id])
                #expect(page.numbered.contains { $0.kind == "update" })

                // A stream that is opened after the fact and told the beginning gives the same, byte by byte.
                let whole = try await rig.stream(guest, pages, after: 0)
                try await eventually("the whole conversation comes again") { whole.last == page.last }
                #expect(whole.numbered == page.numbered)
                #expect(await rig.stopGateway() == 0)
            }
        }
    }

    @Test func aCutStreamGoesOnWithExactlyTheRest() async throws {
        try await Rig.withPages { pages in
            try await Rig.with(.init(edits: Self.quickly)) { rig in
                let guest = try await rig.guest()
                let first = try await rig.liveStream(guest, pages)
                try await rig.write("when are you open", guest)
                try await eventually("an answer comes") { first.events.contains { $0.reply != nil } }
                first.leave()
                try await eventually("the stream is cut") { first.isClosed }
                let seen = try #require(first.last)
                for text in ["what services do you offer", "when are you open", "list my bookings"] { try await rig.write(text, guest) }
                try await rig.drain()

                for point in [seen, 1, 0] {
                    let rest = try await rig.stream(guest, pages, after: point)
                    let newest = try await Self.newest(rig, guest)
                    try await eventually("the rest after \(point) comes") { rest.last == newest }
                    rest.expectGapless(from: point + 1)
                    #expect(rest.events.allSatisfy { $0.kind != "reset" && $0.kind != "hello" })
                    rest.leave()
                }
                // The two halves are the conversation: what was seen before the cut, and the rest.
                let rest = try await rig.stream(guest, pages, after: seen)
                try await eventually("the rest comes") { try await rest.last == Self.newest(rig, guest) }
                let written = (first.numbered + rest.numbered).filter { $0.kind == "message" }.compactMap { $0.json["id"]?.string }
                #expect(try await written == rig.history(guest).compactMap { $0["id"]?.string })
            }
        }
    }

    @Test func aReaderWhoMissedMoreThanIsKeptIsToldToLoadAnew() async throws {
        try await Rig.withPages { pages in
            try await Rig.with { rig in
                let guest = try await rig.guest()
                for text in ["when are you open", "what services do you offer"] { try await rig.write(text, guest) }
                try await rig.drain()
                #expect(await rig.stopGateway() == 0)
                try await rig.change("DELETE FROM feed WHERE seq <= 4")
                try await rig.startGateway()
                let newest = try await Self.newest(rig, guest)
                try #require(newest > 5)
                for (point, isKept) in [(Int64(0), false), (3, false), (4, true), (newest, true), (newest + 1, false), (.max, false)] {
                    let page = try await rig.stream(guest, pages, after: point)
                    if isKept {
                        try await eventually("the rest after \(point) comes") { page.last == newest || point == newest }
                        page.expectGapless(from: point + 1)
                        #expect(!page.events.contains { $0.kind == "reset" })
                    } else {
                        try await eventually("a reset for \(point)") { page.events.first?.kind == "reset" }
                        #expect(page.events.first?.id == newest && page.events.first?.json["newest"] == .integer(newest))
                    }
                    page.leave()
                }
                // After a reset the stream goes on live.
                let page = try await rig.stream(guest, pages, after: 0)
                try await rig.write("thank you", guest)
                try await eventually("what is new comes") { page.events.contains { $0.reply != nil } }
                page.expectGapless(from: newest + 1)
            }
        }
    }

    @Test func aReloadedPageFindsItsConversationAgain() async throws {
        try await Rig.with { rig in
            let guest = try await rig.guest()
            for text in ["when are you open", "what services do you offer"] { try await rig.write(text, guest) }
            try await rig.drain()
            let before = try await rig.history(guest)
            #expect(before.filter { $0["direction"] == "in" }.count == 2 && before.count >= 4)
            try await rig.restartGateway()

            let back = try await rig.guest(["resume_secret": .string(try #require(guest.secret))])
            #expect(back.user == guest.user && back.session == guest.session && back.token != guest.token)
            #expect(try await rig.history(back) == before)
            let second = try #require(before.dropFirst().first?["id"]?.string)
            #expect(try await rig.history(back, query: "?after=\(second)") == Array(before.dropFirst(2)))
            #expect(try await rig.history(back, query: "?limit=1") == Array(before.suffix(1)))
            // The token of the page before the reload is good until it expires.
            #expect(try await rig.history(guest) == before)
        }
    }

    @Test func aMessageSentAHundredTimesIsOneMessageAndOneTurn() async throws {
        try await Rig.withPages { pages in
            try await Rig.with(.init(edits: Self.quickly)) { rig in
                let guest = try await rig.guest()
                let page = try await rig.liveStream(guest, pages)
                let body: JSONValue = ["request_id": "the-same-one", "text": "when are you open"]
                var answers: [Answer] = []
                for _ in 0..<2 {
                    answers += try await withThrowingTaskGroup(of: Answer.self) { group in
                        for _ in 0..<50 { group.addTask { try await rig.post(body, guest) } }
                        return try await group.reduce(into: []) { $0.append($1) }
                    }
                }
                #expect(answers.count == 100 && answers.allSatisfy { $0.status == 202 })
                #expect(Set(answers.map { $0.json["message_id"]?.string }).count == 1)
                #expect(answers.count { $0.json["duplicate"] == false } == 1)
                try await rig.drain()
                let history = try await rig.history(guest)
                #expect(history.map { $0["direction"] } == ["in", "out"])
                try await eventually("the page has it all") { page.numbered.count { $0.kind == "message" } == 2 }
                page.expectGapless()

                // The same id of another guest is another message.
                let other = try await rig.guest()
                #expect(try await rig.post(body, other).json["duplicate"] == false)
            }
        }
    }

    @Test func aTypedNumberOfSomebodyElseShowsNothingOfTheirs() async throws {
        try await Rig.withPages { pages in
            try await Rig.with(.init(edits: Self.quickly)) { rig in
                let phone = "12125550199"
                _ = try await rig.ask("book a haircut on Wednesday at 10am", from: phone)
                let told = try await rig.ask("yes", from: phone)
                let theirs = try #require(try await rig.bookings().first?["id"]?.string)
                #expect(told.contains(theirs))

                let guest = try await rig.guest()
                let page = try await rig.liveStream(guest, pages)
                let own = try await Self.book(rig, guest, page, hour: "11am", phone: "+1 212 555 0199")
                #expect(own != theirs)
                let seen = page.events.count
                for text in ["my number is +12125550199", "list my bookings", "cancel booking \(theirs)"] {
                    try await rig.write(text, guest)
                    try await rig.drain()
                }
                try await eventually("all is told") { try await page.last == Self.newest(rig, guest) }
                #expect(page.events.dropFirst(seen).contains { $0.reply != nil })
                // Said back as words of the guest's own it may be, in the guest's own message; never as something that is known.
                let leaked = page.events.filter { $0.json["direction"] != "in" && $0.data.contains(theirs) }
                #expect(leaked == [])
                let bookings = try await rig.bookings()
                #expect(bookings.first { $0["id"]?.string == theirs }?["status"] != "cancelled")
                #expect(Set(bookings.compactMap { $0["customer"]?.string }).count == 2)
                let users = try await rig.get("\(rig.gatewayURL)/v1/sessions/\(guest.session)", key: rig.adminKey("salon")).json["user"]
                #expect(users?["verified"] == false)
            }
        }
    }

    @Test func aReplyWithTheIdOfAStrangersButtonChoosesNothing() async throws {
        try await Rig.withPages { pages in
            try await Rig.with(.init(edits: Self.quickly)) { rig in
                let (victim, stranger) = (try await rig.guest(), try await rig.guest())
                let (page, other) = (try await rig.liveStream(victim, pages), try await rig.liveStream(stranger, pages))
                let yes = try await Self.order(rig, victim, page, hour: "2pm")
                try await rig.write("when are you open", stranger)
                for id in [yes, "", "x", String(repeating: "y", count: 256)] where !id.isEmpty { try await rig.press(id, stranger) }
                try await rig.drain()
                #expect(try await rig.bookings().isEmpty)
                try await eventually("the stranger has an answer") { other.events.contains { $0.reply != nil } }
                #expect(!other.events.contains { $0.data.contains("Haircut on") })
                try await rig.press(yes, victim)
                try await page.reply(with: "booking number is")
                #expect(try await rig.bookings().count == 1)
            }
        }
    }

    // MARK: Talk

    /// A whole booking over buttons and words; its number.
    static func book(
        _ rig: Rig, _ guest: Guest, _ page: EventPage, hour: String, phone: String = "+1 212 555 0142"
    ) async throws -> String {
        let yes = try await order(rig, guest, page, hour: hour, phone: phone)
        try await rig.press(yes, guest)
        let told = try await page.reply(with: "booking number is").reply ?? ""
        return try #require(told.firstMatch(of: /bk-[0-9]+/).map { String($0.0) }, "\(told)")
    }

    /// Up to the question whether to book; the id of its "Yes".
    private static func order(
        _ rig: Rig, _ guest: Guest, _ page: EventPage, hour: String, phone: String = "+1 212 555 0142"
    ) async throws -> String {
        try await rig.write("book a haircut on Wednesday at \(hour)", guest)
        try await page.reply(with: "Which phone number")
        try await rig.write(phone, guest)
        let question = try await page.reply(with: "Book Haircut on")
        let options = question.json["content"]?["options"]?.array ?? []
        return try #require(options.first { $0["title"] == "Yes" }?["id"]?.string, "\(question.data)")
    }

    /// Whether the page saw everything that history and the look-inside route know, each once and in that order.
    static func expectAll(_ rig: Rig, _ guest: Guest, _ page: EventPage) async throws {
        try await rig.drain()
        let newest = try await Self.newest(rig, guest)
        try await eventually("the page has caught up") { page.last == newest }
        page.expectGapless()
        let seen = page.numbered.filter { $0.kind == "message" }.compactMap { $0.json["id"]?.string }
        #expect(try await seen == rig.history(guest).compactMap { $0["id"]?.string })
        let route = "\(rig.gatewayURL)/v1/sessions/\(guest.session)/streaming-updates"
        let last = try await rig.get(route, key: guest.token).json["updates"]?.array ?? []
        let updates = page.numbered.filter { $0.kind == "update" }.suffix(20)
        #expect(last.map { $0["seq"] } == updates.map { $0.json["seq"] })
        #expect(last.map { $0["update_type"] } == updates.map { $0.json["update_type"] })
    }

    static func newest(_ rig: Rig, _ guest: Guest) async throws -> Int64 {
        let id = rig.bytes(guest.user.replacing("-", with: ""))
        return try await rig.count("SELECT coalesce(max(seq), 0) FROM feed WHERE user_id = \(id)")
    }
}
