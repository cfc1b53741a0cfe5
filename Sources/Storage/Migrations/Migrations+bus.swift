extension Migrations {
    /// What became of an event that could not be published, and which node publishes a brand's events now.
    static let bus = """
        ALTER TABLE events ADD COLUMN refusal TEXT;

        CREATE TABLE outbox_claims (
            brand_id TEXT NOT NULL, held_by TEXT NOT NULL, until BIGINT NOT NULL, PRIMARY KEY (brand_id)){clustered};
        """
}
