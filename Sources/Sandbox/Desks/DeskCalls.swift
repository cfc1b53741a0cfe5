import Conversation
import Foundation
import Logging
import ServiceLifecycle

/// A call of a ticket system to the gateway, not signed yet.
struct DeskCall: Sendable {
    /// The provider's own id of the delivery, where it has one.
    var id: String
    var body: JSONValue
}

/// Signs calls as each ticket system does and posts them to `/webhooks/tickets/{desk}`.
final class DeskCalls: Sendable {
    /// How a test spoils a delivery.
    struct Spoiling: Sendable {
        var signsWrongly = false
        /// How long ago it was signed.
        var age: Duration = .zero
    }

    /// Zendesk tries again after 409, 429 and 503; so does everything here.
    private static let retried = [0, 409, 429, 503]
    private static let attempts = 20
    private static let pause: Duration = .milliseconds(250)

    private let book: DeskBook
    private let sender: WebhookSender
    private let logger: Logger
    private let client = LoopbackClient()
    // Unbounded: bounded by what the gateway itself writes.
    private let jobs = AsyncStream.makeStream(of: DeskCall.self, bufferingPolicy: .unbounded)

    /// `sender` knows where the gateway is.
    init(book: DeskBook, sender: WebhookSender, logger: Logger) {
        self.book = book
        self.sender = sender
        self.logger = logger
    }

    /// Posts in the background, in order, if the system calls the gateway at all.
    func enqueue(_ call: DeskCall?) {
        if let call, book.settings.secret != nil { jobs.continuation.yield(call) }
    }

    /// Works off what is enqueued, until it is cancelled.
    func run() async {
        for await call in jobs.stream {
            for attempt in 1...Self.attempts {
                let answer = await post(call)
                guard Self.retried.contains(answer.status), attempt < Self.attempts else { break }
                let deadline = book.clock.now + Self.pause
                do {
                    try await cancelWhenGracefulShutdown { [book] in try await book.clock.sleep(until: deadline) }
                } catch {
                    return
                }
            }
        }
    }

    /// Posts once.
    func post(_ call: DeskCall, spoiling: Spoiling = Spoiling()) async -> GatewayAnswer {
        let settings = book.settings
        let body = CanonicalJSON.bytes(call.body)
        var headers = [(name: "Content-Type", value: "application/json"), (name: "User-Agent", value: "switchboard-sandbox")]
        headers += proof(id: call.id, body: body, secret: settings.secret ?? "", spoiling)
        let gateway = sender.gateway
        do {
            let answer = try await cancelWhenGracefulShutdown { [client, headers] in
                try await client.send(
                    "POST", port: gateway.port, target: "\(gateway.path)/webhooks/tickets/\(settings.desk)", headers: headers, body: body)
            }
            return GatewayAnswer(
                status: answer.status, body: JSONText.read(answer.body) ?? .string(String(decoding: answer.body, as: UTF8.self)))
        } catch {
            logger.debug("a call of a ticket system was not answered", metadata: ["error": "\(error)"])
            return .unanswered("\(gateway) did not answer: \(error)")
        }
    }

    /// The headers by which the gateway knows the caller.
    private func proof(id: String, body: [UInt8], secret: String, _ spoiling: Spoiling) -> [(name: String, value: String)] {
        let signed = book.clock.now + (.zero - spoiling.age)
        let secret = spoiling.signsWrongly ? secret + "x" : secret
        switch book.system {
        // Base64 of the HMAC over the timestamp and the body, nothing in between.
        case .zendesk:
            let stamp = signed.wholeSeconds
            let code = Signatures.hmacSHA256(key: Array((secret.isEmpty ? "none" : secret).utf8), Array(stamp.utf8) + body)
            return [("X-Zendesk-Webhook-Signature", Base64.encode(code)), ("X-Zendesk-Webhook-Signature-Timestamp", stamp)]
        // Freshdesk signs nothing: a rule sends a header that somebody typed in.
        case .freshdesk: return [("X-Switchboard-Secret", secret)]
        case .webhook:
            let stamp = String(signed.milliseconds / 1000)
            let code = Signatures.hmacSHA256(key: Self.key(secret), Array("\(id).\(stamp).".utf8) + body)
            return [("webhook-id", id), ("webhook-timestamp", stamp), ("webhook-signature", "v1,\(Base64.encode(code))")]
        case .requestTracker: return []
        }
    }

