import Conversation
import Logging
import Synchronization
import TestKit
import Testing

@testable import Storage

/// A store that several nodes have open: who dies is found out by the end of a lease alone.
struct QueueTakeoverTests {
    private let brand = BrandID(rawValue: "salon")

    @Test func aStartVoidsNothingThatOtherNodesHold() async throws {
        try await TwoNodes.with { nodes in
            _ = try await nodes.first.put(1)
            let held = try #require(try await nodes.first.claim().work.first)
            #expect(try await nodes.second.voidLeases() == 0)
            #expect(try await nodes.second.claim().work.isEmpty)
            try await nodes.first.brand(brand).write { try $0.fence(held.lease) }
        }
    }

    @Test func leasesEndByTheDatabasesClock() async throws {
        try await TwoNodes.with { nodes in
            _ = try await nodes.first.put(1)
            let old = try #require(try await nodes.first.claim().work.first)
            nodes.clock.advance(by: .seconds(29))
            #expect(try await nodes.second.claim().work.isEmpty)
            nodes.clock.advance(by: .seconds(2))
            let new = try #require(try await nodes.second.claim().work.first)
            #expect(new.task.wasInterrupted && new.task.attempts == 2 && new.task.crashes == 1)
            await #expect(throws: QueueError.self) { try await nodes.first.brand(brand).write { try $0.fence(old.lease) } }
            let renewed = try await nodes.first.brand(brand).write { try $0.renew(old.lease, until: $0.now + .seconds(30)) }
            #expect(!renewed)
        }
    }

    @Test func whatComesAfterTheTaskOfADeadWorkerCountsNoCrash() async throws {
        try await TwoNodes.with { nodes in
            _ = try await nodes.first.put(1)
            _ = try await nodes.first.put(2)
            _ = try await nodes.first.claim()
            nodes.clock.advance(by: .seconds(31))
            let taken = try #require(try await nodes.second.claim().work.first)
            let next = try await nodes.second.brand(brand).write { transaction in
                try transaction.remove(taken.task, from: taken.lease)
                return try transaction.takeNext(taken.lease)
            }
            #expect(next?.payload["n"] == 2 && next?.crashes == 0 && next?.wasInterrupted == false)
        }
    }

    @Test func aRetryThatComesDueIsNoCrash() async throws {
        try await TwoNodes.with { nodes in
            _ = try await nodes.first.put(1)
            let first = try #require(try await nodes.first.claim().work.first)
            try await nodes.first.brand(brand).write {
                try $0.postpone(first.task, in: first.lease, until: $0.now + .seconds(1), holdingLane: true, mayHaveActed: true)
            }
            nodes.clock.advance(by: .seconds(2))
            let again = try #require(try await nodes.second.claim().work.first)
            #expect(again.task.wasInterrupted && again.task.crashes == 0)
        }
    }

