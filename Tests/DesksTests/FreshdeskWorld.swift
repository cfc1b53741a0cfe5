import Conversation
import Desks
import JSON
import Signing
import TestKit

/// Freshdesk's documented API version 2, and a rule that calls with the body from docs/handover.md.
enum FreshdeskWorld {
    static let secret = Secret("a-secret-of-some-length")
    static let requester: Int64 = 5

    static func make(callsUs: Bool) throws -> ScriptedDesk {
        try ScriptedDesk(
            { url, rule in
                DeskConfiguration(
                    id: "fresh", kind: .freshdesk, baseURL: url, token: Secret("key"), webhookSecret: callsUs ? secret : nil,
                    queue: "36", timeout: .seconds(12), allowPrivateAddresses: [rule])
            }, answer: answer, teller: { callsUs ? call($0, $1, $2) : nil })
    }

    @Sendable private static func answer(_ request: DeskRequest, _ board: inout Board) -> DeskAnswer {
        guard request.raw.header("authorization") == "Basic " + Base64.encode(Array("key:X".utf8)) else {
            return .complaint(401, "invalid_credentials")
        }
        switch (request.raw.method, request[2], request[4]) {
        case ("GET", "tickets", "") where request[3].isEmpty: return listed(request, board)
        case ("GET", "search", ""):
            guard request[3] == "tickets", let query = request.query["query"], query.hasPrefix("\"tag:'"), query.hasSuffix("'\"") else {
                return .complaint(599, "search")
            }
            let tag = String(query.dropFirst(6).dropLast(2))
            let results = board.tickets.filter { $0.tags.contains(tag) }
            return DeskAnswer(body: ["results": .array(results.map(json)), "total": .integer(Int64(results.count))])
        case ("POST", "tickets", ""): return opened(request.body, &board)
        case ("GET", "tickets", ""):
            guard let index = board.index(request[3]) else { return .complaint(404, "none") }
            return DeskAnswer(body: json(board.tickets[index]))
        case ("PUT", "tickets", ""):
            guard let index = board.index(request[3]) else { return .complaint(404, "none") }
            guard request.body == ["status": 4] else { return .complaint(599, "update") }
            board.tickets[index].isClosed = true
            return DeskAnswer(body: json(board.tickets[index]))
        case ("POST", "tickets", "notes"): return noted(request, &board)
        case ("GET", "tickets", "conversations"):
            guard let index = board.index(request[3]) else { return .complaint(404, "none") }
            guard let page = Int(request.query["page"] ?? ""), request.query["per_page"] == "100" else { return .complaint(599, "page") }
            let entries = board.tickets[index].messages.dropFirst().filter { $0.author != "status" }.map(conversation)
            return DeskAnswer(body: .array(Array(entries.dropFirst((page - 1) * 100).prefix(100))))
        default: return .complaint(599, "unknown")
        }
    }

    private static func listed(_ request: DeskRequest, _ board: Board) -> DeskAnswer {
        guard let since = request.query["updated_since"].flatMap({ Timestamp($0) }), let page = Int(request.query["page"] ?? ""),
            request.query["order_by"] == "created_at", request.query["order_type"] == "desc", request.query["per_page"] == "100"
        else { return .complaint(599, "list") }
        guard since < SystemClock().now, page <= 300 else { return .complaint(599, "range") }
        return DeskAnswer(body: .array(Array(board.tickets.reversed().map(json).dropFirst((page - 1) * 100).prefix(100))))
    }

    private static func opened(_ body: JSONValue, _ board: inout Board) -> DeskAnswer {
        let tags = body["tags"]?.array?.compactMap(\.string) ?? []
        guard let subject = body["subject"]?.string, let html = body["description"]?.string, body["status"] == 2,
            (1...4).contains(body["priority"]?.integer ?? 0), body["source"] == 7, tags.allSatisfy({ $0.count <= 32 }),
            body["group_id"] == 36, ["email", "phone", "unique_external_id"].contains(where: { body[$0]?.string != nil }),
            body["name"]?.string != nil
        else { return .complaint(599, "create") }
        var ticket = Board.Ticket(id: board.number(), subject: subject, tags: tags)
        ticket.messages = [Board.Message(id: board.number(), text: text(html), isInternal: true, author: "gateway")]
        board.tickets.append(ticket)
        return DeskAnswer(status: 201, body: json(ticket))
    }

    private static func noted(_ request: DeskRequest, _ board: inout Board) -> DeskAnswer {
        guard let index = board.index(request[3]) else { return .complaint(404, "none") }
        guard let html = request.body["body"]?.string, let isPrivate = request.body["private"]?.bool,
            isPrivate == (request.body["user_id"] == nil), isPrivate || request.body["incoming"] == true
        else { return .complaint(599, "note") }
        let message = Board.Message(
            id: board.number(), text: text(html), isInternal: isPrivate, author: isPrivate ? "gateway" : "customer")
        board.tickets[index].messages.append(message)
        return DeskAnswer(status: 201, body: conversation(message))
    }

    /// What a browser shows of the little HTML that we send; anything else is left as it is and so is seen.
    private static func text(_ html: String) -> String {
        html.replacing("<br>", with: "\n").replacing("&lt;", with: "<").replacing("&gt;", with: ">").replacing("&quot;", with: "\"")
            .replacing("&amp;", with: "&")
    }

    private static func conversation(_ message: Board.Message) -> JSONValue {
        let user: Int64 =
            switch message.author {
            case "customer": requester
            case "agent": 6
            default: 7
            }
        return [
            "id": .integer(message.id), "body_text": .string(message.text), "private": .bool(message.isInternal),
            "incoming": .bool(message.author == "customer"), "user_id": .integer(user), "attachments": [],
            "created_at": .string(SystemClock().now.description),
        ]
    }

    private static func json(_ ticket: Board.Ticket) -> JSONValue {
        [
            "id": .integer(ticket.id), "subject": .string(ticket.subject), "status": ticket.isClosed ? 4 : 2, "priority": 1,
            "requester_id": .integer(requester), "responder_id": .null, "spam": false, "tags": .array(ticket.tags.map(JSONValue.string)),
            "created_at": .string(SystemClock().now.description), "updated_at": .string("2026-11-21T09:30:0\(ticket.changes % 10)Z"),
        ]
    }

    private static func call(_ event: String, _ ticket: Board.Ticket, _ message: Board.Message?) -> ChannelRequest? {
        guard message?.isInternal != true else { return nil }
        return filled(ticket: String(ticket.id), tags: ticket.tags.joined(separator: ", "))
    }

    /// The documented body with its placeholders filled in.
    static func filled(ticket: String, tags: String = "", secret: Secret = secret) -> ChannelRequest {
        channelRequest([("X-Switchboard-Secret", secret.reveal())], Array("{\"ticket\":\"\(ticket)\",\"tags\":\"\(tags)\"}".utf8))
    }
}
