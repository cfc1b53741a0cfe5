import Conversation
import JSON
import Synchronization
import TestKit
import Testing

@testable import Web

/// One reader of the event stream: runs it as the server does and waits for what it writes, without sleeping.
private final class Reader: Sendable {
    private let pieces: AsyncStream<String>
    private let piece: AsyncStream<String>.Continuation
    private let written = Mutex("")
    private let task: Task<Void, any Error>
    let ended: AsyncStream<Void>

    init(_ response: ChannelResponse) throws {
        guard let stream = response.stream else { throw Missing(what: "a stream in \(response.status)") }
        (pieces, piece) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
        let (ended, end) = AsyncStream.makeStream(of: Void.self)
        self.ended = ended
        let piece = piece
        task = Task {
            defer { end.finish() }
            try await stream { bytes in piece.yield(String(decoding: bytes, as: UTF8.self)) }
        }
    }

    var text: String { written.withLock { $0 } }

    /// All that came, once `wanted` is among it.
    @discardableResult
    func read(until wanted: String) async -> String {
        if text.contains(wanted) { return text }
        for await piece in pieces {
            let isThere = written.withLock { text in
                text += piece
                return text.contains(wanted)
            }
            if isThere { break }
        }
        return text
    }

    func leave() { task.cancel() }

    /// What ended it from our side; nil when nothing was thrown.
    func end() async -> (any Error)? {
        let result = await task.result
        piece.finish()
        await read(until: "\u{0}")
        if case .failure(let error) = result { return error }
        return nil
    }
}

extension World {
    fileprivate func listen(_ lastEventID: String? = nil, token: String = "good-token") async throws -> Reader {
        let headers = lastEventID.map { ["last-event-id": $0] } ?? [:]
        return try Reader(try await call(.get, "/web/salon-web/events", token: token, headers: headers))
    }

    /// Moves the clock on once somebody sleeps.
    fileprivate func beat(_ times: Int = 1) async {
        for _ in 0..<times {
            while clock.sleepers == 0 { await Task.yield() }
            clock.advance(by: EventStream.interval)
        }
    }
}

