package import Conversation

/// The outbox of the bus: events are written in the transaction that makes them true, and leave afterwards.
extension BrandTransaction {
    private enum Statements {
        static let insert = SQL(
            "INSERT INTO events (brand_id, event_id, kind, instance_id, at, data) VALUES ($1, $2, $3, $4, $5, $6)")
        static let waiting = SQL(
            "SELECT event_id, kind, instance_id, at, data FROM events WHERE brand_id = $1 AND published_at IS NULL ORDER BY event_id LIMIT $2"
        )
        static let published = SQL("UPDATE events SET published_at = $3 WHERE brand_id = $1 AND event_id = $2")
    }

    package func record(_ kind: BusEvent.Kind, instance: InstanceID, data: JSONValue) throws {
        try record(kind, instance: instance, dataText: CanonicalJSON.text(data))
    }

    /// Takes JSON that is written already, and only when somebody wants it.
    package func record(_ kind: BusEvent.Kind, instance: InstanceID, dataText: @autoclosure () -> String) throws {
        guard eventsAreWanted else { return }
        try run(Statements.insert, SQLValue(newID()), .text(kind.rawValue), SQLValue(instance), SQLValue(now), .text(dataText()))
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

    package func markPublished(_ events: [BusEventID]) throws {
        for event in events { try run(Statements.published, SQLValue(event), SQLValue(now)) }
    }
}
