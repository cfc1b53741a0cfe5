internal import Conversation

/// What only one node does at a time for a brand.
extension BrandTransaction {
    /// Named after the service that does it.
    package enum Duty: String, Sendable, Hashable {
        case housekeeping
        case handoverWatch = "handover_watch"
    }

    private enum Statements {
        static let claim = SQL(
            """
            INSERT INTO duties (brand_id, duty, held_by, held_until) VALUES ($1, $2, $3, $4)
            ON CONFLICT (brand_id, duty) DO UPDATE SET held_by = excluded.held_by, held_until = excluded.held_until
            WHERE duties.held_until <= $5 OR duties.held_by = excluded.held_by
            """)
        static let release = SQL("DELETE FROM duties WHERE brand_id = $1 AND duty = $2 AND held_by = $3")
    }

    /// True when this node may do it from now on, for as long as `lease` says; whoever has it may renew it. A node that dies leaves it when
    /// the lease has run out. In a store that only one process opens it is always free.
    package func claim(_ duty: Duty, for lease: Duration) throws -> Bool {
        guard isShared else { return true }
        return try run(Statements.claim, .text(duty.rawValue), .text(node), SQLValue(now + lease), SQLValue(now)) == 1
    }

    /// Leaves it to the others at once, if this node has it.
    package func release(_ duty: Duty) throws { try run(Statements.release, .text(duty.rawValue), .text(node)) }
}

extension BrandStore {
    /// The same in a transaction of its own, and without any where nobody else can have it.
    package func claim(_ duty: BrandTransaction.Duty, for lease: Duration) async throws -> Bool {
        guard isShared else { return true }
        return try await write { try $0.claim(duty, for: lease) }
    }

    /// Leaves it to the others at once, if this node has it.
    package func release(_ duty: BrandTransaction.Duty) async throws {
        guard isShared else { return }
        try await write { try $0.release(duty) }
    }
}
