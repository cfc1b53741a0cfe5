/// One event for the outside, CloudEvents 1.0.
package struct BusEvent: Sendable, Hashable {
    package enum Kind: String, Sendable, CaseIterable {
        case messageReceived = "message.received"
        case messageSent = "message.sent"
        case messageStatus = "message.status"
        case intentDetected = "intent.detected"
        case actionQueued = "action.queued"
        case actionCompleted = "action.completed"
        case actionFailed = "action.failed"
        case handoverOpened = "handover.opened"
        case handoverClosed = "handover.closed"
        case sessionStarted = "session.started"
        case sessionEnded = "session.ended"
        case update
    }

    /// Stable across retries.
    package var id: BusEventID
    package var brand: BrandID
    package var instance: InstanceID
    package var kind: Kind
    package var at: Timestamp
    package var data: JSONValue

    package init(id: BusEventID, brand: BrandID, instance: InstanceID, kind: Kind, at: Timestamp, data: JSONValue) {
        self.id = id
        self.brand = brand
        self.instance = instance
        self.kind = kind
        self.at = at
        self.data = data
    }

    /// `switchboard.<brand>.<type>`.
    package var subject: String { "switchboard.\(brand).\(kind.rawValue)" }

    /// The structured JSON form of CloudEvents 1.0.
    package var json: JSONValue {
        [
            "specversion": "1.0", "id": .string(id.description), "source": .string("/brands/\(brand)/instances/\(instance)"),
            "type": .string(kind.rawValue), "time": .string(at.description), "datacontenttype": "application/json", "data": data,
        ]
    }
}

/// Delivers events that stand in the outbox. A subscriber that throws is asked again later.
package protocol EventBus: Sendable {
    func publish(_ event: BusEvent) async throws
}
