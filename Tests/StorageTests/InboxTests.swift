import Conversation
import TestKit
import Testing

@testable import Storage

/// Messages that wait for their turn: what can be seen of them is the same whether each is a task or stands in its lane's inbox.
struct InboxTests {
    private let brand = BrandID(rawValue: "salon")
    private let instance = InstanceID(rawValue: "salon-whatsapp")

    private struct Customer: Sendable {
        var user: UserID
        var lane: Lane
    }

    private func customer(_ store: Store) async throws -> Customer {
        let user = try await store.brand(brand).write {
            try $0.resolveUser(
                channel: ChannelName(rawValue: "whatsapp"), sender: sender, tier: "verified", verified: true)
        }
        return Customer(user: user, lane: Lane(brand: brand, instance: instance, user: user))
    }

    private var sender: Sender { Sender(identifiers: [Identifier(kind: .phone, value: "+12125550100")]) }

    private func session(_ customer: Customer, _ store: Store) async throws -> SessionID {
        try await store.brand(brand).write { transaction in
            if let running = try transaction.activeSession(instance: instance, user: customer.user) {
                try transaction.endSession(running.id)
            }
            return try transaction.openSession(instance: instance, user: customer.user)
        }
    }

    /// Stores `count` messages, each in a transaction of its own, and lets them have their turn.
    private func say(_ count: Int, _ customer: Customer, _ session: SessionID, _ store: Store) async throws -> [QueueTaskID] {
        var all: [QueueTaskID] = []
        for _ in 0..<count {
            all.append(
                try await store.brand(brand).write { transaction in
                    let id = MessageID(transaction.newID())
                    let message = InboundMessage(
                        providerID: id.description, sender: sender, content: .text("hello"), sentAt: transaction.now)
                    let isNew = try transaction.insertInbound(
                        message, content: message.content.canonicalText, id: id, session: session, instance: instance, user: customer.user)
                    #expect(isNew)
                    try transaction.enqueue(id, session: session, lane: customer.lane)
                    return QueueTaskID(id.value)
                })
        }
        return all
    }

    private func tasks(_ customer: Customer, _ store: Store) async throws -> [QueueTaskID] {
        try await TaskQueue(store: store).tasks(in: customer.lane.key, brand: brand).map(\.id)
    }

    /// Works off the lane like a worker that keeps it, and returns what it was given.
    private func workOff(_ store: Store, during work: (QueueTask) async throws -> Void = { _ in }) async throws -> [QueueTask] {
        guard let first = try await store.claim().work.first else { return [] }
        var done: [QueueTask] = []
        var next: QueueTask? = first.task
        while let task = next {
            try await work(task)
            next = try await store.brand(brand).write { transaction in
                try transaction.fence(first.lease)
                try transaction.remove(task, from: first.lease)
                let following = try transaction.takeNext(first.lease)
                if following == nil { try transaction.release(first.lease) }
                return following
            }
            done.append(task)
        }
        return done
    }

    @Test func messagesHaveTheirTurnInTheirOrder() async throws {
        try await TemporaryStore.with { store in
            let customer = try await customer(store)
            let session = try await session(customer, store)
            var said = try await say(3, customer, session, store)
            let queue = TaskQueue(store: store)
            #expect(try await tasks(customer, store) == said)
            let first = try #require(try await queue.peek(lane: customer.lane.key, brand: brand))
            #expect(first.id == said[0] && first.kind == NewTask.message && first.state == .pending && first.attempts == 0)
            #expect(first.payload["session"]?.string == session.description && first.payload["message"]?.string == "\(said[0])")
            #expect(try await queue.hasPending(lane: customer.lane.key, atOrAbove: .normal, brand: brand))
            #expect(try await !queue.hasPending(lane: customer.lane.key, atOrAbove: .high, brand: brand))
            #expect(try await store.brand(brand).read { try $0.pendingTasks(in: customer.lane.key) } == 3)
            #expect(try await store.brand(brand).read { try $0.hasOpenWork(customer.user, instance: instance) })

            // What comes while one is worked on waits behind the others.
            var late: [QueueTaskID] = []
            let done = try await workOff(store) { task in
                #expect(task.attempts == 1 && task.payload["message"]?.string == "\(task.id)")
                if late.isEmpty || task.id == said[2] { late += try await say(1, customer, session, store) }
            }
            said += late
            #expect(done.map(\.id) == said && said.count == 5)
            #expect(try await tasks(customer, store).isEmpty)
            #expect(try await !queue.hasPending(lane: customer.lane.key, brand: brand))
            #expect(try await !store.brand(brand).read { try $0.hasOpenWork(customer.user, instance: instance) })
            #expect(try await store.claim().work.isEmpty)

            let again = try await say(1, customer, session, store)
            #expect(try await workOff(store).map(\.id) == again)
        }
    }