    @Test func twoDeadWorkersMakeASuspectAndOneAloneTheConviction() async throws {
        try await TwoNodes.with { nodes in
            _ = try await nodes.first.put(1)
            var seen: [Int] = []
            for node in [nodes.first, nodes.second, nodes.first] {
                seen.append(try #require(try await node.claim().work.first).task.crashes)
                nodes.clock.advance(by: .seconds(31))
            }
            let suspect = try #require(try await nodes.second.claim().work.first)
            seen.append(suspect.task.crashes)
            #expect(seen == [0, 1, 2, 2] && suspect.task.isSuspect && !suspect.task.isConvicted)
            try await nodes.second.brand(brand).write { try $0.runsAlone(suspect.task, in: suspect.lease) }
            nodes.clock.advance(by: .seconds(31))
            #expect(try await nodes.first.claim().work.first?.task.isConvicted == true)
        }
    }

    private struct Sending: TaskHandler {
        let begun: AsyncStream<Void>.Continuation
        let gate: AsyncStream<Void>
        let results: AsyncStream<Bool>.Continuation

        func handle(_ context: TaskContext) async throws {
            begun.yield()
            for await _ in gate { break }
            do {
                try await context.confirm(mayAct: true)
                try await context.finish { _ in }
                results.yield(true)
            } catch {
                results.yield(false)
                throw error
            }
        }

        func giveUp(_ task: QueueTask, lane: String, error: any Error, in transaction: BrandTransaction) throws {}
    }

    /// A worker that stood still for longer than its lease sends nothing when somebody else has its lane by then.
    @Test(arguments: [true, false]) func whoeverStoodStillAsksBeforeItSends(isTakenOver: Bool) async throws {
        try await TwoNodes.with { nodes in
            let (begun, begins) = AsyncStream.makeStream(of: Void.self)
            let (gate, opener) = AsyncStream.makeStream(of: Void.self)
            let (results, result) = AsyncStream.makeStream(of: Bool.self)
            let handler = Sending(begun: begins, gate: gate, results: result)
            let dispatcher = TaskDispatcher(
                store: nodes.first, pool: .turn, handler: handler, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            _ = try await nodes.first.put(1)
            let running = Task { try await dispatcher.run() }
            var start = begun.makeAsyncIterator()
            await start.next()
            // Until it waits for more: its own look must not fall into the time that passes now.
            while (nodes.first.clock as? ControlledClock)?.sleepers ?? 2 < 2 { await Task.yield() }
            // Time passes for the database and the node's own clock; its renewal has not had a turn yet when it goes on.
            nodes.clock.advance(by: .seconds(91))
            if isTakenOver { #expect(try await nodes.second.claim().work.count == 1) }
            dispatcher.watch.mark([try #require(dispatcher.state.withLock { $0.active.first })], at: dispatcher.watch.moment())
            (nodes.first.clock as? ControlledClock)?.advance(by: .seconds(9))
            opener.yield()
            opener.yield()
            var ends = results.makeAsyncIterator()
            #expect(await ends.next() == !isTakenOver)
            running.cancel()
            try await running.value
        }
    }

    private struct Queueing: TaskHandler {
        let begun: AsyncStream<QueueTask>.Continuation
        let gate: AsyncStream<Void>
        let answers: AsyncStream<Bool?>.Continuation

        func handle(_ context: TaskContext) async throws {
            try await context.act(mayAct: true) {
                begun.yield(context.task)
                for await _ in gate { break }
                answers.yield(OutwardCalls.mayBegin?())
            }
            answers.yield(OutwardCalls.mayBegin?())
            try await context.finish { _ in }
        }

        func giveUp(_ task: QueueTask, lane: String, error: any Error, in transaction: BrandTransaction) throws {}
    }

    /// A process that stands still while its call waits for a place must not send when it goes on: somebody else may have sent by then.
    /// Nothing was sent, so it was no attempt; and the next one is not begun at once.
    @Test(arguments: [true, false]) func aCallThatWaitsForAPlaceIsFencedWhenItGetsOne(standsStill: Bool) async throws {
        try await TwoNodes.with { nodes in
            let (begun, begins) = AsyncStream.makeStream(of: QueueTask.self)
            let (gate, opener) = AsyncStream.makeStream(of: Void.self)
            let (answers, answer) = AsyncStream.makeStream(of: Bool?.self)
            let dispatcher = TaskDispatcher(
                store: nodes.first, pool: .turn, handler: Queueing(begun: begins, gate: gate, answers: answer),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            _ = try await nodes.first.put(1)
            let running = Task { try await dispatcher.run() }
            var start = begun.makeAsyncIterator()
            #expect(await start.next()?.attempts == 1)
            // Nothing was heard of the lease for a while.
            if standsStill { dispatcher.watch.forget(try #require(dispatcher.state.withLock { $0.active.first })) }
            opener.yield()
            var seen = answers.makeAsyncIterator()
            #expect(await seen.next() == .some(!standsStill))
            if standsStill {
                while dispatcher.busyLanes > 0 { await Task.yield() }
                // It would take the lane again itself.
                running.cancel()
                try await running.value
                #expect(try await nodes.second.claim().work.isEmpty, "it waits a moment")
                nodes.clock.advance(by: .seconds(2))
                let again = try #require(try await nodes.second.claim().work.first)
                #expect(again.task.attempts == 1 && !again.task.wasInterrupted && again.task.crashes == 0)
            } else {
                #expect(await seen.next() == .some(nil), "the rule ends with the call")
            }
            running.cancel()
            try await running.value
        }
    }

    /// What an attempt before this one may have done stays known.
    @Test func aCallThatCameTooLateKeepsWhatWasInterrupted() async throws {
        try await TwoNodes.with { nodes in
            _ = try await nodes.first.put(1)
            let first = try #require(try await nodes.first.claim().work.first)
            try await nodes.first.brand(brand).write {
                try $0.postpone(first.task, in: first.lease, until: $0.now, holdingLane: true, mayHaveActed: true)
            }
            let (begun, begins) = AsyncStream.makeStream(of: QueueTask.self)
            let (gate, opener) = AsyncStream.makeStream(of: Void.self)
            let (_, answer) = AsyncStream.makeStream(of: Bool?.self)
            let dispatcher = TaskDispatcher(
                store: nodes.first, pool: .turn, handler: Queueing(begun: begins, gate: gate, answers: answer),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let running = Task { try await dispatcher.run() }
            var start = begun.makeAsyncIterator()
            #expect(await start.next()?.wasInterrupted == true)
            dispatcher.watch.forget(try #require(dispatcher.state.withLock { $0.active.first }))
            opener.yield()
            while dispatcher.busyLanes > 0 { await Task.yield() }
            running.cancel()
            try await running.value
            nodes.clock.advance(by: .seconds(2))
            let again = try #require(try await nodes.second.claim().work.first)
            #expect(again.task.attempts == 2 && again.task.wasInterrupted)
        }
    }

    private func isNew(_ store: Store) async throws -> Bool {
        try await store.brand(brand).write { transaction in
            if case .new = try transaction.claimRequest(key: "k", bodyHash: [1]) { return true }
            return false
        }
    }

    @Test func anUnansweredRequestMayBeMadeAgainWhenItIsOld() async throws {
        try await TwoNodes.with { nodes in
            var isNew = [try await self.isNew(nodes.first)]
            nodes.clock.advance(by: .seconds(60))
            isNew.append(try await self.isNew(nodes.second))
            nodes.clock.advance(by: .seconds(61))
            isNew.append(try await self.isNew(nodes.second))
            isNew.append(try await self.isNew(nodes.first))
            #expect(isNew == [true, false, true, false])
        }
    }
}
