extension Migrations {
    /// Which node is at a request: when that one is lost, another may take it over.
    static let requests = """
        ALTER TABLE request_keys ADD COLUMN node TEXT;
        """
}
