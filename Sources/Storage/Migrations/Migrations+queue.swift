extension Migrations {
    /// A task's lane as `tasks_order` has it; to be compared with a lane where the order of its tasks counts.
    static let laneInOrder = "CASE WHEN lane = '' THEN '' ELSE lane END"

    /// The queue's operations: tasks that are one under one key, cancelled ones, parked ones, pauses, and claims of many lanes at once.
    /// `taken_from` is who held a lane before its holder: a lane taken over from a worker that died is told from one that was free.
    /// `tasks_order` finds a lane's next task, and whether an interrupt waits, however many tasks stand in the lane. It is over an expression
    /// that is the lane, so that no planner takes the primary key for it: that one begins with the same columns, and walks through all of a
    /// lane. (A CASE and a comparison, because row-level security lets nothing but such into an index.)
    static let queue = """
        ALTER TABLE tasks ADD COLUMN unique_key TEXT;
        ALTER TABLE tasks ADD COLUMN interrupted BIGINT NOT NULL DEFAULT 0;
        ALTER TABLE tasks ADD COLUMN cancel_requested BIGINT NOT NULL DEFAULT 0;
        ALTER TABLE tasks ADD COLUMN parked_since BIGINT;
        CREATE UNIQUE INDEX tasks_unique ON tasks (brand_id, unique_key) WHERE unique_key IS NOT NULL;
        CREATE INDEX tasks_order ON tasks (brand_id, (\(laneInOrder)), priority DESC, task_id);

        ALTER TABLE lanes ADD COLUMN taken_from TEXT;
        ALTER TABLE lanes ADD COLUMN paused BIGINT NOT NULL DEFAULT 0;
        DROP INDEX lanes_ready;
        CREATE INDEX lanes_ready ON lanes (brand_id, pool, priority, ready_at) WHERE ready_at IS NOT NULL AND paused = 0;
        CREATE INDEX lanes_parked ON lanes (brand_id, pool, ready_at) WHERE held_by = 'parked';

        CREATE TABLE brand_pauses (
            brand_id TEXT NOT NULL, paused_at BIGINT NOT NULL, PRIMARY KEY (brand_id)){clustered};
        """
}
