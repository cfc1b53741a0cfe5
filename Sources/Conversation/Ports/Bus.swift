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

    /// `switchboard.<brand>.<type>`. A brand's id has no dot and no wildcard, so it is one word of the subject.
    package var subject: String { "switchboard.\(brand).\(kind.rawValue)" }

    /// The structured JSON form of CloudEvents 1.0.
    package var json: JSONValue {
        [
            "specversion": "1.0", "id": .string(id.description), "source": .string("/brands/\(brand)/instances/\(instance)"),
            "type": .string(kind.rawValue), "time": .string(at.description), "datacontenttype": "application/json", "data": data,
        ]
    }
}

/// Carries events that stand in the outbox to whoever wants them.
package protocol EventBus: Sendable {
    /// Offers events of one brand, in their order. Returns when it is known what became of them; what it does not settle is offered again.
    func publish(_ events: [BusEvent]) async -> BusReceipt
    /// Calls `listener` when the bus has come back, so that what waits need not wait longer. A bus that is never away calls nobody.
    func onReturn(_ listener: @escaping @Sendable () -> Void)
}

extension EventBus {
    package func onReturn(_ listener: @escaping @Sendable () -> Void) {}
}

/// What became of a batch of events.
package struct BusReceipt: Sendable {
    /// How many, from the first on without a gap, are done with: taken, or refused for good.
    package var settled: Int
    /// Those among the settled that the bus will never take, with the reason.
    package var refused: [BusEventID: String]
    /// Why the rest was not settled; nil when there is no rest.
    package var failure: BusFailure?

    package init(settled: Int = 0, refused: [BusEventID: String] = [:], failure: BusFailure? = nil) {
        self.settled = settled
        self.refused = refused
        self.failure = failure
    }
}

/// Why events were not taken. Trying again helps.
package enum BusFailure: Error, Sendable, CustomStringConvertible {
    /// Nobody's event can be published now.
    case away(String)
    /// These could not be published; others may be.
    case refused(String)

    package var description: String {
        switch self {
        case .away(let why): "the bus cannot be reached: \(why)"
        case .refused(let why): "the bus did not take it: \(why)"
        }
    }
}
