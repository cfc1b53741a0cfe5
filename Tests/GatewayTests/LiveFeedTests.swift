import Conversation
import Gateway
import Storage
import TestKit
import Testing

struct LiveFeedTests {
    private func add(_ number: Int, to visitor: Visitor, _ world: PageWorld) async throws {
        try await world.store.brand(visitor.brand).write {
            _ = try $0.appendFeed(.update, body: ["n": .integer(Int64(number))], instance: visitor.instance, user: visitor.user)
        }
    }

    private func enter(_ world: PageWorld, at instance: InstanceConfiguration = PageWorld.salon) async throws -> Visitor {
        try #require(try await world.visitor(world.guest(at: instance), at: instance))
    }

    /// Follows a feed as a page does, until it has seen `count` events.
    private func follow(_ visitor: Visitor, _ feeds: LiveFeeds, count: Int) async throws -> [Int64] {
        var seen: [Int64] = []
        let signals = Signals(feeds, visitor)
        func read() async throws {
            while true {
                let page = try await feeds.events(of: visitor, after: seen.last ?? 0, limit: 7)
                if page.events.isEmpty { return }
                seen += page.events.map(\.sequence)
            }
        }
        try await read()
        for await signal in signals.stream where seen.count < count {
            if signal == .changed { try await read() }
            if seen.count >= count { break }
        }
        return seen
    }

    @Test func twoWhoLookSeeEverythingOnceAndInOrder() async throws {
        try await PageWorld.with { world in
            let feeds = LiveFeeds(store: world.store)
            let visitor = try await enter(world)
            let other = try await enter(world)
            let (first, second) = try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for number in 1...100 {
                        try await add(number, to: visitor, world)
                        try await add(number, to: other, world)
                    }
                }
                async let first = follow(visitor, feeds, count: 100)
                async let second = follow(visitor, feeds, count: 100)
                let seen = try await (first, second)
                try await group.waitForAll()
                return seen
            }
            #expect(first == Array(1...100) && second == Array(1...100))
            #expect(try await feeds.newest(of: visitor) == 100)
        }
    }

    @Test func nobodyHearsOfAnothersConversation() async throws {
        try await PageWorld.with { world in
            let feeds = LiveFeeds(store: world.store)
            let (mine, foreign) = (try await enter(world), try await enter(world, at: PageWorld.jobs))
            var sameUserElsewhere = mine
            sameUserElsewhere.instance = PageWorld.salonApp.id
            let signals = Signals(feeds, mine)
            for visitor in [foreign, sameUserElsewhere, try await enter(world)] { try await add(1, to: visitor, world) }
            feeds.typing(instance: PageWorld.salon, user: mine.user)
            var iterator = signals.stream.makeAsyncIterator()
            #expect(await iterator.next() == .typing)
            #expect(try await feeds.events(of: mine, after: 0, limit: 10).events.isEmpty)
        }
    }

    @Test func whoLeavesIsForgotten() async throws {
        try await PageWorld.with { world in
            let feeds = LiveFeeds(store: world.store)
            let visitor = try await enter(world)
            func glance() { _ = feeds.subscribe(to: visitor) { _ in } }
            for _ in 0..<1000 { glance() }
            #expect(feeds.subscriberCount == 0)
            let readers = (0..<1000).map { _ in feeds.subscribe(to: visitor) { _ in } }
            #expect(feeds.subscriberCount == 1000)
            readers[0].cancel()
            readers[0].cancel()
            #expect(feeds.subscriberCount == 999)
            withExtendedLifetime(readers) {}
        }
    }
}

/// A feed's signals as a stream.
private struct Signals {
    let stream: AsyncStream<FeedSignal>
    private let subscription: FeedSubscription

    init(_ feeds: LiveFeeds, _ visitor: Visitor) {
        let (stream, continuation) = AsyncStream<FeedSignal>.makeStream(bufferingPolicy: .unbounded)
        self.stream = stream
        subscription = feeds.subscribe(to: visitor) { continuation.yield($0) }
    }
}
