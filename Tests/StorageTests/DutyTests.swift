import Conversation
import Foundation
import Storage
import TestKit
import Testing

struct DutyTests {
    private let brand = BrandID(rawValue: "salon")

    private func withTwo(isShared: Bool, _ body: (ControlledClock, [Store]) async throws -> Void) async throws {
        let clock = ControlledClock()
        let path = NSTemporaryDirectory() + "switchboard-duties-\(UUID().uuidString).sqlite"
        let database = WrappedDatabase(try SQLiteDatabase(path: path), isShared: isShared)
        try await body(clock, ["a", "b"].map { Store(database: database, clock: clock, ids: CountingIDs(), node: $0) })
        await database.close()
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
    }

    private func claim(
        _ store: Store, _ duty: BrandTransaction.Duty = .housekeeping, brand: BrandID = BrandID(rawValue: "salon")
    ) async throws -> Bool {
        try await store.brand(brand).write { try $0.claim(duty, for: .seconds(30)) }
    }

    @Test func oneNodeHasADutyUntilItsLeaseEnds() async throws {
        try await withTwo(isShared: true) { (clock, stores) async throws in
            #expect(try await claim(stores[0]))
            #expect(try await !claim(stores[1]))
            #expect(try await claim(stores[1], .handoverWatch))
            #expect(try await claim(stores[1], brand: BrandID(rawValue: "jobs")))
            clock.advance(by: .seconds(29))
            #expect(try await claim(stores[0]), "whoever has it renews it")
            clock.advance(by: .seconds(29))
            #expect(try await !claim(stores[1]))
            clock.advance(by: .seconds(1))
            #expect(try await claim(stores[1]))
            #expect(try await !claim(stores[0]))
        }
    }

    @Test func aDutyThatIsLeftIsFreeAtOnce() async throws {
        try await withTwo(isShared: true) { (_, stores) async throws in
            #expect(try await claim(stores[0], .handoverWatch))
            #expect(try await claim(stores[0], .housekeeping))
            try await stores[1].brand(brand).release(.handoverWatch)
            #expect(try await !claim(stores[1], .handoverWatch), "nobody leaves what another has")
            try await stores[0].brand(brand).release(.handoverWatch)
            #expect(try await claim(stores[1], .handoverWatch))
            #expect(try await !claim(stores[1], .housekeeping))
        }
    }

    @Test func aNodeThatLostARequestHasNoSayInIt() async throws {
        try await TwoNodes.with { nodes in
            func claim(_ store: Store) async throws -> BrandTransaction.RequestClaim {
                try await store.brand(brand).write { try $0.claimRequest(key: "k", bodyHash: [1]) }
            }
            guard case .new = try await claim(nodes.first) else {
                Issue.record("nobody had it")
                return
            }
            nodes.clock.advance(by: .seconds(121))
            guard case .new = try await claim(nodes.second) else {
                Issue.record("it is taken over")
                return
            }
            // The first one lives after all: what it says now counts no more.
            try await nodes.first.brand(brand).write { try $0.storeAnswer(key: "k", status: 500, body: [9]) }
            try await nodes.first.brand(brand).write { try $0.forgetRequest(key: "k") }
            guard case .running = try await claim(nodes.first) else {
                Issue.record("it is the second's now")
                return
            }
            try await nodes.second.brand(brand).write { try $0.storeAnswer(key: "k", status: 200, body: [2]) }
            guard case .answered(200, [2]) = try await claim(nodes.first) else {
                Issue.record("it is answered, whoever asks")
                return
            }
        }
    }

    @Test func whereOneProcessOpensTheStoreAllDutiesAreItsOwn() async throws {
        try await withTwo(isShared: false) { (_, stores) async throws in
            #expect(try await claim(stores[0]))
            #expect(try await claim(stores[1]))
        }
    }

    @Test func aRequestOfANodeThatDiedMayBeMadeAgain() async throws {
        try await withTwo(isShared: true) { (clock, stores) async throws in
            func ask(_ store: Store) async throws -> String {
                switch try await store.brand(brand).write({ try $0.claimRequest(key: "k", bodyHash: [1]) }) {
                case .new: "new"
                case .running: "running"
                case .otherBody: "other"
                case .answered: "answered"
                }
            }
            #expect(try await ask(stores[0]) == "new")
            #expect(try await ask(stores[1]) == "running")
            clock.advance(by: .seconds(119))
            #expect(try await ask(stores[1]) == "running")
            clock.advance(by: .seconds(2))
            #expect(try await ask(stores[1]) == "new")
            #expect(try await ask(stores[0]) == "running", "it is the second node's now")
            try await stores[1].brand(brand).write { try $0.storeAnswer(key: "k", status: 200, body: [2]) }
            clock.advance(by: .seconds(500))
            #expect(try await ask(stores[0]) == "answered")
        }
    }

    /// There is only one process that may be at it, and it is alive.
    @Test func whereOneProcessOpensTheStoreARequestIsNeverTakenOver() async throws {
        try await withTwo(isShared: false) { (clock, stores) async throws in
            func isNew() async throws -> Bool {
                let claim = try await stores[0].brand(brand).write { try $0.claimRequest(key: "k", bodyHash: [1]) }
                if case .new = claim { return true }
                return false
            }
            #expect(try await isNew())
            clock.advance(by: .seconds(500))
            #expect(try await !isNew())
        }
    }

    @Test func aDutyThatNobodyElseCanHaveCostsNoTransaction() async throws {
        try await withTwo(isShared: false) { (_, stores) async throws in
            await stores[0].close()
            #expect(try await stores[0].brand(brand).claim(.handoverWatch, for: .seconds(30)))
        }
        try await withTwo(isShared: true) { (_, stores) async throws in
            #expect(try await stores[0].brand(brand).claim(.handoverWatch, for: .seconds(30)))
            #expect(try await !stores[1].brand(brand).claim(.handoverWatch, for: .seconds(30)))
        }
    }
}
