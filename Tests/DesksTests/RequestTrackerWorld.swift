import Conversation
import JSON
import Signing
import TestKit

/// Request Tracker 5 as version 5.0.3 was seen to answer: a missing ticket's history is an empty list, and writing to one is 400.
enum RequestTrackerWorld {
    static func make() throws -> ScriptedDesk {
        try ScriptedDesk(
            { url, rule in
                DeskConfiguration(
                    id: "rt", kind: .requestTracker, baseURL: url + "/rt", user: "gateway", password: Secret("secret"), queue: "Chats",
                    timeout: .seconds(12), allowPrivateAddresses: [rule])
            }, answer: answer)
    }

    @Sendable private static func answer(_ request: DeskRequest, _ board: inout Board) -> DeskAnswer {
        guard request.raw.header("authorization") == "Basic " + Base64.encode(Array("gateway:secret".utf8)) else {
            return .complaint(401, "Unauthorized")
        }
        guard request.path.hasPrefix("/rt/REST/2.0/") else { return .complaint(599, "path") }
        guard request.raw.method == "GET" || request.raw.header("content-type") == "application/json" else {
            return .complaint(599, "type")
        }
        switch (request.raw.method, request[3], request[5]) {
        case ("GET", "tickets", ""):
            guard let query = request.query["query"], query.hasPrefix("Subject LIKE '["), query.hasSuffix("]'") else {
                return .complaint(599, "query")
            }
            let wanted = query.dropFirst("Subject LIKE '".count).dropLast()
            let items = board.tickets.filter { $0.subject.contains(wanted) }.map { ticket -> JSONValue in
                ["id": .string(String(ticket.id)), "Subject": .string(ticket.subject), "type": "ticket"]
            }
            return list(items)
        case ("POST", "ticket", ""): return opened(request.body, &board)
        case ("GET", "ticket", ""):
            guard let index = board.index(request[4]) else { return .complaint(404, "Not Found") }
            return DeskAnswer(body: [
                "Status": .string(board.tickets[index].isClosed ? "resolved" : "open"), "Owner": ["id": "Nobody"],
                "Requestor": [["id": "customer@example.com"]], "Cc": [], "id": .integer(board.tickets[index].id),
            ])
        case ("PUT", "ticket", ""):
            guard let index = board.index(request[4]) else { return .complaint(404, "Resource does not exist; use POST to create") }
            guard request.body == ["Status": "resolved"] else { return .complaint(599, "put") }
            board.tickets[index].isClosed = true
            return DeskAnswer(body: [.string("Ticket \(request[4]): Status changed from 'open' to 'resolved'")])
        case ("POST", "ticket", "correspond"), ("POST", "ticket", "comment"):
            guard let index = board.index(request[4]) else { return .complaint(400, "Message could not be recorded") }
            guard let text = request.body["Content"]?.string, request.body["ContentType"] == "text/plain" else {
                return .complaint(599, "message")
            }
            board.tickets[index].messages.append(
                Board.Message(id: board.number(), text: text, isInternal: request[5] == "comment", author: "gateway"))
            return DeskAnswer(status: 201, body: ["Correspondence added"])
        case ("GET", "ticket", "history"): return history(request, board)
        case ("GET", "transaction", "attachments"):
            return list([["id": .string(request[4]), "ContentType": "text/plain", "Filename": "", "Headers": "MIME-Version: 1.0"]])
        case ("GET", "attachment", ""):
            let message = board.tickets.flatMap(\.messages).first { String($0.id) == request[4] }
            let text = Base64.encode(Array((message?.text ?? "").utf8))
            // As the real one does: a line break every 76 characters.
            let lines = stride(from: 0, to: text.count, by: 76).map { text.dropFirst($0).prefix(76) + "\n" }.joined()
            return DeskAnswer(body: ["id": .string(request[4]), "Content": .string(lines)])
        default: return .complaint(599, "unknown")
        }
    }

    private static func list(_ items: [JSONValue]) -> DeskAnswer {
        DeskAnswer(body: ["items": .array(items), "count": .integer(Int64(items.count)), "page": 1, "per_page": 100, "total": .null])
    }

    private static func opened(_ body: JSONValue, _ board: inout Board) -> DeskAnswer {
        guard body["Queue"] == "Chats", let subject = body["Subject"]?.string, subject.count <= 200, !subject.contains("\n"),
            let text = body["Content"]?.string, body["ContentType"] == "text/plain", body["Priority"]?.integer != nil
        else { return .complaint(599, "create") }
        var ticket = Board.Ticket(id: board.number(), subject: subject)
        ticket.messages = [Board.Message(id: board.number(), text: text, isInternal: false, author: "create")]
        board.tickets.append(ticket)
        return DeskAnswer(status: 201, body: ["id": .string(String(ticket.id)), "type": "ticket"])
    }

    private static func history(_ request: DeskRequest, _ board: Board) -> DeskAnswer {
        guard let index = board.index(request[4]) else { return list([]) }
        guard let condition = try? JSONValue(parsing: Array((request.query["query"] ?? "").utf8)).at(pointer: "/0"),
            condition["field"] == "id", condition["operator"] == ">=", request.query["orderby"] == "id",
            let low = condition["value"]?.string.flatMap({ Int64($0) }), let page = Int(request.query["page"] ?? "")
        else { return .complaint(599, "history") }
        let items = board.tickets[index].messages.filter { $0.id >= low }.map { message -> JSONValue in
            let status = message.author == "status" ? message.text.split(separator: ">").map(String.init) : ["", ""]
            let type =
                switch message.author {
                case "status": "Status"
                case "create": "Create"
                default: message.isInternal ? "Comment" : "Correspond"
                }
            return [
                "id": .string(String(message.id)), "Type": .string(type), "Field": .string(type == "Status" ? "Status" : ""),
                "Creator": ["id": .string(["agent", "status"].contains(message.author) ? "agent" : "gateway"), "type": "user"],
                "Created": .string(SystemClock().now.description), "OldValue": .string(status[0]), "NewValue": .string(status[1]),
            ]
        }
        return list(Array(items.dropFirst((page - 1) * 100).prefix(100)))
    }
}
