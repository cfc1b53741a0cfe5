import Conversation
import TestKit
import Testing

@testable import Gateway
@testable import Storage

/// Of several nodes one asks a brand's desk.
@Suite struct HandoverWatchTests {
    @Test(.timeLimit(.minutes(1))) func whoeverStopsLeavesTheAskingToOthersAtOnce() async throws {
        try await HandoverWorld.ticketed(callsUs: false, storeAhead: .zero) { world in
            let other = Store(database: world.store.database, clock: world.clock, ids: CountingIDs(from: 5000), node: "other")
            let running = Task { try await world.watch.run() }
            // It sleeps until the next round once it has the duty.
            while world.clock.sleepers == 0 { await Task.yield() }
            var isTaken = true
            while isTaken { isTaken = try await other.brand(HandoverWorld.brand).claim(.handoverWatch, for: .milliseconds(-1)) }
            running.cancel()
            try await running.value
            #expect(try await other.brand(HandoverWorld.brand).claim(.handoverWatch, for: .seconds(30)))
        }
    }
}
