extension Migrations {
    /// The first message of a lane that waits without a task of its own, and its session; see `BrandTransaction+inbox`.
    static let inbox = """
        ALTER TABLE lanes ADD COLUMN inbox {bytes};
        ALTER TABLE lanes ADD COLUMN inbox_session {bytes};
        """
}
