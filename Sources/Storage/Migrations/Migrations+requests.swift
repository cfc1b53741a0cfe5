extension Migrations {
    /// Which node is at a request, so that another may take it over when that one is lost; and what finds old keys of requests, which stand in
    /// the order of their texts.
    static let requests = """
        ALTER TABLE request_keys ADD COLUMN node TEXT;
        CREATE INDEX request_keys_in_time ON request_keys (brand_id, created_at);
        """
}