    @Test func whatIsMoreUrgentGoesFirstAndWhatIsLessGoesLast() async throws {
        try await TemporaryStore.with { store in
            let customer = try await customer(store)
            let said = try await say(2, customer, session(customer, store), store)
            _ = try await store.put(900, lane: customer.lane.key, priority: .high)
            _ = try await store.put(901, lane: customer.lane.key, priority: .low)
            let (high, low) = (QueueTaskID(UniqueID(high: 1, low: 900)), QueueTaskID(UniqueID(high: 1, low: 901)))
            #expect(try await tasks(customer, store) == [high] + said + [low])
            #expect(try await TaskQueue(store: store).peek(lane: customer.lane.key, brand: brand)?.id == high)
            #expect(try await workOff(store).map(\.id) == [high] + said + [low])
        }
    }

    @Test func aReleasedLaneIsReadyAsLongAsAMessageWaits() async throws {
        try await TemporaryStore.with { store in
            let customer = try await customer(store)
            let said = try await say(2, customer, session(customer, store), store)
            for id in said {
                let claim = try await store.claim()
                let work = try #require(claim.work.first)
                #expect(claim.work.count == 1 && work.task.id == id)
                try await store.brand(brand).write {
                    try $0.remove(work.task, from: work.lease)
                    try $0.release(work.lease)
                }
            }
            #expect(try await store.claim().work.isEmpty)
        }
    }

    @Test func theNextSessionsMessagesWaitForThoseOfTheLast() async throws {
        try await TemporaryStore.with { store in
            let customer = try await customer(store)
            let earlier = try await session(customer, store)
            var said = try await say(2, customer, earlier, store)
            let later = try await session(customer, store)
            said += try await say(2, customer, later, store)
            #expect(try await tasks(customer, store) == said)
            #expect(try await workOff(store).map(\.id) == said)
        }
    }

    @Test func anAttemptThatIsPutOffKeepsWhatCameLaterWaiting() async throws {
        let clock = ControlledClock()
        try await TemporaryStore.with(clock: clock) { store in
            let customer = try await customer(store)
            let said = try await say(2, customer, session(customer, store), store)
            let work = try #require(try await store.claim().work.first)
            try await store.brand(brand).write {
                try $0.postpone(work.task, in: work.lease, until: $0.now + .seconds(4), holdingLane: true)
            }
            #expect(try await store.claim().work.isEmpty)
            clock.advance(by: .seconds(5))
            let done = try await workOff(store)
            #expect(done.map(\.id) == said && done.map(\.attempts) == [2, 1])
        }
    }

    @Test func aLaneThatWaitedForACancelledTaskGoesOnWithItsInbox() async throws {
        try await TemporaryStore.with(clock: ControlledClock()) { store in
            let customer = try await customer(store)
            let session = try await session(customer, store)
            var said = try await say(1, customer, session, store)
            let work = try #require(try await store.claim().work.first)
            try await store.brand(brand).write {
                try $0.postpone(work.task, in: work.lease, until: $0.now + .seconds(60), holdingLane: true)
            }
            said += try await say(2, customer, session, store)
            let (first, lane) = (said[0], customer.lane.key)
            #expect(try await store.brand(brand).write { try $0.cancel(first, lane: lane) } == .cancelled)
            #expect(try await workOff(store).map(\.id) == Array(said.dropFirst()))
        }
    }

