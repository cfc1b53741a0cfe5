import Conversation
import JSON
import Signing
import TestKit

/// Zendesk's documented ticketing API and its events of tickets.
enum ZendeskWorld {
    static let secret = Secret("dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==")
    static let requester: Int64 = 5

    static func make(
        callsUs: Bool, before: @escaping @Sendable (DeskRequest) -> DeskAnswer? = { _ in nil }
    ) throws -> ScriptedDesk {
        try ScriptedDesk(
            { url, rule in
                DeskConfiguration(
                    id: "zen", kind: .zendesk, baseURL: url, token: Secret("token"), user: "gateway@example.com",
                    webhookSecret: callsUs ? secret : nil, queue: "36", timeout: .seconds(12), allowPrivateAddresses: [rule])
            }, answer: { before($0) ?? answer($0, &$1) }, teller: { callsUs ? call($0, $1, $2) : nil })
    }

    @Sendable private static func answer(_ request: DeskRequest, _ board: inout Board) -> DeskAnswer {
        guard request.raw.header("authorization") == "Basic " + Base64.encode(Array("gateway@example.com/token:token".utf8)) else {
            return .complaint(401, "Couldn't authenticate you")
        }
        let part = request[3]
        switch (request.raw.method, request[2], request[4]) {
        case ("GET", "tickets.json", ""):
            guard let reference = request.query["external_id"] else { return .complaint(599, "list") }
            return DeskAnswer(body: ["tickets": .array(board.tickets.filter { $0.externalID == reference }.map(json)), "count": 1])
        case ("POST", "tickets.json", ""): return opened(request, &board)
        case ("POST", "users", ""):
            guard part == "create_or_update.json", let user = request.body["user"], user["name"]?.string != nil,
                user["external_id"]?.string != nil
            else { return .complaint(599, "user") }
            return DeskAnswer(status: 201, body: ["user": ["id": .integer(requester)]])
        case ("GET", "tickets", ""):
            guard let index = board.index(id(part)) else { return .complaint(404, "RecordNotFound") }
            return DeskAnswer(body: ["ticket": json(board.tickets[index])])
        case ("GET", "tickets", "comments.json"):
            guard let index = board.index(part) else { return .complaint(404, "RecordNotFound") }
            return comments(board.tickets[index], request)
        case ("PUT", "tickets", ""): return updated(request, &board)
        default: return .complaint(599, "unknown")
        }
    }

    private static func id(_ part: String) -> String { part.hasSuffix(".json") ? String(part.dropLast(5)) : part }

    private static func opened(_ request: DeskRequest, _ board: inout Board) -> DeskAnswer {
        guard let ticket = request.body["ticket"], let key = request.raw.header("idempotency-key"), key.count <= 255,
            let comment = ticket["comment"], let text = comment["body"]?.string, text.count <= 65_535,
            let isPublic = comment["public"]?.bool, ticket["group_id"] == 36,
            ["low", "normal", "high", "urgent"].contains(ticket["priority"]?.string ?? ""),
            ticket["requester"]?["email"]?.string != nil || ticket["requester_id"] == .integer(requester)
        else { return .complaint(599, "create") }
        if let id = board.idempotent[key], let index = board.index(String(id)) {
            return DeskAnswer(status: 201, body: ["ticket": json(board.tickets[index])], headers: [("X-Idempotency-Lookup", "hit")])
        }
        var new = Board.Ticket(
            id: board.number(), subject: ticket["subject"]?.string ?? "", externalID: ticket["external_id"]?.string)
        new.messages = [Board.Message(id: board.number(), text: text, isInternal: !isPublic, author: "gateway")]
        board.tickets.append(new)
        board.idempotent[key] = new.id
        return DeskAnswer(status: 201, body: ["ticket": json(new)], headers: [("X-Idempotency-Lookup", "miss")])
    }

