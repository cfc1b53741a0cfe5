import Conversation
import JSON

extension ZendeskDesk {
    /// Pages of comments in one look.
    private static let mostPages = 20

    /// One of Zendesk's users, as far as it matters who wrote.
    private struct Writer {
        let name: String?
        let isStaff: Bool
    }

    func changes(of ticket: DeskTicket, since cursor: String?) async throws(DeskError) -> DeskChanges {
        let look = try await look(at: ticket)
        return try await DeskState.changes(
            of: ticket, since: cursor, isDone: Self.isDone(look.status), assignee: look.assignee, stamp: look.updated, now: calls.clock.now
        ) { last throws(DeskError) in
            try await comments(of: ticket, after: last).map { comment, writer in
                let isAnswer = writer?.isStaff == true && comment["author_id"].number != look.requester
                return (id: comment["id"].number ?? last, reply: isAnswer ? reply(comment, by: writer?.name, in: ticket) : nil)
            }
        }
    }

    static func isDone(_ status: String?) -> Bool { ["solved", "closed"].contains(status?.lowercased() ?? "") }

    /// Newer comments, oldest first, each with who wrote it, where Zendesk says so.
    private func comments(of ticket: DeskTicket, after last: Int64) async throws(DeskError) -> [(JSONView, Writer?)] {
        var comments: [(JSONView, Writer?)] = []
        for page in 1...Self.mostPages {
            let request = api(
                .get(
                    "/tickets/\(try number(ticket))/comments.json",
                    [("sort_order", "desc"), ("include", "users"), ("per_page", "100"), ("page", String(page))], isAboutTicket: true))
            let answer = try await calls.json(request)
            guard let items = answer["comments"].array else { throw calls.unreadable(request, "it lists no comments") }
            var writers: [Int64: Writer] = [:]
            for user in answer["users"].array ?? [] {
                guard let id = user["id"].number else { continue }
                writers[id] = Writer(name: user["name"].name, isStaff: user["role"].string != "end-user")
            }
            let new = items.filter { ($0["id"].number ?? 0) > last }
            comments += new.map { comment in (comment, comment["author_id"].number.flatMap { writers[$0] }) }
            if new.count < items.count || items.count < 100 { break }
        }
        return comments.sorted { ($0.0["id"].number ?? 0) < ($1.0["id"].number ?? 0) }
    }

    /// Nil for what is not for the customer, and for what we wrote.
    private func reply(_ comment: JSONView, by author: String?, in ticket: DeskTicket) -> DeskEvent? {
        guard let id = comment["id"].number, comment["public"].bool == true else { return nil }
        let plain = comment["plain_body"].string ?? comment["body"].string ?? ""
        let text = (PlainText.isHTML(plain) ? PlainText.from(html: plain) : plain).trimmingSpaces
        let files = DeskState.attachments(comment["attachments"], (url: "content_url", name: "file_name", type: "content_type"))
        guard !text.isEmpty || !files.isEmpty, DeskText.markedID(in: text) == nil else { return nil }
        return DeskEvent(
            id: "comment-\(id)", ticket: ticket.id, kind: .reply(text: text, attachments: files), author: author,
            isAutomatic: Self.isAutomatic(comment), at: comment["created_at"].string.flatMap { Timestamp($0) } ?? calls.clock.now)
    }

    /// Triggers and automations write through the channel `rule`.
    private static func isAutomatic(_ comment: JSONView) -> Bool {
        ["rule", "system", "automation"].contains(comment["via"]["channel"].string ?? "")
    }
}
