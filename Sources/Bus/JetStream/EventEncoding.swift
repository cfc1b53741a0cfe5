internal import Conversation

/// An event as it travels: CloudEvents 1.0, structured JSON mode.
enum EventEncoding {
    static let idHeader = "Nats-Msg-Id"
    static let typeHeader = "Content-Type"
    static let mediaType = "application/cloudevents+json"

    static func body(_ event: BusEvent) -> [UInt8] { CanonicalJSON.bytes(event.json) }
}

/// What nodes tell each other.
enum PeerSignals {
    /// No stream keeps it, and no brand may read it.
    static let subject = "_switchboard.signals"
    /// In bytes.
    static let longest = 1024
}
