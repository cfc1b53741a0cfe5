import Conversation
import Synchronization

/// Drafts and entries that tests of one desk need.
enum Sample {
    static let ids = SystemIDs()

    static func draft(
        _ reference: HandoverID = HandoverID(ids.next()), email: String? = "customer@example.com", phone: String? = nil,
        summary: String = "The booking was refused twice."
    ) -> TicketDraft {
        TicketDraft(
            reference: reference, subject: "Customer asks\nfor a person", priority: .urgent, reason: .userRequest,
            customer: TicketCustomer(user: UserID(ids.next()), name: "Customer", email: email, phone: phone), summary: summary,
            history: [words("Hello")], payload: [:])
    }

    static func words(_ text: String) -> TicketEntry {
        TicketEntry(id: ids.next(), author: .customer, text: text, at: SystemClock().now)
    }

    static func note(_ text: String) -> TicketEntry {
        TicketEntry(id: ids.next(), author: .system, text: text, isInternal: true, at: SystemClock().now)
    }

    /// The error that a call ends with; nil when it succeeds.
    static func error(_ body: () async throws(DeskError) -> Void) async -> DeskError? {
        do {
            try await body()
            return nil
        } catch {
            return error
        }
    }
}

/// Counts from 1.
final class Counter: Sendable {
    private let count = Mutex(0)

    func next() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }
}
