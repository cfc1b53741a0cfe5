import Bus
import Conversation
import Foundation
import Logging
import Synchronization
import TestKit
import Testing

/// Commands from a real NATS: each until it is done, over crashes of either side.
struct CommandReaderTests {
    private static let subject = "switchboard.salon.commands.send"
    private static let consumer = "switchboard-commands"

    /// What was brought, in order, and what to say of it.
    private final class Taker: Sendable {
        struct State {
            var commands: [BusCommand] = []
            /// What to say of a command, by its body, as often as it stands here; all else is done.
            var verdicts: [String: [CommandVerdict]] = [:]
        }
        let state = Mutex(State())

        func take(_ commands: [BusCommand]) -> [CommandVerdict] {
            state.withLock { state in
                state.commands += commands
                return commands.map { command in
                    let text = String(decoding: command.body, as: UTF8.self)
                    guard state.verdicts[text]?.isEmpty == false else { return .done }
                    return state.verdicts[text]?.removeFirst() ?? .done
                }
            }
        }

        var texts: [String] { state.withLock { $0.commands.map { String(decoding: $0.body, as: UTF8.self) } } }

        /// Returns when so many came.
        func waitFor(_ count: Int) async {
            while state.withLock({ $0.commands.count }) < count { await Task.yield() }
        }
    }

    private func with(
        _ url: String, _ taker: Taker, logger: Logger = Logger(label: "test"), _ body: (JetStreamBus) async throws -> Void
    ) async throws {
        let bus = JetStreamBus(try BusAddress(url), logger: logger)
        bus.take { taker.take($0) }
        // The stream is there as soon as the bus is connected.
        while !bus.isConnected { await Task.yield() }
        do {
            try await body(bus)
            await bus.stopTaking()
            await bus.close()
        } catch {
            await bus.close()
            throw error
        }
    }

    private func publish(_ text: String, _ url: String, id: String? = nil, subject: String = subject) throws {
        try NATSReader.publish(url: url, subject: subject, body: Array(text.utf8), id: id, contentType: "application/json")
    }

    private func settled(_ url: String) async throws {
        while true {
            let open = try NATSReader.open(url: url, consumer: Self.consumer)
            if open.waiting == 0, open.unacknowledged == 0 { return }
            await Task.yield()
        }
    }

    @Test func commandsComeOnceInTheirOrderWithAllThatWasSaid() async throws {
        let url = try await NATSServer.shared().freshURL()
        let taker = Taker()
        try await with(url, taker) { _ in
            try publish("one", url, id: "m1")
            try publish("two", url)
            try publish("three", url, subject: "switchboard.jobs.commands.send")
            // Of events and of other commands nothing comes.
            try publish("{}", url, subject: "switchboard.salon.update")
            try publish("{}", url, subject: "switchboard.salon.commands.other")
            await taker.waitFor(3)
            try await settled(url)
            let commands = taker.state.withLock { $0.commands }
            #expect(taker.texts == ["one", "two", "three"])
            #expect(commands.map(\.brand) == ["salon", "salon", "jobs"] && commands.map(\.delivery) == [1, 1, 1])
            #expect(commands[0].publisherID == "m1" && commands[1].publisherID == nil)
            #expect(commands[0].contentType == "application/json" && commands[0].subject == Self.subject)
            #expect(Set(commands.map(\.place)).count == 3)
            let ages = commands.map { command in command.publishedAt.map { SystemClock().now - $0 } }
            #expect(ages.allSatisfy { $0.map { $0 > .seconds(-5) && $0 < .seconds(300) } ?? false }, "\(ages)")
        }
    }

    @Test func whatIsNotDoneComesAgainFromTheSamePlace() async throws {
        let url = try await NATSServer.shared().freshURL()
        let taker = Taker()
        taker.state.withLock { $0.verdicts["one"] = [.again(after: .milliseconds(20)), .again(after: .milliseconds(20))] }
        try await with(url, taker) { _ in
            try publish("one", url)
            await taker.waitFor(3)
            try await settled(url)
            let commands = taker.state.withLock { $0.commands }
            #expect(commands.map(\.delivery) == [1, 2, 3])
            #expect(Set(commands.map(\.place)).count == 1)
        }
    }

    @Test func whatWasPublishedWhileNobodyReadIsReadAfterwardsAndNothingTwice() async throws {
        let url = try await NATSServer.shared().freshURL()
        let first = Taker()
        try await with(url, first) { _ in
            try publish("one", url)
            await first.waitFor(1)
            try await settled(url)
        }
        try publish("two", url)
        let second = Taker()
        try await with(url, second) { _ in
            await second.waitFor(1)
            try await settled(url)
            #expect(second.texts == ["two"])
        }
        #expect(first.texts == ["one"])
    }

    @Test func twoNodesShareTheCommands() async throws {
        let url = try await NATSServer.shared().freshURL()
        let (first, second) = (Taker(), Taker())
        try await with(url, first) { _ in
            try await with(url, second) { _ in
                for number in 0..<200 { try publish("\(number)", url) }
                while first.texts.count + second.texts.count < 200 { await Task.yield() }
                try await settled(url)
                #expect(Set(first.texts + second.texts).count == 200)
                #expect(first.texts.count + second.texts.count == 200)
            }
        }
    }