@Suite(.timeLimit(.minutes(1))) struct EventTests {
    @Test func aNewReaderIsGreetedWithTheNewestNumberAndHearsWhatComes() async throws {
        let world = World()
        world.feed.add(.message, ["text": "before"], ["text": "also before"])
        let answer = try await world.call(.get, "/web/salon-web/events")
        #expect(answer.status == 200 && answer.contentType == "text/event-stream; charset=utf-8")
        #expect(answer.headers["Cache-Control"] == "no-store" && answer.headers["X-Accel-Buffering"] == "no")
        #expect(answer.headers["Access-Control-Allow-Origin"] == page)
        let reader = try Reader(answer)
        await reader.read(until: "hello")
        #expect(reader.text == "retry: 2000\n\nid: 2\nevent: hello\ndata: {\"newest\":2}\n\n")
        world.feed.add(.update, ["type": "intent_logged"])
        world.feed.add(.handover, ["state": "open"])
        let text = await reader.read(until: "handover")
        #expect(
            text.hasSuffix(
                "id: 3\nevent: update\ndata: {\"type\":\"intent_logged\"}\n\nid: 4\nevent: handover\ndata: {\"state\":\"open\"}\n\n"))
        #expect(!text.contains("before"))
        reader.leave()
        #expect(await reader.end() == nil)
        #expect(world.channel.streams.count == 0)
    }

    @Test func nothingWrittenByPeopleCanBeginAFieldOrAnEvent() async throws {
        let world = World()
        let reader = try await world.listen()
        await reader.read(until: "hello")
        let hostile = "x\n\nevent: handover\ndata: {}\r\rid: 99\r\n: \u{2028}\u{2029}\u{85}\u{0}"
        world.feed.add(.message, ["text": .string(hostile)])
        world.feed.add(.message, ["text": "after"])
        let text = await reader.read(until: "after")
        let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r" || $0 == "\r\n" }
        #expect(lines.filter { $0.hasPrefix("id:") } == ["id: 0", "id: 1", "id: 2"])
        #expect(lines.filter { $0.hasPrefix("event:") } == ["event: hello", "event: message", "event: message"])
        let data = try #require(lines.first { $0.contains("handover") })
        #expect(try JSONValue(parsing: Array(data.dropFirst("data: ".count).utf8))["text"]?.string == hostile)
        reader.leave()
    }

    @Test func aReaderThatComesBackGoesOnWhereItWas() async throws {
        let world = World()
        for number in 1...250 { world.feed.add(.message, ["n": .integer(Int64(number))]) }
        let reader = try await world.listen("7")
        let text = await reader.read(until: "id: 250\n")
        #expect(text.split(separator: "\n").filter { $0.hasPrefix("id: ") } == (8...250).map { "id: \($0)" })
        #expect(!text.contains("hello"))
        world.feed.add(.message, ["n": 251])
        #expect(await reader.read(until: "id: 251\n").hasSuffix("id: 251\nevent: message\ndata: {\"n\":251}\n\n"))
        reader.leave()
    }

    @Test func aReaderThatHasSeenEverythingHearsOnlyWhatIsNew() async throws {
        let world = World()
        world.feed.add(.message, ["n": 1])
        let reader = try await world.listen("1")
        await reader.read(until: "retry")
        world.feed.add(.message, ["n": 2])
        #expect(await reader.read(until: "id: 2") == "retry: 2000\n\nid: 2\nevent: message\ndata: {\"n\":2}\n\n")
        reader.leave()
    }

    @Test func zeroIsTheBeginningAndNotNow() async throws {
        let world = World()
        world.feed.add(.message, ["n": 1])
        let reader = try await world.listen("0")
        #expect(await reader.read(until: "id: 1").contains("event: message"))
        reader.leave()
    }

    @Test(arguments: ["3", "99", "-1", "abc", "1 ", "1;2", "٣", "99999999999999999999", "0x1"])
    func aReaderWithAGapOrANumberOfElsewhereIsSentToLoadAnew(_ id: String) async throws {
        let world = World()
        for number in 1...10 { world.feed.add(.message, ["n": .integer(Int64(number))]) }
        world.feed.forget(before: 5)
        let reader = try await world.listen(id)
        #expect(await reader.read(until: "reset") == "retry: 2000\n\nid: 10\nevent: reset\ndata: {\"newest\":10}\n\n")
        world.feed.add(.message, ["n": 11])
        #expect(await reader.read(until: "id: 11").contains("data: {\"n\":11}"))
        reader.leave()
    }

    @Test func manyRingsAreOneAndNothingIsDoubled() async throws {
        let world = World()
        let reader = try await world.listen()
        await reader.read(until: "hello")
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<500 { group.addTask { world.feed.add(.message, ["n": .integer(Int64(number))]) } }
        }
        let text = await reader.read(until: "id: 500\n")
        #expect(text.split(separator: "\n").filter { $0.hasPrefix("id: ") } == (0...500).map { "id: \($0)" })
        reader.leave()
    }

    @Test func typingIsShownAndNotNumbered() async throws {
        let world = World()
        let reader = try await world.listen()
        await reader.read(until: "hello")
        world.feed.signalTyping()
        #expect(await reader.read(until: "typing").hasSuffix("\n\nevent: typing\ndata: {}\n\n"))
        reader.leave()
    }

    @Test func aHeartBeatComesEveryFifteenSeconds() async throws {
        let world = World()
        let reader = try await world.listen()
        await reader.read(until: "hello")
        await world.beat()
        #expect(await reader.read(until: ": beat").hasSuffix("\n\n: beat\n\n"))
        await world.beat()
        #expect(await reader.read(until: ": beat\n\n: beat\n\n").hasSuffix(": beat\n\n: beat\n\n"))
        reader.leave()
    }

    @Test func theStreamEndsWhenItsTokenHasExpired() async throws {
        let world = World()
        let reader = try await world.listen()
        await reader.read(until: "hello")
        for number in 1...4 {
            await world.beat()
            await reader.read(until: String(repeating: ": beat\n\n", count: number))
        }
        world.visitors.set("good-token", nil)
        var ended = false
        for number in 5...8 {
            await world.beat()
            await reader.read(until: String(repeating: ": beat\n\n", count: number))
            ended = number == 8
        }
        #expect(ended)
        #expect(await reader.end() == nil)
        #expect(reader.text.hasSuffix("event: closed\ndata: {\"reason\":\"token_expired\"}\n\n"))
        #expect(world.channel.streams.count == 0)
    }

    @Test func aStoreThatIsDownDoesNotMakeATokenBad() async throws {
        let world = World()
        let reader = try await world.listen()
        await reader.read(until: "hello")
        world.visitors.setDown(true)
        for number in 1...5 {
            await world.beat()
            await reader.read(until: String(repeating: ": beat\n\n", count: number))
        }
        world.feed.add(.message, ["n": 1])
        #expect(await reader.read(until: "id: 1").contains("\"n\":1"))
        reader.leave()
    }

    @Test func aFeedThatFailsEndsTheConnectionSoThatTheReaderComesBack() async throws {
        let world = World()
        let reader = try await world.listen()
        await reader.read(until: "hello")
        world.feed.setDown(true)
        world.feed.add(.message, ["n": 1])
        #expect(await reader.end() is FakeFeed.Down)
        #expect(world.channel.streams.count == 0)
    }
}

