import Conversation
import Logging
import TestKit
import Testing

@testable import Gateway
@testable import Storage

/// What becomes of commands that a bus brings.
struct CommandInboxTests {
    private func body(_ world: SendWorld, _ text: String = "Your order is ready.", instance: String = "salon-web") -> JSONValue {
        ["instance": .string(instance), "to": ["user_id": .string(world.user.description)], "text": .string(text)]
    }

    private func event(_ data: JSONValue, id: String = "e1", source: String = "/shop") -> JSONValue {
        [
            "specversion": "1.0", "id": .string(id), "source": .string(source), "type": "send", "datacontenttype": "application/json",
            "data": data,
        ]
    }

    private func command(
        _ body: JSONValue, brand: String = "salon", id: String? = nil, type: String? = nil, place: String = "1.1", delivery: Int = 1
    ) -> BusCommand {
        BusCommand(
            brand: brand, subject: "switchboard.\(brand).commands.send", publisherID: id, contentType: type,
            body: CanonicalJSON.bytes(body), place: place, delivery: delivery)
    }

    private func texts(_ world: SendWorld) async throws -> [String] {
        try await world.outbound().compactMap { $0.content["text"]?.string }
    }

    private func quarantined(_ world: SendWorld) async throws -> [QuarantineRecord] {
        try await world.brand.read { try $0.quarantined(after: nil, limit: 50) }
    }

    @Test func aBareBodyAndACloudEventAreDone() async throws {
        try await SendWorld.with { world in
            let commands = [
                command(body(world, "one"), place: "1.1"),
                command(event(body(world, "two")), type: "application/cloudevents+json; charset=utf-8", place: "2.2"),
                command(event(body(world, "three"), id: "e2"), place: "3.3"),
            ]
            #expect(await world.inbox.take(commands) == [.done, .done, .done])
            let sent = try await texts(world)
            #expect(sent == ["one", "two", "three"])
            #expect(try await world.outbound().allSatisfy { $0.context?["by"] == "bus" })
        }
    }

    @Test func anEventThatIsPublishedTwiceIsOneMessage() async throws {
        try await SendWorld.with { world in
            let first = command(event(body(world)), id: "a", place: "1.1")
            let again = command(event(body(world)), id: "b", place: "9.9")
            #expect(await world.inbox.take([first, again]) == [.done, .done])
            #expect(await world.inbox.take([first]) == [.done])
            let sent = try await texts(world)
            #expect(sent.count == 1)
            // Another source's event of that id is another event.
            #expect(await world.inbox.take([command(event(body(world), source: "/else"), place: "10.1")]) == [.done])
            #expect(try await texts(world).count == 2)
        }
    }

    @Test func aBareBodyIsKnownByItsMessageIDAndElseByItsPlace() async throws {
        try await SendWorld.with { world in
            let named = command(body(world), id: "m1", place: "1.1")
            #expect(await world.inbox.take([named, command(body(world), id: "m1", place: "2.2")]) == [.done, .done])
            let sent = try await texts(world)
            #expect(sent.count == 1)
            let nameless = command(body(world), place: "3.3", delivery: 2)
            #expect(await world.inbox.take([nameless, nameless, command(body(world), place: "4.4")]) == [.done, .done, .done])
            #expect(try await texts(world).count == 3)
        }
    }

    @Test(arguments: [
        "not json", "[]", "{}", "{\"specversion\":\"1.0\"}", "{\"specversion\":\"0.3\",\"id\":\"1\"}", "\u{0}",
        "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\",\"data_base64\":\"AA==\"}",
        "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\",\"data\":{\"instance\":\"salon-web\"}}",
    ]) func whatCannotBeReadIsKeptRawAndNeedNotComeAgain(text: String) async throws {
        try await SendWorld.with { world in
            let bad = BusCommand(
                brand: "salon", subject: "switchboard.salon.commands.send", body: Array(text.utf8), place: "7.7")
            let good = command(body(world), place: "8.8")
            #expect(await world.inbox.take([bad, good]) == [.done, .done])
            #expect(await world.inbox.take([bad]) == [.done])
            let kept = try await quarantined(world)
            #expect(kept.map(\.body) == [Array(text.utf8)])
            #expect(kept.first?.channel.rawValue == "bus" && kept.first?.reason.isEmpty == false)
            #expect(try await texts(world).count == 1)
        }
    }

