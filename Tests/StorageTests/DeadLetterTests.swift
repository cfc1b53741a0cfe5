import Conversation
import Storage
import Synchronization
import TestKit
import Testing

struct DeadLetterTests {
    private let brand = BrandID(rawValue: "salon")
    private struct Refused: Error {}

    /// The kinds that were announced while `body` ran.
    private func announced(_ body: (Store) async throws -> Void) async throws -> [String] {
        try await TemporaryStore.with { store in
            let kinds = Mutex<[String]>([])
            store.onDeadLetters { _, new in kinds.withLock { $0 += new } }
            try await body(store)
            return kinds.withLock { $0 }
        }
    }

    private static func bury(_ kind: String, in transaction: BrandTransaction) throws {
        try transaction.insertDeadLetter(kind: kind, reason: "failed", detail: .null, about: .init(id: nil), task: .null)
    }

    @Test func everyDeadLetterIsAnnouncedOnceAfterItsCommit() async throws {
        let kinds = try await announced { store in
            try await store.brand(brand).write { transaction in
                try Self.bury("action", in: transaction)
                try Self.bury("unknown", in: transaction)
            }
            try await store.brand(brand).write { try Self.bury("turn", in: $0) }
        }
        #expect(kinds == ["action", "unknown", "turn"])
    }

    @Test func whatWasUndoneIsNotAnnouncedAndItsNeighboursAreAnnouncedOnce() async throws {
        let kinds = try await announced { store in
            // Together in flight, so that they may share a group in which the failure of one runs the others again.
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<40 {
                    group.addTask {
                        do {
                            try await store.brand(BrandID(rawValue: "salon")).write { transaction in
                                try Self.bury("n\(number)", in: transaction)
                                if number % 4 == 0 { throw Refused() }
                            }
                        } catch {
                            #expect(error is Refused)
                        }
                    }
                }
            }
        }
        #expect(kinds.sorted() == (0..<40).filter { $0 % 4 != 0 }.map { "n\($0)" }.sorted())
    }
}
