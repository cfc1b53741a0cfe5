import Conversation
import Foundation
import Synchronization
import TestKit
import Testing

@testable import Storage

/// A conversation's turn that takes a call back while another node stores how the call ended: neither may wait for the other while the
/// other waits for it, or the database ends one of them after a second.
@Suite(.timeLimit(.minutes(1))) struct LockOrderTests {
    private static let brand = BrandID(rawValue: "salon")
    private static let instance = InstanceID(rawValue: "salon-whatsapp")

    /// What threads of two nodes wait for; once open it stays so, for a unit may run twice. `@unchecked`: guarded by `condition`.
    private final class Gate: @unchecked Sendable {
        private let condition = NSCondition()
        private var isOpen = false

        func open() {
            condition.withLock {
                isOpen = true
                condition.broadcast()
            }
        }

        /// For the thread of a connection, which has nothing else to do. False when nobody opens it.
        func pass() -> Bool {
            let end = Date(timeIntervalSinceNow: 10)
            return condition.withLock {
                while !isOpen, condition.wait(until: end) {}
                return isOpen
            }
        }
    }

    /// How often each unit ran.
    private final class Runs: Sendable {
        let turn = Atomic(0)
        let call = Atomic(0)
    }

    private static let waiters = SQL(
        "SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'transactionid' AND transactionid = pg_current_xact_id()::xid")

    /// Returns when another transaction waits for a row of this one.
    private static func waitForAWaiter(_ transaction: BrandTransaction) throws -> Bool {
        let end = ContinuousClock.now + .seconds(10)
        while try transaction.connection.rows(waiters, []).isEmpty { if ContinuousClock.now > end { return false } }
        return true
    }

    private struct World {
        let turns: Store
        let calls: Store
        let call: ActionID
        let conversation: Lane
        /// Of the conversation and of the call, each held by its node.
        let turnLease: LaneLease
        let callLease: LaneLease
        let task: QueueTask
    }

    /// Two nodes: one has the conversation's turn in hand, the other the call.
    private func with(_ body: (World) async throws -> Void) async throws {
        let server = try await PostgresServer.shared()
        let addresses = try await server.makeDatabase()
        var databases: [PostgreSQLDatabase] = []
        do {
            for _ in 0..<2 { databases.append(try await PostgreSQLDatabase(url: addresses.gateway, options: .forTests)) }
            let stores = zip(databases, ["node-1", "node-2"]).map {
                Store(database: $0, clock: SystemClock(), ids: SystemIDs(), node: $1)
            }
            try await body(try await world(stores[0], stores[1]))
        } catch {
            for database in databases { await database.close() }
            try await server.discard(addresses)
            throw error
        }
        for database in databases { await database.close() }
        try await server.giveBack(addresses)
    }

    private func world(_ turns: Store, _ calls: Store) async throws -> World {
        let (call, conversation) = try await turns.brand(Self.brand).write { transaction in
            let user = try transaction.resolveUser(
                channel: ChannelName(rawValue: "whatsapp"), sender: Sender(identifiers: [Identifier(kind: .phone, value: "+12125550100")]),
                tier: "guest", verified: true)
            let session = try transaction.openSession(instance: Self.instance, user: user)
            let (id, lane) = (ActionID(transaction.newID()), Lane(brand: Self.brand, instance: Self.instance, user: user))
            let decision = ActionDecision(
                id: id, taskID: transaction.newID(), intentID: IntentID(transaction.newID()), canonicalAction: "list", params: [:],
                method: "GET", target: "/bookings", body: nil, idempotencyKey: [1], fingerprint: [2], priority: .normal)
            _ = try transaction.insertAction(decision, session: session, instance: Self.instance, user: user)
            for (lane, pool) in [(ActionRecord.lane(of: id), LanePool.action), (lane.key, .turn)] {
                try transaction.enqueue(
                    NewTask(
                        id: QueueTaskID(transaction.newID()), lane: lane, pool: pool, kind: "test", payload: .null, runAt: transaction.now))
            }
            return (id, lane)
        }
        let turn = try #require(try await turns.claim(.turn).work.first)
        let work = try #require(try await calls.claim(.action).work.first)
        return World(
            turns: turns, calls: calls, call: call, conversation: conversation, turnLease: turn.lease, callLease: work.lease,
            task: work.task)
    }

    private enum First: CaseIterable { case turn, call }

    /// Both have their own lane before either reaches for the other's; `first` reaches first.
    @Test(arguments: First.allCases, [true, false])
    private func takingBackAndEndingDoNotWaitForEachOther(first: First, isRead: Bool) async throws {
        try await with { world in
            let (turnHasLane, callHasLane, turnHasReached) = (Gate(), Gate(), Gate())
            let runs = Runs()
            async let taking = world.turns.brand(Self.brand).write { transaction in
                runs.turn.add(1, ordering: .relaxed)
                try transaction.fence(world.turnLease)
                _ = try transaction.action(world.call)
                turnHasLane.open()
                #expect(callHasLane.pass())
                if first == .call { #expect(try Self.waitForAWaiter(transaction)) }
                let isTakenBack = try transaction.cancelAction(world.call, isRead: isRead)
                turnHasReached.open()
                return isTakenBack
            }
            async let ending: Void = world.calls.brand(Self.brand).write { transaction in
                runs.call.add(1, ordering: .relaxed)
                try transaction.fence(world.callLease)
                guard try transaction.isQueued(world.call) else { return }
                callHasLane.open()
                #expect(turnHasLane.pass())
                if first == .turn { #expect(turnHasReached.pass()) }
                try transaction.setAction(world.call, .done, mayHaveTakenEffect: true)
                try transaction.enqueue(
                    NewTask(
                        id: QueueTaskID(transaction.newID()), lane: world.conversation.key, pool: .turn, kind: "tool_result",
                        payload: .null, runAt: transaction.now))
                try transaction.remove(world.task, from: world.callLease)
                try transaction.release(world.callLease)
            }
            let isTakenBack = try await taking
            try await ending
            #expect(!isTakenBack, "its end was being stored")
            let (turns, calls) = (runs.turn.load(ordering: .relaxed), runs.call.load(ordering: .relaxed))
            #expect(turns == 1 && calls == 1, "nobody was ended by the database and ran again")
            #expect(try await world.turns.brand(Self.brand).read { try $0.action(world.call)?.state } == .done)
        }
    }

    /// The end keeps the conversation still before it changes what a turn changes too.
    @Test func anEndBeginsWithItsConversation() async throws {
        try await with { world in
            let turnHasLane = Gate()
            let runs = Runs()
            async let taking = world.turns.brand(Self.brand).write { transaction in
                try transaction.fence(world.turnLease)
                _ = try transaction.action(world.call)
                turnHasLane.open()
                #expect(try Self.waitForAWaiter(transaction))
                return try transaction.cancelAction(world.call, isRead: true)
            }
            let isWanted = try await world.calls.brand(Self.brand).write { transaction in
                runs.call.add(1, ordering: .relaxed)
                #expect(turnHasLane.pass())
                try transaction.fence(world.callLease)
                try transaction.lock(world.conversation)
                return try transaction.isQueued(world.call)
            }
            #expect(try await taking)
            #expect(!isWanted, "it was taken back while its end waited")
            #expect(runs.call.load(ordering: .relaxed) == 1)
        }
    }
}
