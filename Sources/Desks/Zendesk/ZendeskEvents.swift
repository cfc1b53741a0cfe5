import Conversation
import JSON
import Signing

/// Calls of a Zendesk webhook that is subscribed to events of tickets.
///
/// Zendesk signs with `X-Zendesk-Webhook-Signature`: Base64 of HMAC-SHA256 over the timestamp header and the body, nothing in between.
enum ZendeskEvents {
    /// How far the timestamp may be from now, in either direction.
    private static let tolerance: Duration = .seconds(300)

    static func events(in request: ChannelRequest, key: HMACKey, now: Timestamp) throws(DeskError) -> [DeskEvent] {
        let signature = try SignedCall.only("x-zendesk-webhook-signature", in: request)
        let timestamp = try SignedCall.only("x-zendesk-webhook-signature-timestamp", in: request)
        guard let given = Base64.decode(signature),
            Digest.equal(key.authenticationCode(for: Array(timestamp.utf8) + request.body), given)
        else { throw DeskError(.unproven, "the signature is wrong") }
        guard let signed = Timestamp(timestamp), signed - now <= tolerance, now - signed <= tolerance else {
            throw DeskError(.unproven, "the signature's time is not within five minutes")
        }
        let call = try SignedCall.json(request)
        // A webhook may be subscribed to more than we need, and Zendesk's own test has another form.
        guard let type = call["type"].string, type.hasPrefix(prefix), let ticket = call["detail"]["id"].name else { return [] }
        return try event(String(type.dropFirst(prefix.count)), call, ticket: ticket, now: now).map { [$0] } ?? []
    }

    private static let prefix = "zen:event-type:ticket."
    /// Zendesk's own doings, such as those of automations, are by the user -1.
    private static let system = "-1"

    private static func event(_ type: String, _ call: JSONView, ticket: String, now: Timestamp) throws(DeskError) -> DeskEvent? {
        let detail = call["detail"]
        guard let id = call["id"].name else { throw SignedCall.malformed("the event has no id") }
        func event(_ kind: DeskEvent.Kind, id: String, author: String? = nil, isAutomatic: Bool) -> DeskEvent {
            DeskEvent(
                id: id, ticket: ticket, reference: detail["external_id"].string.flatMap { HandoverID($0) }, kind: kind, author: author,
                isAutomatic: isAutomatic, at: min(now, call["time"].string.flatMap { Timestamp($0) } ?? now))
        }
        let change = call["event"]
        let isAutomatic = detail["actor_id"].name == system
        switch type {
        case "comment_added":
            guard let reply = reply(change["comment"]) else { return nil }
            let author = change["comment"]["author"]
            return event(
                reply, id: change["comment"]["id"].name.map { "comment-\($0)" } ?? id, author: author["name"].string,
                isAutomatic: author["id"].name == system)
        case "status_changed":
            let (was, became) = (isDone(change["previous"].string), isDone(change["current"].string))
            return was == became ? nil : event(became ? .closed : .reopened, id: id, isAutomatic: isAutomatic)
        case "agent_assignment_changed":
            return change["current"].name == nil ? nil : event(.assigned, id: id, isAutomatic: isAutomatic)
        case "soft_deleted", "permanently_deleted", "marked_as_spam":
            return event(.closed, id: id, isAutomatic: isAutomatic)
        default:
            return nil
        }
    }

    /// A public comment of the brand's people. The customer's own, internal notes and what we wrote are none.
    private static func reply(_ comment: JSONView) -> DeskEvent.Kind? {
        guard comment["is_public"].bool == true, comment["author"]["is_staff"].bool == true, let body = comment["body"].string else {
            return nil
        }
        let text = (PlainText.isHTML(body) ? PlainText.from(html: body) : body).trimmingSpaces
        guard !text.isEmpty, DeskText.markedID(in: text) == nil else { return nil }
        return .reply(text: text, attachments: [])
    }

    static func isDone(_ status: String?) -> Bool { ["solved", "closed"].contains(status?.lowercased() ?? "") }
}