    @Test func aServerThatIsWipedBringsNewCommandsAfterwards() async throws {
        try await NATSServer.with { server in
            let url = server.freshURL()
            let taker = Taker()
            try await with(url, taker) { bus in
                try publish("one", url)
                await taker.waitFor(1)
                try await settled(url)
                try await server.wipe()
                // Publishing fails until the gateway has made the stream anew.
                while (try? publish("two", url)) == nil { await Task.yield() }
                await taker.waitFor(2)
                let places = taker.state.withLock { $0.commands.map(\.place) }
                #expect(Set(places).count == 2, "the stream counts from 1 again: \(places)")
            }
        }
    }

    @Test func aConsumerThatIsRemovedIsMadeAnew() async throws {
        let url = try await NATSServer.shared().freshURL()
        let taker = Taker()
        try await with(url, taker) { _ in
            try publish("one", url)
            await taker.waitFor(1)
            try await settled(url)
            try NATSReader.removeStream(url: url)
            while (try? publish("two", url)) == nil { await Task.yield() }
            await taker.waitFor(2)
            #expect(taker.texts == ["one", "two"])
        }
    }

    /// NATS gives out 1,000 unacknowledged ones unless it is told otherwise.
    @Test func manyThatAreToComeAgainStandInNobodysWay() async throws {
        let url = try await NATSServer.shared().freshURL()
        let taker = Taker()
        let waiting = (0..<1_100).map { "waits-\($0)" }
        taker.state.withLock { state in for text in waiting { state.verdicts[text] = [.again(after: .seconds(3_600))] } }
        try await with(url, taker) { _ in
            for text in waiting { try publish(text, url) }
            try publish("last", url)
            await taker.waitFor(1_101)
            #expect(taker.texts.last == "last")
        }
    }

    @Test func aConsumerOfAReleaseBeforeGetsTheSettingsOfThisOneAndKeepsItsPlace() async throws {
        let url = try await NATSServer.shared().freshURL()
        let first = Taker()
        try await with(url, first) { _ in
            try publish("one", url)
            await first.waitFor(1)
            try await settled(url)
        }
        let now = try NATSReader.limits(url: url, consumer: Self.consumer)
        #expect(now == NATSReader.ConsumerLimits(acknowledgementWait: 10, deliveries: -1, unacknowledged: 10_000_000))
        let before = NATSReader.ConsumerLimits(acknowledgementWait: 30, deliveries: 5, unacknowledged: 100)
        try NATSReader.change(url: url, consumer: Self.consumer, to: before)
        #expect(try NATSReader.limits(url: url, consumer: Self.consumer) == before)
        try publish("two", url)
        let second = Taker()
        try await with(url, second) { _ in
            await second.waitFor(1)
            try await settled(url)
        }
        #expect(try NATSReader.limits(url: url, consumer: Self.consumer) == now)
        #expect(second.texts == ["two"])
    }

    /// What the server's operator allows is less than what this program would have.
    @Test func whereTheServerRefusesTheSettingsCommandsComeAllTheSame() async throws {
        let access = """
            accounts { space1 { jetstream: { max_ack_pending: 500 }, users: [{ user: user1, password: secret }] } }
            """
        try await NATSServer.with(access: access) { server in
            let (url, logs) = (server.freshURL(), Warnings())
            let logger = Logger(label: "test") { _ in logs }
            let first = Taker()
            try await with(url, first, logger: logger) { _ in
                try publish("one", url)
                await first.waitFor(1)
                try await settled(url)
            }
            #expect(try NATSReader.limits(url: url, consumer: Self.consumer).unacknowledged == 500)
            let before = NATSReader.ConsumerLimits(acknowledgementWait: 30, deliveries: 5, unacknowledged: 100)
            try NATSReader.change(url: url, consumer: Self.consumer, to: before)
            #expect(logs.texts.isEmpty)
            try publish("two", url)
            let second = Taker()
            try await with(url, second, logger: logger) { _ in
                await second.waitFor(1)
                try publish("three", url)
                await second.waitFor(2)
                try await settled(url)
            }
            #expect(second.texts == ["two", "three"])
            // The rest is as it should be.
            let now = NATSReader.ConsumerLimits(acknowledgementWait: 10, deliveries: -1, unacknowledged: 100)
            #expect(try NATSReader.limits(url: url, consumer: Self.consumer) == now)
            #expect(logs.texts.count == 1 && logs.texts.first?.contains("stays as it is") == true, "\(logs.texts)")
        }
    }

    /// Keeps what is logged at warning and above.
    private struct Warnings: LogHandler {
        final class Kept: Sendable {
            let texts = Mutex<[String]>([])
        }

        let kept = Kept()
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.warning

        var texts: [String] { kept.texts.withLock { $0 } }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { kept.texts.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") } }
    }

    @Test func afterTheEndNothingIsBrought() async throws {
        let url = try await NATSServer.shared().freshURL()
        let taker = Taker()
        try await with(url, taker) { bus in
            try publish("one", url)
            await taker.waitFor(1)
            await bus.stopTaking()
            try publish("two", url)
            let open = try NATSReader.open(url: url, consumer: Self.consumer)
            #expect(open.waiting + open.unacknowledged >= 1 && taker.texts == ["one"])
        }
    }
}