    private static func updated(_ request: DeskRequest, _ board: inout Board) -> DeskAnswer {
        guard let index = board.index(id(request[3])) else { return .complaint(404, "RecordNotFound") }
        guard let ticket = request.body["ticket"] else { return .complaint(599, "update") }
        if let status = ticket["status"] {
            guard status == "solved" else { return .complaint(599, "status") }
            board.tickets[index].isClosed = true
        }
        if let comment = ticket["comment"] {
            guard let text = comment["body"]?.string, text.count <= 65_535, let isPublic = comment["public"]?.bool,
                isPublic == (comment["author_id"] == .integer(requester))
            else { return .complaint(599, "comment") }
            board.tickets[index].messages.append(
                Board.Message(id: board.number(), text: text, isInternal: !isPublic, author: isPublic ? "customer" : "gateway"))
        }
        return DeskAnswer(body: ["ticket": json(board.tickets[index]), "audit": [:]])
    }

    private static func comments(_ ticket: Board.Ticket, _ request: DeskRequest) -> DeskAnswer {
        guard request.query["sort_order"] == "desc" else { return .complaint(599, "order") }
        let page = Int(request.query["page"] ?? "1") ?? 1
        let all = ticket.messages.filter { $0.author != "status" }.reversed().map { message -> JSONValue in
            [
                "id": .integer(message.id), "type": "Comment", "body": .string(message.text), "plain_body": .string(message.text),
                "public": .bool(!message.isInternal), "author_id": .integer(author(message)), "attachments": [],
                "via": ["channel": "web"], "created_at": .string(SystemClock().now.description),
            ]
        }
        var body: [String: JSONValue] = ["comments": .array(Array(all.dropFirst((page - 1) * 100).prefix(100)))]
        if request.query["include"] == "users" {
            body["users"] = [["id": 5, "role": "end-user"], ["id": 6, "role": "agent"], ["id": 7, "role": "admin"]]
        }
        return DeskAnswer(body: .object(body))
    }

    private static func author(_ message: Board.Message) -> Int64 {
        switch message.author {
        case "customer": requester
        case "agent": 6
        default: 7
        }
    }

    private static func json(_ ticket: Board.Ticket) -> JSONValue {
        [
            "id": .integer(ticket.id), "external_id": JSONValue(ticket.externalID), "status": ticket.isClosed ? "solved" : "open",
            "requester_id": .integer(requester), "assignee_id": .null, "updated_at": .string("2026-11-21T09:30:0\(ticket.changes % 10)Z"),
        ]
    }

    private static func call(_ event: String, _ ticket: Board.Ticket, _ message: Board.Message?) -> ChannelRequest {
        var change: JSONValue = ["current": event == "closed" ? "SOLVED" : "OPEN", "previous": event == "closed" ? "OPEN" : "SOLVED"]
        if let message {
            change = [
                "comment": [
                    "id": .string(String(message.id)), "body": .string(message.text), "is_public": .bool(!message.isInternal),
                    "author": ["id": "6", "is_staff": .bool(message.author != "customer"), "name": "Agent"],
                ]
            ]
        }
        let type = message == nil ? "status_changed" : "comment_added"
        return signed([
            "type": .string("zen:event-type:ticket.\(type)"), "account_id": 22_129_848, "zendesk_event_version": "2022-11-06",
            "id": .string("event-\(message?.id ?? Int64(-ticket.changes))-\(ticket.id)"), "time": .string(SystemClock().now.description),
            "subject": .string("zen:ticket:\(ticket.id)"),
            "detail": [
                "id": .string(String(ticket.id)), "external_id": JSONValue(ticket.externalID), "actor_id": "6", "requester_id": "5",
                "via": ["channel": "api"],
            ],
            "event": change,
        ])
    }

    static func signed(_ body: JSONValue, at: Timestamp = SystemClock().now, secret: Secret = secret) -> ChannelRequest {
        let bytes = CanonicalJSON.bytes(body)
        let code = HMACKey(Array(secret.reveal().utf8)).authenticationCode(for: Array(at.description.utf8) + bytes)
        return channelRequest(
            [
                ("X-Zendesk-Webhook-Signature", Base64.encode(code)), ("X-Zendesk-Webhook-Signature-Timestamp", at.description),
                ("X-Zendesk-Webhook-Id", "01GK8E6BKWMJZD2T8Y5AXJQMG5"),
            ], bytes)
    }
}
