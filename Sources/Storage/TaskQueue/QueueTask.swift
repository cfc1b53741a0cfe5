package import Conversation

/// Which workers run a lane.
package enum LanePool: String, Sendable, Hashable, CaseIterable {
    case turn, action, delivery
    /// What goes to and comes from ticket systems.
    case desk
    /// Summaries and the like: nobody waits for them.
    case cold

    /// Whether a lane mostly holds more than one task, so that it is worth a question whether there is another. Where it does not, a second
    /// task is claimed like the first.
    var hasCrowdedLanes: Bool {
        switch self {
        case .turn, .delivery, .desk: true
        case .action, .cold: false
        }
    }
}

/// Work to be done later, in its lane's order.
package struct NewTask: Sendable {
    package var id: QueueTaskID
    /// Tasks of one lane never run at the same time.
    package var lane: String
    package var pool: LanePool
    package var kind: String
    /// JSON.
    package var payloadText: String
    package var priority: Priority
    package var runAt: Timestamp
    /// At most one task of a brand stands in the queue under one key; nil for a task that may stand beside any other.
    package var uniqueKey: String?

    package init(
        id: QueueTaskID, lane: String, pool: LanePool, kind: String, payload: JSONValue, priority: Priority = .normal, runAt: Timestamp,
        uniqueKey: String? = nil
    ) {
        self.init(
            id: id, lane: lane, pool: pool, kind: kind, payloadText: CanonicalJSON.text(payload), priority: priority, runAt: runAt,
            uniqueKey: uniqueKey)
    }

    /// Takes JSON that is written already.
    package init(
        id: QueueTaskID, lane: String, pool: LanePool, kind: String, payloadText: String, priority: Priority = .normal, runAt: Timestamp,
        uniqueKey: String? = nil
    ) {
        self.uniqueKey = uniqueKey
        self.id = id
        self.lane = lane
        self.pool = pool
        self.kind = kind
        self.payloadText = payloadText
        self.priority = priority
        self.runAt = runAt
    }
}

/// A task that a worker holds.
package struct QueueTask: Sendable {
    package var id: QueueTaskID
    package var kind: String
    package var payload: JSONValue
    package var priority: Priority
    /// This attempt included.
    package var attempts: Int
    /// How often the process died while this task ran, as far as it counts: 0, 1, `suspect`, while it runs alone `alone`, and more when
    /// the process died of that too.
    package var crashes: Int
    package var createdAt: Timestamp
    package var node: String
    /// An earlier attempt neither ended nor was released: nobody can say how far it came.
    package var wasInterrupted: Bool
    /// Since when it waits for a remote system that is away; nil when it does not.
    package var parkedSince: Timestamp?

    /// Stands for a worker in a lane that waits for a task's next attempt.
    static let retry = "retry"
    /// Stands for a worker in a lane that waits for a remote system to come back.
    static let parked = "parked"
    /// Two crashes may have been the fault of others: from then on it runs alone.
    static let suspect = 2
    /// It was begun alone: a crash now is its own.
    static let alone = 3
    var isSuspect: Bool { crashes >= Self.suspect }
    var isConvicted: Bool { crashes > Self.alone }
}

/// The process died of a task: twice while it ran, and a third time while nothing else did.
package struct TaskCrashed: Error, Sendable, CustomStringConvertible {
    package var description: String { "the process died three times while this ran, the last time while nothing else did" }
}

/// The right to work on one lane until `until`; a later holder has a higher epoch, which shuts this one out.
package struct LaneLease: Sendable, Hashable {
    package var brand: BrandID
    package var lane: String
    package var pool: LanePool
    package var epoch: Int64
}

package enum QueueError: Error, Sendable, CustomStringConvertible {
    /// Someone else holds the lane now: nothing of this unit may be stored.
    case fenced(lane: String)
    package var description: String {
        switch self {
        case .fenced(let lane): "lane \(lane) was taken over; this worker's result is refused"
        }
    }
}