    /// Wherever it stands in the line, and whether it is a task already.
    @Test(arguments: [0, 1, 3]) func aMessageThatWaitsCanBeCancelled(place: Int) async throws {
        try await TemporaryStore.with { store in
            let customer = try await customer(store)
            let session = try await session(customer, store)
            let said = try await say(4, customer, session, store)
            let (cancelled, lane) = (said[place], customer.lane.key)
            let queue = TaskQueue(store: store)
            #expect(try await queue.cancel(cancelled, lane: lane, brand: brand) == .cancelled)
            #expect(try await queue.cancel(cancelled, lane: lane, brand: brand) == .notFound)
            let left = said.filter { $0 != cancelled }
            #expect(try await tasks(customer, store) == left)
            let message = try await store.brand(brand).read { try $0.message(MessageID(cancelled.value), session: session) }
            #expect(message?.outcome == "dropped:cancelled")
            let late = try await say(1, customer, session, store)
            let done = try await workOff(store)
            #expect(done.map(\.id) == left + late && done.allSatisfy { $0.attempts == 1 })
            #expect(try await store.claim().work.isEmpty)
        }
    }

    @Test func theOnlyMessageThatWaitsCanBeCancelled() async throws {
        try await TemporaryStore.with { store in
            let customer = try await customer(store)
            let session = try await session(customer, store)
            let (only, lane) = (try await say(1, customer, session, store)[0], customer.lane.key)
            #expect(try await TaskQueue(store: store).cancel(only, lane: lane, brand: brand) == .cancelled)
            #expect(try await store.claim().work.isEmpty)
            #expect(try await !store.brand(brand).read { try $0.hasOpenWork(customer.user, instance: instance) })
            let next = try await say(1, customer, session, store)
            #expect(try await workOff(store).map(\.id) == next)
        }
    }

    /// Neither one whose turn runs, nor one that had its turn, nor one of another lane; and nothing of the line is touched.
    @Test func onlyWhatWaitsIsCancelled() async throws {
        try await TemporaryStore.with { store in
            let customer = try await customer(store)
            let session = try await session(customer, store)
            let said = try await say(3, customer, session, store)
            let queue = TaskQueue(store: store)
            let (lane, stranger) = (customer.lane.key, QueueTaskID(UniqueID(high: .max, low: 1)))
            #expect(try await queue.cancel(stranger, lane: lane, brand: brand) == .notFound)
            #expect(try await queue.cancel(said[0], lane: "turn:other", brand: brand) == .notFound)
            let work = try #require(try await store.claim().work.first)
            #expect(try await queue.cancel(said[0], lane: lane, brand: brand) == .requested)
            let message = try await store.brand(brand).read { try $0.message(MessageID(said[0].value), session: session) }
            #expect(message?.outcome == nil)
            try await store.brand(brand).write {
                try $0.remove(work.task, from: work.lease)
                try $0.release(work.lease)
            }
            #expect(try await queue.cancel(said[0], lane: lane, brand: brand) == .notFound)
            #expect(try await workOff(store).map(\.id) == Array(said.dropFirst()))
        }
    }

    @Test func aBurstCostsNoTaskUntilItsTurnComes() async throws {
        try await TemporaryStore.with(.sqlite) { store in
            let customer = try await customer(store)
            _ = try await say(5, customer, session(customer, store), store)
            #expect(try await store.database.read(.installation) { try $0.rows(SQL("SELECT 1 FROM tasks"), []).count } == 0)
            _ = try await store.claim()
            #expect(try await store.database.read(.installation) { try $0.rows(SQL("SELECT 1 FROM tasks"), []).count } == 1)
        }
    }

    /// A program of the version before releases a lane without looking into the inbox.
    @Test func whatAnOlderProgramOverlookedHasItsTurnAfterAStart() async throws {
        try await TemporaryStore.with(.sqlite) { store in
            let customer = try await customer(store)
            let said = try await say(2, customer, session(customer, store), store)
            try await store.spoil("UPDATE lanes SET ready_at = NULL", database: store.database)
            #expect(try await store.claim().work.isEmpty)
            try await store.voidLeases()
            #expect(try await workOff(store).map(\.id) == said)
        }
    }
}
