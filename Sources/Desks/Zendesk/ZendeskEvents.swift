import Conversation
import JSON
import Signing

/// Calls of a Zendesk webhook that is subscribed to events of tickets. They say that something happened; what it was the ticket's comments
/// tell, which have the files too and are there when a call is not.
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
        guard let id = call["id"].name else { throw SignedCall.malformed("the event has no id") }
        guard matters(String(type.dropFirst(prefix.count)), call["event"]) else { return [] }
        return [
            DeskEvent(
                id: id, ticket: ticket, reference: call["detail"]["external_id"].string.flatMap { HandoverID($0) }, kind: .changed,
                at: min(now, call["time"].string.flatMap { Timestamp($0) } ?? now))
        ]
    }

    private static let prefix = "zen:event-type:ticket."

    /// Whether it is worth asking what happened. The customer's own comments, internal notes and what we wrote are not.
    private static func matters(_ type: String, _ change: JSONView) -> Bool {
        switch type {
        case "comment_added": change["comment"]["is_public"].bool == true && change["comment"]["author"]["is_staff"].bool == true
        case "status_changed", "agent_assignment_changed", "soft_deleted", "permanently_deleted", "marked_as_spam": true
        default: false
        }
    }
}
