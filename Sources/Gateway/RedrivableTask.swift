internal import Conversation
internal import Storage

/// A task as a dead letter keeps it, so that it can be put back.
struct RedrivableTask {
    var lane: String
    var pool: LanePool
    var kind: String
    var payload: JSONValue
    var priority: Priority

    init(lane: String, pool: LanePool, kind: String, payload: JSONValue, priority: Priority) {
        (self.lane, self.pool, self.kind, self.payload, self.priority) = (lane, pool, kind, payload, priority)
    }

    init(_ task: QueueTask, lane: String, pool: LanePool) {
        self.lane = lane
        self.pool = pool
        kind = task.kind
        payload = task.payload
        priority = task.priority
    }

    /// Nil for what cannot be run again.
    init?(json: JSONValue) {
        guard let lane = json["lane"]?.string, let pool = json["pool"]?.string.flatMap(LanePool.init(rawValue:)),
            let kind = json["kind"]?.string
        else { return nil }
        self.lane = lane
        self.pool = pool
        self.kind = kind
        payload = json["payload"] ?? .null
        priority = Priority(rank: Int(json["priority"]?.integer ?? 1))
    }

    var json: JSONValue {
        [
            "lane": .string(lane), "pool": .string(pool.rawValue), "kind": .string(kind), "payload": payload,
            "priority": .integer(Int64(priority.rank)),
        ]
    }
}
