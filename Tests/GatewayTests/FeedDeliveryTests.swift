import Brain
import Conversation
import Logging
import Storage
import TestKit
import Testing

@testable import Gateway

struct FeedDeliveryTests {
    /// Queues one reply; its id.
    private func queue(_ world: PageWorld, _ visit: Visit) async throws -> MessageID {
        try await world.brand().write { transaction in
            let id = MessageID(transaction.newID())
            try transaction.insertOutbound(
                id: id, session: visit.session, instance: PageWorld.salon.id, user: visit.user.id, content: .text("Good day"),
                narrative: .null, inReplyTo: nil, turn: nil)
            let lane = Lane(brand: PageWorld.salon.brand, instance: PageWorld.salon.id, user: visit.user.id, kind: .delivery)
            try transaction.enqueue(
                NewTask(
                    id: QueueTaskID(id.value), lane: lane.key, pool: .delivery, kind: "deliver",
                    payload: ["message": .string(id.description)], runAt: transaction.now))
            return id
        }
    }

    /// Takes the delivery as a process does that dies in the middle of it.
    private func dieWhileSending(_ world: PageWorld) async throws {
        try await world.brand().write { transaction in
            let lease = try #require(try transaction.claimLanes(pool: .delivery, limit: 1, until: transaction.now).first)
            #expect(try transaction.takeNext(lease) != nil)
        }
    }

    /// Runs deliveries until the message has left the queue.
    private func deliver(_ id: MessageID, _ world: PageWorld) async throws -> MessageRecord {
        let handler = DeliveryHandler(
            registry: world.registry, policy: SendPolicy(), reading: ReadingSignals(clock: world.clock), unknownReply: .seconds(45),
            backoff: Backoff(RetryPolicy()), jitter: FixedJitter(), metrics: GatewayMetrics(), logger: Logger(label: "test"))
        let dispatcher = TaskDispatcher(store: world.store, pool: .delivery, handler: handler, logger: Logger(label: "test"))
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await dispatcher.run() }
            var record = try await world.brand().read { try $0.outboundMessage(id) }
            while record?.sendState == "queued" {
                if world.clock.sleepers >= 2, dispatcher.busyLanes == 0 { world.clock.advance(by: .milliseconds(500)) }
                await Task.yield()
                record = try await world.brand().read { try $0.outboundMessage(id) }
            }
            group.cancelAll()
            return try #require(record)
        }
    }

    private func feed(_ world: PageWorld, _ visit: Visit) async throws -> [FeedEvent] {
        try await world.brand().read { try $0.feed(instance: PageWorld.salon.id, user: visit.user.id, after: 0, limit: 100).events }
    }

    @Test func aReplyThatLeftStandsInTheFeedOnce() async throws {
        try await PageWorld.with { world in
            let visit = try await world.guest()
            let id = try await queue(world, visit)
            #expect(try await feed(world, visit).isEmpty)
            #expect(try await deliver(id, world).sendState == "sent")
            let events = try await feed(world, visit)
            #expect(events.map(\.sequence) == [1] && events.map(\.kind) == [.message])
            #expect(events.first?.body["id"]?.string == id.description && events.first?.body["direction"] == "out")
            #expect(events.first?.body["content"] == OutboundContent.text("Good day").json)
            // What a page loads anew is the same, letter by letter.
            let history = try await world.brand().read {
                try $0.conversation(instance: PageWorld.salon.id, user: visit.user.id, after: nil, limit: 10)
            }
            #expect(history.map(\.json) == events.map(\.body))
        }
    }

    @Test func aSendThatACrashCutShortIsRepeatedWhereThatIsSafe() async throws {
        try await PageWorld.with { world in
            let visit = try await world.guest()
            let id = try await queue(world, visit)
            try await dieWhileSending(world)
            #expect(try await deliver(id, world).sendState == "sent")
            #expect(world.channel.sent == 1)
            #expect(try await feed(world, visit).count == 1)
        }
    }

    @Test func aSendThatACrashCutShortIsUnknownElsewhere() async throws {
        try await PageWorld.with(channel: PageChannel(keepsFeed: false)) { world in
            let visit = try await world.guest()
            let id = try await queue(world, visit)
            try await dieWhileSending(world)
            #expect(try await deliver(id, world).sendState == "unknown")
            #expect(world.channel.sent == 0)
            #expect(try await feed(world, visit).isEmpty)
        }
    }

    @Test func anUnknownEndIsTriedAgainWhereThatIsSafe() async throws {
        let channel = PageChannel(outcomes: [.unknown(reason: "lost"), .notSent(reason: "busy", retryAfter: nil)])
        try await PageWorld.with(channel: channel) { world in
            let visit = try await world.guest()
            let id = try await queue(world, visit)
            #expect(try await deliver(id, world).sendState == "sent")
            #expect(channel.sent == 3)
            #expect(try await feed(world, visit).count == 1)
        }
    }

    @Test func aRefusedReplyIsNotShown() async throws {
        let refusal = ChannelError(code: "no", message: "not here", reaction: .never)
        try await PageWorld.with(channel: PageChannel(outcomes: [.refused(refusal)])) { world in
            let visit = try await world.guest()
            let id = try await queue(world, visit)
            #expect(try await deliver(id, world).sendState == "failed")
            #expect(try await feed(world, visit).isEmpty)
            let history = try await world.brand().read {
                try $0.conversation(instance: PageWorld.salon.id, user: visit.user.id, after: nil, limit: 10)
            }
            #expect(history.isEmpty)
        }
    }

    @Test func updatesReachTheFeedWithTheirNumbers() async throws {
        try await PageWorld.with { world in
            let visit = try await world.guest()
            let now = world.clock.now
            try await world.brand().write { transaction in
                let updates = [StreamingUpdate(.actionLookup, at: now), StreamingUpdate(.actionQueued, at: now, ["queue_id": "q"])]
                try transaction.show(
                    updates, session: visit.session, instance: PageWorld.salon.id, user: visit.user.id, on: UpdateTranslator(templates: [:])
                )
                try transaction.show(
                    [StreamingUpdate(.actionFailed, at: now)], session: visit.session, instance: PageWorld.salon.id, user: visit.user.id,
                    on: nil)
            }
            let events = try await feed(world, visit)
            #expect(events.map(\.kind) == [.update, .update])
            #expect(
                events.map { $0.body["seq"] } == [1, 2] && events.map { $0.body["update_type"] } == ["action_lookup", "action_queued"])
            #expect(events.last?.body["queue_id"] == "q")
            #expect(try await world.brand().read { try $0.updates(session: visit.session).count } == 3)
        }
    }
}
