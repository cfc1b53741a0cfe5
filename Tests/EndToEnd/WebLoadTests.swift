import Conversation
import Foundation
import JSON
import Storage
import Synchronization
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// Very many readers at once, while other channels go on.
@Suite(.serialized) struct WebLoadTests {
    private static let size = 1_000
    private static let open: [(file: String, from: String, to: String)] = [
        (
            file: "brands/salon/brand.yaml", from: "    opens_per_minute: 6000",
            to: "    messages_per_minute: 60000\n    opens_per_minute: 60000"
        )
    ]

    @Test func aThousandReadersEachSeeTheirOwnOnceAndInOrderWhileWebhooksComeIn() async throws {
        try await Rig.withPages { pages in
            try await Self.withFewFiles(.init(edits: Self.open)) { rig in
                let readers = try await Self.crowd(rig, pages)
                #expect(try Self.openFiles(rig) > Self.size)
                let ingest = Ingest(rig)
                let ingesting = Task { await ingest.run() }
                let lines = ["when are you open", "what services do you offer", "list my bookings"]
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for (number, reader) in readers.enumerated() {
                        if number >= 128 { try await group.next() }
                        group.addTask {
                            for index in 0..<2 { try await rig.write(lines[(number + index) % lines.count], reader.guest) }
                        }
                    }
                    try await group.waitForAll()
                }
                ingest.stop()
                await ingesting.value
                try await rig.drain(within: .seconds(400))
                #expect(ingest.refused == 0)
                #expect(ingest.accepted >= 20)
                #expect(try await rig.inbound("salon").isEmpty == false)
                try await Self.expectEachComplete(rig, readers)

                for reader in readers { reader.page.leave() }
                try await eventually("the streams' files are closed", within: .seconds(60)) { try Self.openFiles(rig) < Self.size / 2 }
                #expect(await rig.stopGateway() == 0)
            }
        }
    }

    @Test func atTheCapAReaderIsTurnedAwayAndWebhooksAreStillTaken() async throws {
        let cap = [(file: "switchboard.yaml", from: "request_timeout_s: 15", to: "request_timeout_s: 15, max_streams: 40")]
        try await Rig.withPages { pages in
            try await Rig.with(.init(edits: Self.open + cap)) { rig in
                var readers: [(guest: Guest, page: EventPage)] = []
                for _ in 0..<40 {
                    let guest = try await rig.guest()
                    readers.append((guest, try await rig.liveStream(guest, pages)))
                }
                let late = try await rig.guest()
                for _ in 0..<20 {
                    let answer = try await rig.get(rig.web("events"), key: late.token)
                    rig.expectProblem(answer, 503, "no room")
                    #expect(Int(answer.header("Retry-After") ?? "").map { $0 >= 1 } == true)
                    let message = Rig.textMessage("when are you open", from: "15550007777", id: UUID().uuidString)
                    let webhook = try await rig.webhook(Rig.delivery([(account: Rig.salonNumber, value: ["messages": [message]])]))
                    #expect(webhook.status == 200)
                }
                // Who cannot look may write, and those who look go on.
                try await rig.write("when are you open", late)
                try await rig.write("when are you open", readers[0].guest)
                try await readers[0].page.reply(with: "open")
                readers[1].page.leave()
                try await eventually("a place is free again") {
                    try await rig.stream(late, pages, after: 0).status == 200
                }
            }
        }
    }

    @Test func aTerminationEndsAThousandStreamsInAnOrderlyWay() async throws {
        try await Rig.withPages { pages in
            try await Self.withFewFiles(.init(edits: Self.open)) { rig in
                let readers = try await Self.crowd(rig, pages)
                let code = await rig.stopGateway()
                #expect(code == 0)
                try await eventually("every stream has ended") { readers.allSatisfy { $0.page.isClosed } }
                // An end that a reader can tell from a broken connection: the last chunk came.
                #expect(readers.count { !$0.page.isComplete } == 0)
            }
        }
    }

    // MARK: Crowd

    private typealias Reader = (guest: Guest, page: EventPage)

    /// Starts the gateway with the soft limit of files that many systems begin with, and takes all that we may have for the readers.
    private static func withFewFiles(_ options: Rig.Options, _ body: (Rig) async throws -> Void) async throws {
        var limit = rlimit()
        try #require(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
        try #require(limit.rlim_max > 2 * UInt(size), "the readers need \(2 * size) open files, the hard limit is \(limit.rlim_max)")
        limit.rlim_cur = limit.rlim_max
        try #require(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
        var options = options
        options.openFiles = 512
        try await Rig.with(options, body)
    }

    private static func crowd(_ rig: Rig, _ pages: EventPages) async throws -> [Reader] {
        try await withThrowingTaskGroup(of: Reader.self) { group in
            var readers: [Reader] = []
            for number in 0..<size {
                if number >= 64, let reader = try await group.next() { readers.append(reader) }
                group.addTask {
                    let guest = try await rig.guest()
                    return (guest, try await rig.liveStream(guest, pages))
                }
            }
            return try await group.reduce(into: readers) { $0.append($1) }
        }
    }

    private static func openFiles(_ rig: Rig) throws -> Int {
        let id = try #require(rig.gateway?.processIdentifier)
        return try FileManager.default.contentsOfDirectory(atPath: "/proc/\(id)/fd").count
    }

    /// Compares what each page was told with what the store holds of its conversation.
    private static func expectEachComplete(_ rig: Rig, _ readers: [Reader]) async throws {
        let feeds = try await storedFeeds(rig)
        var incomplete: [String] = []
        for reader in readers {
            let stored = feeds[reader.guest.user] ?? []
            if reader.page.last != stored.last?.id {
                try await eventually("page \(reader.guest.user) has caught up", within: .seconds(60)) {
                    reader.page.last == stored.last?.id
                }
            }
            let seen = reader.page.numbered
            let answers = seen.count { $0.reply != nil }
            let own = seen.count { $0.json["direction"] == "in" }
            if seen.map(\.id) != (0..<seen.count).map({ Int64($0 + 1) }) || seen.map(\.kind) != stored.map(\.kind)
                || seen.map(\.json) != stored.map(\.json) || own != 2 || answers < 1
            {
                incomplete.append("\(reader.guest.user): \(own) said, \(answers) answered, \(seen.count) of \(stored.count)")
            }
        }
        #expect(incomplete == [])
    }

    /// By user, oldest first.
    private static func storedFeeds(_ rig: Rig) async throws -> [String: [EventPage.Event]] {
        let database = try await rig.openStore()
        let rows = try await database.read(.installation) { connection in
            try connection.rows(SQL("SELECT user_id, seq, kind, body FROM feed ORDER BY user_id, seq"), []).map {
                (try $0.id(0).description, EventPage.Event(id: try $0.integer(1), kind: try $0.text(2), data: try $0.text(3)))
            }
        }
        await database.close()
        return Dictionary(grouping: rows, by: \.0).mapValues { $0.map(\.1) }
    }
}

/// Signed webhooks one after the other on a few connections, until it is told to stop.
private final class Ingest: Sendable {
    private let rig: Rig
    private let state = Mutex((accepted: 0, refused: 0, isStopped: false))

    init(_ rig: Rig) { self.rig = rig }

    var accepted: Int { state.withLock { $0.accepted } }
    var refused: Int { state.withLock { $0.refused } }

    func stop() { state.withLock { $0.isStopped = true } }

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            for lane in 0..<4 {
                group.addTask {
                    var number = 0
                    while !self.state.withLock({ $0.isStopped }) {
                        number += 1
                        await self.send(lane, number)
                    }
                }
            }
        }
    }

    private func send(_ lane: Int, _ number: Int) async {
        // Few senders: most of it is over their limit of turns, and all of it is stored.
        let message = Rig.textMessage("thanks \(number)", from: "1555800000\(lane)", id: "wamid.ingest-\(lane)-\(number)")
        let status = try? await rig.webhook(Rig.delivery([(account: Rig.salonNumber, value: ["messages": [message]])])).status
        state.withLock { state in
            if status == 200 { state.accepted += 1 } else { state.refused += 1 }
        }
    }
}
