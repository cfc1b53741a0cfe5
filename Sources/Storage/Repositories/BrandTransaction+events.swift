package import Conversation
import Synchronization

/// The outbox of the bus: events are written in the transaction that makes them true, and leave afterwards. They stay for a time, so that
/// they can be published again.
extension BrandTransaction {
    private enum Statements {
        static let insert = SQL(
            "INSERT INTO events (brand_id, event_id, kind, instance_id, at, data) VALUES ($1, $2, $3, $4, $5, $6)")
        static let waiting = SQL(
            "SELECT event_id, kind, instance_id, at, data FROM events WHERE brand_id = $1 AND published_at IS NULL ORDER BY event_id LIMIT $2"
        )
        static let countWaiting = SQL("SELECT count(*) FROM events WHERE brand_id = $1 AND event_id <= $2 AND published_at IS NULL")
        static let settled = SQL(
            "UPDATE events SET published_at = $3, refusal = $4 WHERE brand_id = $1 AND event_id = $2 AND published_at IS NULL")
        static let kept = SQL(
            """
            SELECT event_id FROM events WHERE brand_id = $1 AND event_id > $2 AND event_id <= $3 AND published_at IS NOT NULL
            ORDER BY event_id LIMIT $4
            """)
        static let again = SQL("UPDATE events SET published_at = NULL, refusal = NULL WHERE brand_id = $1 AND event_id = $2")
        static let forget = SQL(
            """
            DELETE FROM events WHERE brand_id = $1 AND event_id IN (
                SELECT event_id FROM events WHERE brand_id = $1 AND event_id < $2 AND published_at IS NOT NULL ORDER BY event_id LIMIT $3)
            """)
        static let claim = SQL(
            """
            INSERT INTO outbox_claims (brand_id, held_by, until) VALUES ($1, $2, $3)
            ON CONFLICT (brand_id) DO UPDATE SET held_by = excluded.held_by, until = excluded.until
            WHERE outbox_claims.held_by = excluded.held_by OR outbox_claims.until <= $4
            """)
        static let release = SQL("DELETE FROM outbox_claims WHERE brand_id = $1 AND held_by = $2")
    }

    package func record(_ kind: BusEvent.Kind, instance: InstanceID, data: JSONValue) throws {
        try record(kind, instance: instance, dataText: CanonicalJSON.text(data))
    }

    /// Takes JSON that is written already, and only when somebody wants it.
    package func record(_ kind: BusEvent.Kind, instance: InstanceID, dataText: @autoclosure () -> String) throws {
        guard eventsAreWanted else { return }
        try send(Statements.insert, SQLValue(newID()), .text(kind.rawValue), SQLValue(instance), SQLValue(now), .text(dataText()))
        news.hasEvents = true
    }

    /// Oldest first.
    package func waitingEvents(limit: Int) throws -> [BusEvent] {
        try rows(Statements.waiting, SQLValue(limit)).map { row in
            guard let kind = BusEvent.Kind(rawValue: try row.text(1)) else { throw StorageError.unreadable("kind of an event") }
            return BusEvent(
                id: try row.entity(0), brand: brand, instance: InstanceID(rawValue: try row.text(2)), kind: kind, at: try row.time(3),
                data: try JSONValue(stored: row.text(4)))
        }
    }

    /// How many of those up to that id are not published.
    package func countWaitingEvents(upTo last: UniqueID = UniqueID(high: .max, low: .max)) throws -> Int {
        try row(Statements.countWaiting, SQLValue(last))?.int(0) ?? 0
    }

    package func markPublished(_ events: [BusEventID]) throws {
        for event in events { try send(Statements.settled, SQLValue(event), SQLValue(now), .null) }
    }

    /// Ends an event that the bus will never take, with a dead letter that says why.
    package func markRefused(_ event: BusEvent, reason: String) throws {
        guard try run(Statements.settled, SQLValue(event.id), SQLValue(now), .text(reason)) == 1 else { return }
        try insertDeadLetter(
            kind: "event", reason: "refused",
            detail: ["error": .string(reason), "type": .string(event.kind.rawValue), "subject": .string(event.subject)],
            about: .init(
                id: event.id.value, session: event.data["session_id"]?.string.flatMap { SessionID($0) }, instance: event.instance,
                user: event.data["user_id"]?.string.flatMap { UserID($0) }),
            task: .null)
    }

    // MARK: One publisher at a time

    /// Whether this node publishes the brand's events until `end`; false while another node does.
    package func claimOutbox(until end: Timestamp) throws -> Bool {
        try run(Statements.claim, .text(node), SQLValue(end), SQLValue(now)) == 1
    }

    package func releaseOutbox() throws { try run(Statements.release, .text(node)) }

    // MARK: Again, and no more

    /// Has events that were published, and were written after `event` and up to `end`, published once more. Returns how many, and the
    /// last one to go on after; nil when there are none.
    package func publishAgain(after event: UniqueID, upTo end: UniqueID, limit: Int) throws -> (count: Int, last: UniqueID)? {
        let ids = try rows(Statements.kept, SQLValue(event), SQLValue(end), SQLValue(limit)).map { try $0.id(0) }
        guard let last = ids.last else { return nil }
        for id in ids { try send(Statements.again, SQLValue(id)) }
        news.hasEvents = true
        return (ids.count, last)
    }

    /// Removes published events that were written before `time`; returns how many.
    package func forgetEvents(before time: Timestamp, limit: Int) throws -> Int {
        try run(Statements.forget, SQLValue(UniqueID.first(at: time)), SQLValue(limit))
    }
}

extension UniqueID {
    /// Not after any UUIDv7 of that time or later.
    package static func first(at time: Timestamp) -> UniqueID { UniqueID(high: UInt64(max(0, time.milliseconds)) << 16, low: 0) }
}

extension Store {
    /// Whether other nodes may have one of the databases open.
    package var isShared: Bool { databases.contains { $0.dialect.isShared } }
}

extension BrandStore {
    /// Whether other nodes may work on this brand's rows.
    package var isShared: Bool { store.database(of: id).dialect.isShared }
}

/// Gives the events of this process ids that rise, though the time they carry comes from elsewhere and may stand still or step back.
final class IDOrder: Sendable {
    /// Milliseconds and a 12-bit counter.
    private let last = Mutex<UInt64>(0)

    func id(at time: Timestamp, random: UInt64) -> UniqueID {
        let place = last.withLock { last in
            last = max(last + 1, UInt64(max(0, time.milliseconds)) << 12)
            return last
        }
        return UniqueID(high: (place >> 12) << 16 | 0x7000 | place & 0xFFF, low: random)
    }
}