    /// The bytes of a `whsec_` secret; any others sign wrongly.
    private static func key(_ secret: String) -> [UInt8] {
        if secret.hasPrefix("whsec_"), let bytes = Data(base64Encoded: String(secret.dropFirst(6))), !bytes.isEmpty { return Array(bytes) }
        return Array("none".utf8)
    }
}

/// Calls of a Zendesk webhook that is subscribed to events of tickets.
enum ZendeskEvent {
    static func created(_ ticket: DeskTicketRecord, _ book: DeskBook) -> DeskCall {
        call("created", ticket, actor: DeskBook.program, event: [:], at: ticket.createdAt)
    }

    /// A comment, or a change of the status or of the assignee; nil for a change that makes no event here.
    static func happened(_ entry: DeskEntry, in ticket: DeskTicketRecord, _ book: DeskBook) -> DeskCall? {
        switch entry.kind {
        case .message:
            let author = book.with { $0.users[entry.author] }
            let comment: JSONValue = [
                "id": .string(String(entry.id)), "body": .string(entry.text), "is_public": .bool(entry.isPublic),
                "author": [
                    "id": .string(String(entry.author)), "is_staff": .bool(author?.isStaff ?? false), "name": .string(author?.name ?? ""),
                ],
            ]
            return call("comment_added", ticket, actor: entry.author, event: ["comment": comment], at: entry.at)
        case .change("status", let before, let after):
            let event: JSONValue = ["previous": JSONValue(before?.uppercased()), "current": JSONValue(after?.uppercased())]
            return call("status_changed", ticket, actor: entry.author, event: event, at: entry.at)
        case .change("assignee_id", let before, let after):
            let event: JSONValue = ["previous": JSONValue(before), "current": JSONValue(after)]
            return call("agent_assignment_changed", ticket, actor: entry.author, event: event, at: entry.at)
        case .change: return nil
        }
    }

    private static func call(_ type: String, _ ticket: DeskTicketRecord, actor: Int, event: JSONValue, at: Timestamp) -> DeskCall {
        let id = UUID().uuidString.lowercased()
        let detail: JSONValue = [
            "actor_id": .string(String(actor)), "assignee_id": JSONValue(ticket.assignee.map(String.init)),
            "created_at": .string(ticket.createdAt.wholeSeconds), "description": .string(ticket.messages.first?.text ?? ""),
            "external_id": JSONValue(ticket.reference), "group_id": JSONValue(ticket.group.map(String.init)),
            "id": .string(String(ticket.id)), "is_public": .bool(ticket.messages.contains(where: \.isPublic)),
            "priority": JSONValue(ticket.priority?.uppercased()), "requester_id": .string(String(ticket.requester)),
            "status": .string(ticket.status.uppercased()), "subject": .string(ticket.subject),
            "submitter_id": .string(String(DeskBook.program)), "tags": .array(ticket.tags.map(JSONValue.string)),
            "updated_at": .string(ticket.updatedAt.wholeSeconds), "via": ["channel": "api"],
        ]
        var event = event
        event["meta"] = ["sequence": ["id": .string(id), "position": 1]]
        return DeskCall(
            id: id,
            body: [
                "type": .string("zen:event-type:ticket.\(type)"), "account_id": 22_129_848, "id": .string(id),
                "time": .string(at.description), "zendesk_event_version": "2022-11-06", "subject": .string("zen:ticket:\(ticket.id)"),
                "detail": detail, "event": event,
            ])
    }
}