    @Test func whatIsRefusedIsOneDeadLetterWithItsReason() async throws {
        try await SendWorld.with { world in
            var stranger = body(world)
            stranger["to"] = ["phone": "+15550009999"]
            let refused = command(event(stranger), place: "1.1")
            #expect(await world.inbox.take([refused]) == [.done])
            #expect(await world.inbox.take([refused, command(event(stranger), place: "2.2")]) == [.done, .done])
            let letters = try await world.letters()
            #expect(letters.count == 1)
            #expect(letters.first?.kind == "command" && letters.first?.reason == "unknown_user" && letters.first?.detail["id"] == "e1")
            #expect(letters.first?.detail["command"] == stranger)
        }
    }

    @Test func theBrandIsTheSubjectsWhateverTheBodySays() async throws {
        try await SendWorld.with { world in
            let foreign = command(body(world), brand: "nobody")
            // What can be no brand's name needs no second look.
            #expect(
                await world.inbox.take([foreign, command(body(world), brand: "no.body*", place: "2.2")])
                    == [.again(after: .seconds(2)), .done])
            _ = try await untilDone(foreign, world)
            #expect(try await texts(world).isEmpty)
            let kept = try await world.store.unrouted.list(after: nil, limit: 10)
            #expect(kept.count == 2 && kept.allSatisfy { $0.brand == nil })
            #expect(kept.contains { $0.reason.hasPrefix("no brand nobody for ") })
            // One that is stopped comes back.
            #expect(await world.inbox.take([command(body(world), brand: "jobs", place: "3.3")]) == [.again(after: .seconds(30))])
        }
    }

    /// Delivers it as often as it is to come again; the waits.
    private func untilDone(_ command: BusCommand, _ world: SendWorld) async throws -> [Duration] {
        var (command, waits) = (command, [Duration]())
        while case .again(let wait) = await world.inbox.take([command]).first {
            waits.append(wait)
            try #require(waits.count < 1_000, "it comes again for ever")
            world.clock.advance(by: wait)
            command.delivery += 1
        }
        return waits
    }

    // MARK: What is not known yet

    @Test func aCommandForAnInstanceThatIsLoadedLaterIsDoneThen() async throws {
        try await SendWorld.with { world in
            let early = command(body(world, instance: "salon-shop"), place: "1.1")
            for _ in 0..<3 {
                guard case .again(let wait) = await world.inbox.take([early]).first else {
                    Issue.record("it was given up")
                    return
                }
                world.clock.advance(by: wait)
            }
            try world.loads(instance: "salon-shop")
            #expect(await world.inbox.take([early]) == [.done])
            let stored = try await world.brand.read { [user = world.user] transaction in
                try transaction.activeSession(instance: InstanceID(rawValue: "salon-shop"), user: user).map {
                    try transaction.messages(session: $0.id, after: nil, limit: 10).count
                }
            }
            #expect(stored == 1)
            #expect(try await quarantined(world).isEmpty)
            #expect(try await world.letters().isEmpty)
        }
    }

    @Test func whatIsNeverLoadedIsPutAsideWithItsReasonAfterTenMinutes() async throws {
        try await SendWorld.with { world in
            let lost = command(body(world, instance: "salon-shop"), place: "1.1")
            let waits = try await untilDone(lost, world)
            let waited = waits.reduce(.zero, +)
            #expect(waited >= .seconds(600) && waited <= .seconds(640))
            #expect(waits.first == .seconds(2) && waits.last == .seconds(30) && waits.count < 40)
            let kept = try await quarantined(world)
            #expect(kept.map(\.body) == [lost.body])
            #expect(kept.first?.reason.hasPrefix("no instance salon-shop for 6") == true, "\(kept.map(\.reason))")
            #expect(try await world.letters().isEmpty)
        }
    }

    @Test func whatThereIsNoRoomToRememberWaitsOnTheBus() async throws {
        try await SendWorld.with { world in
            let flood = (0..<1_001).map { command(body(world, instance: "salon-shop"), place: "\($0).1") }
            let verdicts = await world.inbox.take(flood)
            #expect(verdicts.filter { $0 == .again(after: .seconds(2)) }.count == 1_000)
            let last = flood[try #require(verdicts.firstIndex(of: .again(after: .seconds(30))))]
            #expect(try await quarantined(world).isEmpty)
            // Another brand's wait as before.
            #expect(await world.inbox.take([command(body(world), brand: "nobody", place: "9999.1")]) == [.again(after: .seconds(2))])
            // Its key is free: once there is what it is for, it is done.
            try world.loads(instance: "salon-shop")
            #expect(await world.inbox.take([last]) == [.done])
            #expect(try await quarantined(world).isEmpty)
            #expect(try await world.letters().isEmpty)
        }
    }

    @Test func commandsForMoreBrandsThanThereIsRoomForWaitOnTheBus() async throws {
        try await SendWorld.with { world in
            let many = (0..<1_000).map { command(body(world), brand: "nobody-\($0)", place: "\($0).1") }
            #expect(await world.inbox.take(many).allSatisfy { $0 == .again(after: .seconds(2)) })
            let early = command(body(world, instance: "salon-shop"), place: "5000.1")
            #expect(await world.inbox.take([early]) == [.again(after: .seconds(30))])
            #expect(try await quarantined(world).isEmpty)
            // The others have ended elsewhere: there is room, and its patience begins.
            world.clock.advance(by: .seconds(301))
            #expect(await world.inbox.take([early]) == [.again(after: .seconds(2))])
            try world.loads(instance: "salon-shop")
            #expect(await world.inbox.take([early]) == [.done])
            #expect(try await world.store.unrouted.list(after: nil, limit: 10).isEmpty)
        }
    }

    // MARK: What is old

    private static let day = Duration.seconds(86_400)

    /// A consumer that is made anew brings all that the stream holds.
    @Test func whatIsOlderThanKeysAreKeptIsPutAsideAndNeverSentTwice() async throws {
        try await SendWorld.with { world in
            var old = command(event(body(world)), place: "1.1")
            old.publishedAt = world.clock.now
            #expect(await world.inbox.take([old]) == [.done])
            world.clock.advance(by: Self.day * 31)
            while try await world.brand.write({ try $0.forgetOld(limit: 100) }) > 0 {}
            let isKnown = try await world.brand.read { [key = ReadCommand(old).sendKey] in try key.answer(in: $0) != nil }
            #expect(!isKnown, "its key is forgotten")
            #expect(await world.inbox.take([old, old]) == [.done, .done])
            let count = try await world.brand.read { transaction in
                try transaction.sessions(after: nil, limit: 10).reduce(0) {
                    try $0 + transaction.messages(session: $1.id, after: nil, limit: 10).count
                }
            }
            #expect(count == 1, "it was sent once")
            let kept = try await quarantined(world)
            #expect(kept.map(\.body) == [old.body])
            #expect(kept.first?.reason.hasPrefix("it stands on the bus since \(old.publishedAt?.description ?? "?")") == true)
        }
    }

    @Test func whatIsOldAndKnownIsNothingNew() async throws {
        try await SendWorld.with { world in
            var late = command(event(body(world)), place: "1.1")
            late.publishedAt = world.clock.now
            world.clock.advance(by: Self.day * 29)
            #expect(await world.inbox.take([late]) == [.done])
            let sent = try await texts(world)
            #expect(sent.count == 1, "so old a command is done")
            world.clock.advance(by: .seconds(1))
            #expect(await world.inbox.take([late]) == [.done])
            #expect(try await texts(world).count == 1)
            #expect(try await quarantined(world).isEmpty)
        }
    }

    @Test func triesAreForgottenWhenTheyEndAndWhenTheyEndedElsewhere() {
        let (tries, start) = (CommandTries(sizeLimit: 2), Timestamp(seconds: 1_000_000))
        func command(_ place: String, _ brand: String = "salon") -> BusCommand {
            BusCommand(brand: brand, subject: "", body: [], place: place)
        }
        #expect(tries.failed(command("1"), now: start) == 1 && tries.failed(command("1"), now: start) == 2)
        #expect(tries.absent(command("2"), now: start) == .zero)
        #expect(tries.absent(command("2"), now: start + .seconds(9)) == .seconds(9))
        #expect(tries.absent(command("3"), now: start) == nil && tries.failed(command("3"), now: start) == 1, "there is no room")
        #expect(tries.absent(command("3", "jobs"), now: start) == .zero)
        #expect(tries.absent(command("1", "gym"), now: start) == nil, "nor for more brands")
        tries.forget(command("1"))
        #expect(tries.failed(command("3"), now: start) == 1 && tries.failed(command("3"), now: start) == 2)
        // The others did not come back for five minutes.
        #expect(tries.absent(command("1", "gym"), now: start + .seconds(309)) == .zero)
    }

    // MARK: What fails

    @Test func onlyFailuresCountAgainstACommandAndNotItsDeliveries() async throws {
        try await SendWorld.with { world in
            let database = WrappedDatabase(world.store.database)
            let store = Store(database: database, clock: world.clock, ids: SystemIDs(), node: "test")
            let desk = SendDesk(store: store, registry: world.registry, metrics: GatewayMetrics())
            let inbox = CommandInbox(
                store: store, registry: world.registry, desk: desk, isStopped: { _ in false }, logger: Logger(label: "test"))
            let broken = command(body(world), place: "1.1", delivery: 99)
            database.fails(.failed(code: 1, "no such table"))
            for _ in 0..<4 { #expect(await inbox.take([broken]) == [.again(after: .seconds(2))]) }
            database.isAway = true
            for _ in 0..<20 { #expect(await inbox.take([broken]) == [.again(after: .seconds(2))]) }
            database.fails(nil)
            #expect(await inbox.take([broken]) == [.done])
            let (sent, kept) = (try await texts(world), try await quarantined(world))
            #expect(sent.count == 1 && kept.isEmpty)
        }
    }

    // MARK: Size

    @Test func whatIsLargerThanACommandMayBeIsPutAsideWithItsBeginning() async throws {
        try await SendWorld.with { world in
            func padded(_ size: Int, place: String) -> BusCommand {
                var command = command(body(world, "large"), place: place)
                command.body += Array(repeating: UInt8(ascii: " "), count: size - command.body.count)
                return command
            }
            let verdicts = await world.inbox.take([
                padded(SendCommand.maxBodyBytes, place: "1.1"), padded(SendCommand.maxBodyBytes + 1, place: "2.2"),
                padded(1_000_000, place: "3.3"),
            ])
            #expect(verdicts == [.done, .done, .done])
            #expect(try await texts(world) == ["large"])
            let kept = try await quarantined(world)
            #expect(kept.count == 2 && kept.allSatisfy { $0.body.count == SendCommand.maxBodyBytes })
            #expect(Set(kept.map(\.reason)) == Set([65_537, 1_000_000].map { "is \($0) bytes long, and at most 65536 are read" }))
        }
    }

    @Test func tooManyComeAgainLaterAndAreDoneThen() async throws {
        try await SendWorld.with(Policies(limits: RateLimits(userPerMinute: 1))) { world in
            let verdicts = await world.inbox.take([command(body(world, "one"), place: "1.1"), command(body(world, "two"), place: "2.2")])
            #expect(verdicts.first == .done)
            guard case .again(let wait) = verdicts.last else {
                Issue.record("\(verdicts)")
                return
            }
            world.clock.advance(by: wait)
            #expect(await world.inbox.take([command(body(world, "two"), place: "2.2", delivery: 2)]) == [.done])
            let sent = try await texts(world)
            #expect(sent == ["one", "two"])
            #expect(try await world.letters().isEmpty)
        }
    }

    @Test func commandsToOneCustomerKeepTheirOrder() async throws {
        try await SendWorld.with(Policies(limits: RateLimits(userPerMinute: 1000))) { world in
            let commands = (0..<50).map { command(body(world, "number \($0)"), place: "\($0).1") }
            #expect(await world.inbox.take(commands) == Array(repeating: .done, count: 50))
            let sent = try await texts(world)
            #expect(sent == (0..<50).map { "number \($0)" })
        }
    }

    @Test func whileTheStoreIsAwayNothingIsAcknowledged() async throws {
        try await SendWorld.with { world in
            let database = WrappedDatabase(world.store.database)
            let store = Store(database: database, clock: world.clock, ids: SystemIDs(), node: "test")
            let desk = SendDesk(store: store, registry: world.registry, metrics: GatewayMetrics())
            let inbox = CommandInbox(
                store: store, registry: world.registry, desk: desk, isStopped: { _ in false }, logger: Logger(label: "test"))
            database.isAway = true
            let commands = [
                command(body(world), place: "1.1", delivery: 99), command("unreadable", place: "2.2", delivery: 99),
                command(body(world), brand: "nobody", place: "3.3", delivery: 99),
            ]
            #expect(await inbox.take(commands).allSatisfy { if case .again = $0 { true } else { false } })
            database.isAway = false
            #expect(await inbox.take(commands) == [.done, .done, .again(after: .seconds(2))])
            let sent = try await texts(world)
            #expect(sent.count == 1)
        }
    }
}
