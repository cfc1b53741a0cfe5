import Conversation
import JSON
import Signing

/// Any system that speaks our own webhooks. Both directions carry Standard Webhooks signatures under one secret; the formats are described
/// in docs/handover.md. The receiver keeps `reference` and `entry.id`, and shows each once however often it is told.
struct WebhookDesk: TicketDesk {
    let capabilities = DeskCapabilities(callsUs: true, deduplicatesEntries: true, opensOnce: true)
    private let calls: DeskCalls
    private let signer: StandardWebhooks

    /// Throws `DeskSetupError` without a secret in the form that Standard Webhooks want.
    init(_ configuration: DeskConfiguration, calls: DeskCalls) throws {
        guard let secret = configuration.webhookSecret else { throw DeskSetupError(configuration, "webhook_secret is missing") }
        do {
            signer = try StandardWebhooks(secrets: [secret])
        } catch {
            throw DeskSetupError(configuration, "\(error)")
        }
        self.calls = calls
    }

    func find(_ reference: HandoverID) async throws(DeskError) -> DeskTicket? {
        var request = post(id: "find-\(reference)", body: WebhookMessages.find(reference), isAboutTicket: true)
        request.isQuestion = true
        do throws(DeskError) {
            let answer = try await calls.json(request)
            return Self.saysNone(answer) ? nil : try ticket(in: answer, request)
        } catch {
            if error.outcome == .gone { return nil }
            throw error
        }
    }

    func open(_ draft: TicketDraft) async throws(DeskError) -> DeskTicket {
        let body = WebhookMessages.opened(draft, at: calls.clock.now)
        let request = post(id: "opened-\(draft.reference)", body: body, isAboutTicket: false)
        return try ticket(in: try await calls.json(request), request)
    }

    func add(_ entry: TicketEntry, to ticket: DeskTicket) async throws(DeskError) {
        let body = WebhookMessages.added(entry, to: ticket)
        try await tell(post(id: "entry-\(entry.id)", body: body, isAboutTicket: true), ticket)
    }

    /// Nothing to ask: adding again is harmless.
    func contains(_ entry: UniqueID, in ticket: DeskTicket) async throws(DeskError) -> Bool? { nil }

    func close(_ ticket: DeskTicket, reason: String) async throws(DeskError) {
        let now = calls.clock.now
        // Closing has no id of its own. A ticket may be closed again after it was reopened, so the moment tells the closings apart.
        let body = WebhookMessages.closed(ticket, reason: reason, at: now)
        try await tell(post(id: Self.id("closed", ticket, now), body: body, isAboutTicket: true), ticket)
    }

    /// Systems need not offer it: then only what they tell is known.
    func changes(of ticket: DeskTicket, since cursor: String?) async throws(DeskError) -> DeskChanges {
        let now = calls.clock.now
        var request = post(id: Self.id("changes", ticket, now), body: WebhookMessages.changes(ticket), isAboutTicket: true)
        request.isQuestion = true
        // Who does not know the question may well answer 404: that is no word about the ticket.
        request.meaning = { $0.status == 404 ? .refused : nil }
        let answer: JSONView
        do throws(DeskError) {
            answer = try await calls.json(request)
        } catch {
            if error.outcome == .refused { return DeskChanges(events: [], cursor: cursor ?? "") }
            throw error
        }
        if Self.saysNone(answer) { throw DeskError(.gone, "there is no ticket \(ticket.id)") }
        guard let isDone = answer["closed"].bool else { return DeskChanges(events: [], cursor: cursor ?? "") }
        return try await DeskState.changes(
            of: ticket, since: cursor, isDone: isDone, assignee: nil, stamp: String(now.milliseconds), now: now
        ) { last throws(DeskError) in
            try WebhookMessages.replies(in: answer["replies"], of: ticket, now: now).map { (id: last, reply: Optional($0)) }
        }
    }

    func events(in request: ChannelRequest, now: Timestamp) throws(DeskError) -> [DeskEvent] {
        let id = try SignedCall.only("webhook-id", in: request)
        let timestamp = try SignedCall.only("webhook-timestamp", in: request)
        let signature = try SignedCall.only("webhook-signature", in: request)
        guard signer.verifies(id: id, timestamp: timestamp, signature: signature, body: request.body, now: now) else {
            throw DeskError(.unproven, "the signature is wrong, or its time is not within five minutes")
        }
        return [try WebhookMessages.event(in: try SignedCall.json(request), now: now)]
    }

    private func post(id: String, body: [UInt8], isAboutTicket: Bool) -> DeskCalls.Request {
        DeskCalls.Request(
            method: "POST", path: "",
            headers: [("Content-Type", "application/json")] + signer.headers(id: id, at: calls.clock.now, body: body), body: body,
            isAboutTicket: isAboutTicket)
    }

    /// An answer that names no ticket says that it is gone; who answers anything else, or nothing, took it.
    private func tell(_ request: DeskCalls.Request, _ ticket: DeskTicket) async throws(DeskError) {
        let answer = try await calls.answer(to: request)
        guard let root = try? JSONDocument.parse(answer.body).root, Self.saysNone(root) else { return }
        throw DeskError(.gone, "there is no ticket \(ticket.id)")
    }

    private static func saysNone(_ answer: JSONView) -> Bool { answer.isObject && answer["ticket"].exists && answer["ticket"].isNull }

    /// For a call that has no id of its own.
    private static func id(_ what: String, _ ticket: DeskTicket, _ now: Timestamp) -> String {
        "\(what)-\(ticket.id.utf8.allSatisfy { $0 > 32 && $0 < 127 } ? ticket.id : "ticket")-\(now.milliseconds)"
    }

    private func ticket(in answer: JSONView, _ request: DeskCalls.Request) throws(DeskError) -> DeskTicket {
        guard let id = answer["ticket"].name else { throw calls.unreadable(request, "it names no ticket") }
        return DeskTicket(id: id, url: answer["url"].string)
    }
}
