import Conversation
import JSON

/// Reads one status of a message that we sent.
struct StatusReader {
    let view: JSONView

    init(_ view: JSONView) { self.view = view }

    /// Throws when id, status or timestamp is missing or of another type.
    func status() throws(Unreadable) -> StatusUpdate {
        guard view.isObject else { throw Unreadable(reason: "a status that is no object") }
        guard let id = view["id"].string, !id.isEmpty else { throw Unreadable(reason: "a status without id") }
        guard let name = view["status"].string, !name.isEmpty else { throw Unreadable(reason: "a status without its name") }
        guard let at = view["timestamp"].moment else { throw Unreadable(reason: "a status without timestamp") }
        return StatusUpdate(
            providerMessageID: id, reference: view["biz_opaque_callback_data"].identifier, status: DeliveryStatus(name), at: at,
            errors: (view["errors"].array ?? []).map(Self.error), pricing: view["pricing"].objectValue)
    }

    /// The error as it came, with `reaction` added, so that nobody behind the channel needs to know Meta's codes.
    private static func error(_ error: JSONView) -> JSONValue {
        var value = error.value
        if let code = error["code"].int { value["reaction"] = .string(GraphError.reaction(to: code).rawValue) }
        return value
    }
}
