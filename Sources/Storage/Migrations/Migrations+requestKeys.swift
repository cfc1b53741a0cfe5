extension Migrations {
    /// Finds what is old among keys of requests, which stand in the order of their texts.
    static let requestKeys = """
        CREATE INDEX request_keys_in_time ON request_keys (brand_id, created_at);
        """
}
