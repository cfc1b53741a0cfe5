import Conversation
import JSON

extension ZendeskDesk {
    /// Pages of comments in one look.
    private static let mostPages = 20

    func changes(of ticket: DeskTicket, since cursor: String?) async throws(DeskError) -> DeskChanges {
        guard !capabilities.callsUs else { return DeskChanges(events: [], cursor: cursor ?? "") }
        var before = DeskState()
        if let cursor { before = try DeskState(cursor) }
        let look = try await look(at: ticket)
        var after = DeskState(message: before.message, isDone: ZendeskEvents.isDone(look.status), assignee: look.assignee ?? 0)
        var events: [DeskEvent] = []
        for (comment, isStaff) in try await comments(of: ticket, after: before.message) {
            guard let id = comment["id"].number else { continue }
            after.message = max(after.message, id)
            guard isStaff, comment["author_id"].number != look.requester, let reply = Self.reply(comment) else { continue }
            events.append(
                DeskEvent(
                    id: "comment-\(id)", ticket: ticket.id, kind: reply, isAutomatic: Self.isAutomatic(comment),
                    at: comment["created_at"].string.flatMap { Timestamp($0) } ?? calls.clock.now))
        }
        events += before.events(until: after, ticket: ticket, stamp: look.updated, now: calls.clock.now)
        return DeskChanges(events: events, cursor: after.description)
    }

    /// Newer comments, oldest first, each with whether one of the brand's people wrote it.
    private func comments(of ticket: DeskTicket, after last: Int64) async throws(DeskError) -> [(JSONView, isStaff: Bool)] {
        var comments: [(JSONView, isStaff: Bool)] = []
        for page in 1...Self.mostPages {
            let request = api(
                .get(
                    "/tickets/\(try number(ticket))/comments.json",
                    [("sort_order", "desc"), ("include", "users"), ("per_page", "100"), ("page", String(page))], isAboutTicket: true))
            let answer = try await calls.json(request)
            guard let items = answer["comments"].array else { throw calls.unreadable(request, "it lists no comments") }
            let staff = Set((answer["users"].array ?? []).filter { $0["role"].string != "end-user" }.compactMap { $0["id"].number })
            let new = items.filter { ($0["id"].number ?? 0) > last }
            comments += new.map { comment in (comment, comment["author_id"].number.map { staff.contains($0) } ?? false) }
            if new.count < items.count || items.count < 100 { break }
        }
        return comments.sorted { ($0.0["id"].number ?? 0) < ($1.0["id"].number ?? 0) }
    }

    private static func reply(_ comment: JSONView) -> DeskEvent.Kind? {
        guard comment["public"].bool == true else { return nil }
        let plain = comment["plain_body"].string ?? comment["body"].string ?? ""
        let text = (PlainText.isHTML(plain) ? PlainText.from(html: plain) : plain).trimmingSpaces
        let attachments = (comment["attachments"].array ?? []).compactMap { file -> TicketAttachment? in
            guard let url = file["content_url"].string, let link = Link.checked(url) else { return nil }
            return TicketAttachment(url: link, name: file["file_name"].name ?? Link.name(of: link), mimeType: file["content_type"].string)
        }
        guard !text.isEmpty || !attachments.isEmpty, DeskText.markedID(in: text) == nil else { return nil }
        return .reply(text: text, attachments: attachments)
    }

    /// Triggers and automations write through the channel `rule`.
    private static func isAutomatic(_ comment: JSONView) -> Bool {
        ["rule", "system", "automation"].contains(comment["via"]["channel"].string ?? "")
    }
}
