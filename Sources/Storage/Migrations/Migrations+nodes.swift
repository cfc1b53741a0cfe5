extension Migrations {
    /// The nodes of an installation, what only one of them does at a time for a brand, and the way by which a sweep finds feeds that grew on
    /// another node.
    static let nodes = """
        CREATE TABLE nodes (
            node_id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, version TEXT NOT NULL,
            schema_version BIGINT NOT NULL, address TEXT, started_at BIGINT NOT NULL, seen_at BIGINT NOT NULL,
            draining BIGINT NOT NULL, stats TEXT NOT NULL){clustered};

        CREATE TABLE duties (
            brand_id TEXT NOT NULL, duty TEXT NOT NULL, held_by TEXT NOT NULL, held_until BIGINT NOT NULL,
            PRIMARY KEY (brand_id, duty)){clustered};

        CREATE INDEX feed_in_time ON feed (brand_id, at);
        """
}
