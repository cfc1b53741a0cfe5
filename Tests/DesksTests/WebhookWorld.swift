import Conversation
import Signing
import TestKit

/// A receiver of the generic webhook that follows docs/handover.md to the letter.
enum WebhookWorld {
    static let secret = Secret("whsec_" + Base64.encode(Array(repeating: 7, count: 32)))

    static func make() throws -> ScriptedDesk {
        let signer = try StandardWebhooks(secrets: [secret])
        return try ScriptedDesk(
            { url, rule in
                DeskConfiguration(
                    id: "hook", kind: .webhook, baseURL: url + "/desk", webhookSecret: secret, timeout: .seconds(12),
                    allowPrivateAddresses: [rule])
            },
            answer: { answer($0, &$1, signer) },
            teller: { event, ticket, message in
                guard message?.isInternal != true else { return nil }
                var fields: [String: JSONValue] = [
                    "event": .string(event == "comment" ? "reply" : event), "ticket": .string(String(ticket.id)),
                    "id": .string(message.map { "m\($0.id)" } ?? "\(event)-\(ticket.changes)"),
                    "reference": JSONValue(ticket.externalID), "author": "agent",
                ]
                if let message { fields["text"] = .string(message.text) }
                let body = CanonicalJSON.bytes(.object(fields))
                return channelRequest(signer.headers(id: "call-1", at: SystemClock().now, body: body), body)
            })
    }

    private static func answer(_ request: DeskRequest, _ board: inout Board, _ signer: StandardWebhooks) -> DeskAnswer {
        let id = request.raw.header("webhook-id") ?? ""
        guard
            signer.verifies(
                id: id, timestamp: request.raw.header("webhook-timestamp") ?? "", signature: request.raw.header("webhook-signature") ?? "",
                body: request.raw.body, now: SystemClock().now)
        else { return .complaint(599, "signature") }
        guard request.raw.header("content-type") == "application/json", request.raw.body.count <= 262_144 else {
            return .complaint(599, "form")
        }
        switch request.body["event"]?.string {
        case "ticket.find":
            guard let reference = request.body["reference"]?.string, id == "find-\(reference)" else { return .complaint(599, "find") }
            return found(reference, board) ?? DeskAnswer(body: ["ticket": .null])
        case "ticket.changes": return changes(request.body["ticket"]?.string ?? "", board)
        case "ticket.opened": return opened(request.body, id, &board)
        case "ticket.entry": return added(request.body, id, &board)
        case "ticket.closed":
            guard let index = board.index(request.body["ticket"]?.string ?? "") else { return .complaint(410, "gone") }
            board.tickets[index].isClosed = true
            return DeskAnswer(status: 204)
        default: return .complaint(599, "event")
        }
    }

    private static func changes(_ ticket: String, _ board: Board) -> DeskAnswer {
        guard let index = board.index(ticket) else { return DeskAnswer(body: ["ticket": .null]) }
        let ticket = board.tickets[index]
        let replies = ticket.messages.filter { $0.author == "agent" && !$0.isInternal }.map { message -> JSONValue in
            ["id": .string("m\(message.id)"), "text": .string(message.text), "author": "agent"]
        }
        return DeskAnswer(body: ["ticket": .string(String(ticket.id)), "closed": .bool(ticket.isClosed), "replies": .array(replies)])
    }

    private static func found(_ reference: String, _ board: Board) -> DeskAnswer? {
        board.tickets.first { $0.externalID == reference }.map {
            DeskAnswer(body: ["ticket": .string(String($0.id)), "url": .string("https://desk.example/\($0.id)")])
        }
    }

    private static func opened(_ body: JSONValue, _ id: String, _ board: inout Board) -> DeskAnswer {
        guard let reference = body["reference"]?.string, id == "opened-\(reference)", let subject = body["subject"]?.string,
            let history = body["history"]?.array, history.count <= 100, body["customer"]?["user"]?.string != nil,
            ["low", "normal", "high", "urgent"].contains(body["priority"]?.string ?? ""), body["payload"] != nil,
            body["body"]?.string?.hasPrefix(body["summary"]?.string ?? "-") == true,
            let omitted = body["history_omitted"]?.integer
        else { return .complaint(599, "opened") }
        if let answer = found(reference, board) { return answer }
        var ticket = Board.Ticket(id: board.number(), subject: subject, externalID: reference)
        let words: [String] = history.map { $0["text"]?.string ?? "" }
        let lines: [String] = [body["summary"]?.string ?? "", "\(omitted) omitted"] + words
        ticket.messages = [Board.Message(id: board.number(), text: lines.joined(separator: "\n"), isInternal: true, author: "gateway")]
        board.tickets.append(ticket)
        return DeskAnswer(status: 201, body: ["ticket": .string(String(ticket.id)), "url": .string("https://desk.example/\(ticket.id)")])
    }

    private static func added(_ body: JSONValue, _ id: String, _ board: inout Board) -> DeskAnswer {
        guard let entry = body["entry"], let entryID = entry["id"]?.string, id == "entry-\(entryID)",
            let text = entry["text"]?.string, entry["body"]?.string?.contains(text) == true, let isInternal = entry["internal"]?.bool,
            let attachments = entry["attachments"]?.array
        else { return .complaint(599, "entry") }
        guard let index = board.index(body["ticket"]?.string ?? "") else { return .complaint(404, "gone") }
        guard board.idempotent[entryID] == nil else { return DeskAnswer() }
        board.idempotent[entryID] = 1
        let links = attachments.map { "\($0["name"]?.string ?? ""): \($0["url"]?.string ?? "")" }
        board.tickets[index].messages.append(
            Board.Message(
                id: board.number(), text: ([text] + links).joined(separator: "\n"), isInternal: isInternal,
                author: entry["author"]?.string ?? ""))
        return DeskAnswer()
    }
}
