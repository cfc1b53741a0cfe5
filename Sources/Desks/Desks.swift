package import Conversation

/// Makes the desk that a brand configured.
package enum Desks {
    /// `clock` stamps what is signed and reads a `Retry-After` that is a date. Throws `DeskSetupError`.
    package static func make(
        _ configuration: DeskConfiguration, http: any HTTPClient, clock: any WallClock = SystemClock()
    ) throws -> any TicketDesk {
        let calls = DeskCalls(configuration: configuration, http: http, clock: clock)
        switch configuration.kind {
        case .webhook: return try WebhookDesk(configuration, calls: calls)
        case .requestTracker: return try RequestTrackerDesk(configuration, calls: calls)
        case .zendesk: return try ZendeskDesk(configuration, calls: calls)
        case .freshdesk: return try FreshdeskDesk(configuration, calls: calls)
        }
    }
}

/// What a desk cannot work without. Checked when the configuration is read, so it reaches an operator only through a fault of ours.
package struct DeskSetupError: Error, Sendable, Hashable, CustomStringConvertible {
    /// For operators.
    package let description: String

    init(_ desk: DeskConfiguration, _ what: String) { description = "desk \"\(desk.id)\" (\(desk.kind.rawValue)): \(what)" }
}
