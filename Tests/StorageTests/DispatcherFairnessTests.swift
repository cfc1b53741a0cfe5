import Conversation
import Logging
import Synchronization
import TestKit
import Testing

@testable import Storage

struct DispatcherFairnessTests {
    private func brand(_ name: String) -> BrandID { BrandID(rawValue: name) }

    @Test func roomIsDividedByWeight() {
        let shares = BrandShares { $0.rawValue == "big" ? 3 : 1 }
        let parts = Dictionary(uniqueKeysWithValues: shares.divide(40, among: [(brand("a"), 100), (brand("big"), 100)]))
        #expect(parts == [brand("a"): 10, brand("big"): 30])
    }

    @Test func whatOneDoesNotWantTheOthersGet() {
        let shares = BrandShares { _ in 1 }
        let parts = Dictionary(uniqueKeysWithValues: shares.divide(10, among: [(brand("a"), 2), (brand("b"), 100), (brand("c"), 0)]))
        #expect(parts == [brand("a"): 2, brand("b"): 8])
    }

    @Test func freedPlacesGoRoundByWeightWhenAllIsTaken() {
        var shares = BrandShares { $0.rawValue == "big" ? 3 : 1 }
        var got: [BrandID: Int] = [:]
        for _ in 0..<400 {
            for (brand, lanes) in shares.divide(1, among: [(brand("a"), 9), (brand("b"), 9), (brand("big"), 9)]) {
                shares.charge(brand, lanes: lanes)
                got[brand, default: 0] += lanes
            }
        }
        #expect(got[brand("big")] == 240 && got[brand("a")] == 80 && got[brand("b")] == 80)
    }

    @Test func whoeverSleptDoesNotCollectThenWhatTheOthersHad() {
        var shares = BrandShares { _ in 1 }
        for _ in 0..<1000 { shares.charge(brand("busy"), lanes: 1) }
        var got: [BrandID: Int] = [:]
        for _ in 0..<20 {
            for (brand, lanes) in shares.divide(1, among: [(brand("busy"), 9), (brand("late"), 9)]) {
                shares.charge(brand, lanes: lanes)
                got[brand, default: 0] += lanes
            }
        }
        #expect((9...11).contains(got[brand("late")] ?? 0))
    }

    @Test func aBrandWithManyReadyLanesDoesNotPutOffAnother() {
        var state = DispatcherState(perBrand: 512, total: 512)
        state.wake(brand("flood"))
        let now = Timestamp(seconds: 10)
        let first = state.claimable(at: now)
        #expect(first.map(\.1) == [128], "a claim is a page")
        let lanes = (0..<512).map { LaneLease(brand: brand("flood"), lane: "\($0)", pool: .turn, epoch: 1) }
        for page in 0..<4 {
            state.endLook(brand("flood"), claimed: Array(lanes[(page * 128)..<(page * 128 + 128)]), next: Timestamp(seconds: 0))
        }
        #expect(state.claimable(at: now).isEmpty)
        state.wake(brand("small"))
        state.end(lanes[0])
        let next = state.claimable(at: now)
        #expect(next.map(\.0) == [brand("small")] && next.map(\.1) == [1])
    }

    private struct Counting: TaskHandler {
        let done: AsyncStream<BrandID>.Continuation
        func handle(_ context: TaskContext) async throws {
            try await context.finish { _ in }
            done.yield(context.lease.brand)
        }
        func giveUp(_ task: QueueTask, lane: String, error: any Error, in transaction: BrandTransaction) throws {}
    }

    /// Nobody was told of it: another node put it in, or the word was lost.
    @Test func workThatNobodyToldOfIsFoundWithinASweep() async throws {
        let clock = ControlledClock()
        try await TemporaryStore.with(clock: clock) { store in
            let silent = Store(database: store.database, clock: clock, ids: CountingIDs(from: 77), node: "other")
            let (done, ends) = AsyncStream.makeStream(of: BrandID.self)
            let dispatcher = TaskDispatcher(
                store: store, pool: .turn, handler: Counting(done: ends), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let running = Task { try await dispatcher.run() }
            while clock.sleepers < 2 { await Task.yield() }
            _ = try await silent.put(1, brand: brand("new"))
            clock.advance(by: .milliseconds(1900))
            while clock.sleepers < 2 { await Task.yield() }
            clock.advance(by: .milliseconds(100))
            var iterator = done.makeAsyncIterator()
            #expect(await iterator.next() == brand("new"))
            running.cancel()
            try await running.value
        }
    }
}
