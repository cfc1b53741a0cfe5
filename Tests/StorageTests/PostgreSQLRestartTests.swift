import Conversation
import Foundation
import Synchronization
import TestKit
import Testing

@testable import Storage

/// A server that goes away and comes back, of these tests' own; one at a time, since each is a burden to the other tests.
@Suite(.serialized) struct PostgreSQLRestartTests {
    private static let brand = BrandID(rawValue: "restarted")
    private static let insert = SQL("INSERT INTO opt_outs (brand_id, user_id, topic, at, proof) VALUES ($1, $2, 't', 1, 'p')")
    private static let ids = SQL("SELECT user_id FROM opt_outs WHERE brand_id = $1")

    fileprivate static func add(_ id: UniqueID, _ database: any Database) async throws {
        _ = try await database.write(.brand(brand)) { try $0.run(insert, [SQLValue(brand), SQLValue(id)]) }
    }

    /// What many writers were told.
    private final class Load: Sendable {
        private struct State {
            var isOver = false
            var acknowledged: Set<UniqueID> = []
            var unexpected: [String] = []
            var waiting: (count: Int, continuation: CheckedContinuation<Void, Never>)?
        }
        private let state = Mutex(State())
        var isOver: Bool { state.withLock { $0.isOver } }
        var acknowledged: Set<UniqueID> { state.withLock { $0.acknowledged } }
        var unexpected: [String] { state.withLock { $0.unexpected } }
        func end() { state.withLock { $0.isOver = true } }

        /// Returns when so many more are acknowledged.
        func more(_ count: Int) async {
            await withCheckedContinuation { continuation in
                state.withLock { $0.waiting = ($0.acknowledged.count + count, continuation) }
            }
        }

        func write(_ id: UniqueID, _ database: any Database) async {
            do {
                try await PostgreSQLRestartTests.add(id, database)
                let reached = state.withLock { state -> CheckedContinuation<Void, Never>? in
                    state.acknowledged.insert(id)
                    guard let waiting = state.waiting, state.acknowledged.count >= waiting.count else { return nil }
                    state.waiting = nil
                    return waiting.continuation
                }
                reached?.resume()
            } catch StorageError.unavailable {
                // The way in which a store that is away says so.
            } catch {
                state.withLock { $0.unexpected.append("\(error)") }
            }
        }
    }

    @Test(.timeLimit(.minutes(2))) func whatWasAcknowledgedOutlivesEveryRestart() async throws {
        let server = try await PostgresServer.start()
        let addresses = try await server.makeDatabase()
        let database = try await PostgreSQLDatabase(url: addresses.gateway)
        let load = Load()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    var number: UInt64 = 0
                    while !load.isOver {
                        number += 1
                        await load.write(UniqueID(high: UInt64(writer), low: number), database)
                    }
                }
            }
            for isSudden in [false, true, false, true] {
                try await server.restart(isSudden: isSudden)
                // It goes on by itself.
                await load.more(200)
            }
            load.end()
            try await group.waitForAll()
        }
        #expect(load.unexpected.isEmpty, "\(load.unexpected)")
        let stored = try await database.read(.brand(Self.brand)) { try Set($0.rows(Self.ids, [SQLValue(Self.brand)]).map { try $0.id(0) }) }
        #expect(load.acknowledged.subtracting(stored).isEmpty)
        await database.close()
        try await server.stop()
    }

    @Test func whileTheServerIsAwayWorkIsRefusedSoonAndGoesOnAfterwards() async throws {
        let server = try await PostgresServer.start()
        let addresses = try await server.makeDatabase()
        let database = try await PostgreSQLDatabase(url: addresses.gateway)
        try await Self.add(UniqueID(high: 0, low: 1), database)
        try await server.stop(isSudden: true)
        let start = ContinuousClock.now
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<50 {
                group.addTask {
                    do {
                        if number % 2 == 0 {
                            try await Self.add(UniqueID(high: 1, low: UInt64(number)), database)
                        } else {
                            _ = try await database.read(.installation) { try $0.rows(SQL("SELECT 1"), []).count }
                        }
                        Issue.record("work was done without a server")
                    } catch StorageError.unavailable {
                    } catch {
                        Issue.record("\(error)")
                    }
                }
            }
        }
        #expect(ContinuousClock.now - start < .seconds(20))
        let late = await Self.error { _ = try await PostgreSQLDatabase(url: addresses.gateway) }
        #expect(late.hasPrefix("the store cannot be reached"))
        try await server.startAgain()
        var stored = false
        while !stored {
            do {
                try await Self.add(UniqueID(high: 0, low: 2), database)
                stored = true
            } catch StorageError.unavailable {}
        }
        let count = try await database.read(.brand(Self.brand)) { try $0.rows(Self.ids, [SQLValue(Self.brand)]).count }
        #expect(count == 2)
        try await server.stop()
        // Closing does not wait for a server that is not there.
        await database.close()
    }

    @Test func aServerThatMayForgetIsRefusedAndOneThatMayTearPagesIsWarnedOf() async throws {
        let server = try await PostgresServer.start()
        let addresses = try await server.makeDatabase()
        for (setting, value) in [("full_page_writes", "off"), ("fsync", "off")] {
            try await server.administrate("ALTER SYSTEM SET \(setting) = \(value)")
        }
        try await server.restart()
        #expect(await Self.error { _ = try await PostgreSQLDatabase(url: addresses.gateway) }.contains("set fsync=on"))
        try await server.administrate("ALTER SYSTEM RESET fsync")
        try await server.restart()
        let database = try await PostgreSQLDatabase(url: addresses.gateway)
        #expect(database.warnings.count == 1 && database.warnings.first?.contains("full_page_writes") == true)
        await database.close()
        try await server.stop()
    }

    private static func error(_ body: () async throws -> Void) async -> String {
        do {
            try await body()
            return "nothing was wrong"
        } catch {
            return "\(error)"
        }
    }
}
