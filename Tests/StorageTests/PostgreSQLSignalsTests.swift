import Conversation
import Foundation
import TestKit
import Testing

@testable import Storage

struct PostgreSQLSignalsTests {
    /// What one node has heard, and a way to wait for it.
    private final class Ear: Sendable {
        private let (stream, continuation) = AsyncStream<PeerSignal>.makeStream()
        func hear(_ signal: PeerSignal) { continuation.yield(signal) }

        private let (reports, reporting) = AsyncStream<String>.makeStream()
        func note(_ report: String) { reporting.yield(report) }

        /// Returns when that was reported.
        func report(_ text: String) async {
            for await report in reports where report.contains(text) { return }
        }

        func next() async -> PeerSignal? {
            for await signal in stream { return signal }
            return nil
        }
    }

    private func withPair(
        _ body: @Sendable (PostgreSQLSignals, PostgreSQLSignals, Ear, Ear, PostgresServer.Addresses) async throws -> Void
    ) async throws {
        let server = try await PostgresServer.shared()
        let addresses = try await server.makeDatabase()
        let ears = [Ear(), Ear()]
        let pair = ears.map { ear in PostgreSQLSignals(url: addresses.gateway) { ear.note($0) } }
        for (node, ear) in zip(pair, ears) {
            node.listen(ear.hear)
            await node.connected()
        }
        do {
            try await body(pair[0], pair[1], ears[0], ears[1], addresses)
        } catch {
            for node in pair { await node.close() }
            throw error
        }
        for node in pair { await node.close() }
        try await server.discard(addresses)
    }

    private static let brand = BrandID(rawValue: "salon")

    @Test(.timeLimit(.minutes(2))) func anotherNodeHearsASignalAndTheSenderDoesNot() async throws {
        try await withPair { one, two, firstEar, secondEar, _ in
            let user = UserID(UniqueID(high: 7, low: 7))
            let signals: [PeerSignal] = [
                .ready(Self.brand, .turn), .feed(Self.brand, InstanceID(rawValue: "web"), user),
                .typing(Self.brand, InstanceID(rawValue: "web"), user), .events(BrandID(rawValue: "o'brand")),
            ]
            for signal in signals { one.send(signal) }
            for signal in signals { #expect(await secondEar.next() == signal) }
            two.send(.events(Self.brand))
            // The first thing that the first node hears is what the second said, not its own words.
            #expect(await firstEar.next() == .events(Self.brand))
        }
    }

    @Test(.timeLimit(.minutes(2))) func aConnectionThatBreaksIsMadeAgain() async throws {
        try await withPair { one, _, firstEar, ear, addresses in
            one.send(.events(Self.brand))
            #expect(await ear.next() == .events(Self.brand))
            try await PostgreSQLConsole.run(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = '\(addresses.name)' AND application_name = 'switchboard-signals'
                """, at: addresses.administrator)
            await firstEar.report("work again")
            await ear.report("work again")
            one.send(.ready(Self.brand, .delivery))
            #expect(await ear.next() == .ready(Self.brand, .delivery))
        }
    }

    @Test(.timeLimit(.minutes(2))) func withoutAServerSignalsAreDroppedAndNobodyWaits() async {
        let ear = Ear()
        let signals = PostgreSQLSignals(url: "postgres://nobody@127.0.0.1:1/x") { ear.note($0) }
        for number in 0..<5000 { signals.send(.events(BrandID(rawValue: "brand-\(number)"))) }
        await ear.report("no signals between nodes")
        await signals.close()
        signals.send(.events(Self.brand))
    }
}
