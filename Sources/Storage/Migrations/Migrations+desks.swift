extension Migrations {
    /// Openings whose end nobody knows, looks at tickets of systems that call us too, and what makes counting and forgetting cheap.
    static let desks = """
        ALTER TABLE handovers ADD COLUMN tried_at BIGINT;
        ALTER TABLE handovers ADD COLUMN misses BIGINT NOT NULL DEFAULT 0;
        UPDATE handovers SET tried_at = created_at WHERE desk_state = 'tried';
        UPDATE handovers SET poll_at = created_at WHERE state = 'open' AND ticket_id IS NOT NULL AND poll_at IS NULL;

        CREATE INDEX handovers_waiting ON handovers (brand_id) WHERE state = 'open' AND answered_at IS NULL;
        CREATE INDEX handovers_closed ON handovers (brand_id, closed_at) WHERE closed_at IS NOT NULL;
        CREATE INDEX session_notes_in_time ON session_notes (brand_id, made_at);
        """
}