@Suite(.timeLimit(.minutes(1))) struct StreamLimitTests {
    @Test func beyondTheLimitTheAnswerIsToComeBackLater() async throws {
        let world = World(maxStreams: 2, maxStreamsPerVisitor: 2)
        world.visitors.set("third-token", guest(3))
        let first = try await world.listen(token: "good-token")
        let second = try await world.listen(token: "second-token")
        let answer = try await world.call(.get, "/web/salon-web/events", token: "third-token")
        #expect(answer.status == 503 && answer.headers["Retry-After"] == "5" && answer.stream == nil)
        #expect(try await world.say("x", token: "third-token").status == 202)
        first.leave()
        _ = await first.end()
        #expect(try await world.call(.get, "/web/salon-web/events", token: "third-token").status == 200)
        second.leave()
    }

    @Test func aVisitorsOldestStreamMakesRoomForItsNewest() async throws {
        let world = World(maxStreams: 3, maxStreamsPerVisitor: 2)
        let first = try await world.listen()
        await first.read(until: "hello")
        let second = try await world.listen()
        let other = try await world.listen(token: "second-token")
        let third = try await world.listen()
        #expect(await first.end() == nil)
        #expect(first.text.hasSuffix("event: closed\ndata: {\"reason\":\"too_many_streams\"}\n\n"))
        #expect(world.channel.streams.count == 3)
        world.feed.add(.message, ["n": 1])
        for reader in [second, other, third] { await reader.read(until: "event: hello") }
        world.feed.add(.message, ["n": 2])
        for reader in [second, other, third] {
            #expect(await reader.read(until: "\"n\":2").contains("\"n\":2"))
            reader.leave()
        }
    }

    @Test func anAnswerThatIsNeverWrittenLeavesNoPlaceTaken() async throws {
        let world = World(maxStreams: 1)
        for _ in 1...10 { #expect(try await world.call(.get, "/web/salon-web/events").status == 200) }
        #expect(world.channel.streams.count == 0)
    }

    @Test func placesAreGivenBackOnce() {
        let registry = StreamRegistry(limit: 2, perVisitor: 2)
        let first = registry.open(guest(1))
        let second = registry.open(guest(2))
        #expect(first != nil && second != nil && registry.open(guest(3)) == nil)
        first?.release()
        first?.release()
        #expect(registry.count == 1)
        let third = registry.open(guest(3))
        #expect(third != nil && registry.count == 2 && registry.open(guest(4)) == nil)
        withExtendedLifetime((first, second, third)) {}
    }
}
