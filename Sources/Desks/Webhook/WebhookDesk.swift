import Conversation
import JSON
import Signing

/// Any system that speaks our own webhooks. Both directions carry Standard Webhooks signatures under one secret; the formats are described
/// in docs/handover.md. The receiver keeps `reference` and `entry.id`, and shows each once however often it is told.
struct WebhookDesk: TicketDesk {
    let capabilities = DeskCapabilities(callsUs: true, deduplicatesEntries: true)
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
        // The signature covers the id, and through it the reference: a query is not part of what is signed.
        var request = DeskCalls.Request.get("", [("reference", reference.description)])
        request.headers = signer.headers(id: "find-\(reference)", at: calls.clock.now, body: [])
        request.isAboutTicket = true
        let answer: JSONView
        do throws(DeskError) {
            answer = try await calls.json(request)
        } catch {
            if error.outcome == .gone { return nil }
            throw error
        }
        if answer.isObject, answer["ticket"].isNull { return nil }
        return try ticket(in: answer, request)
    }

    func open(_ draft: TicketDraft) async throws(DeskError) -> DeskTicket {
        let body = WebhookMessages.opened(draft, at: calls.clock.now)
        let request = post(id: "opened-\(draft.reference)", body: body, isAboutTicket: false)
        return try ticket(in: try await calls.json(request), request)
    }

    func add(_ entry: TicketEntry, to ticket: DeskTicket) async throws(DeskError) {
        let body = WebhookMessages.added(entry, to: ticket)
        _ = try await calls.answer(to: post(id: "entry-\(entry.id)", body: body, isAboutTicket: true))
    }

    /// Nothing to ask: adding again is harmless.
    func contains(_ entry: UniqueID, in ticket: DeskTicket) async throws(DeskError) -> Bool? { nil }

    func close(_ ticket: DeskTicket, reason: String) async throws(DeskError) {
        let now = calls.clock.now
        // Closing has no id of its own. A ticket may be closed again after it was reopened, so the moment tells the closings apart.
        let id = "closed-\(ticket.id.utf8.allSatisfy { $0 > 32 && $0 < 127 } ? ticket.id : "ticket")-\(now.milliseconds)"
        _ = try await calls.answer(to: post(id: id, body: WebhookMessages.closed(ticket, reason: reason, at: now), isAboutTicket: true))
    }

    /// This desk calls us: there is nothing to ask it for.
    func changes(of ticket: DeskTicket, since cursor: String?) async throws(DeskError) -> DeskChanges {
        DeskChanges(events: [], cursor: cursor ?? "")
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

    private func ticket(in answer: JSONView, _ request: DeskCalls.Request) throws(DeskError) -> DeskTicket {
        guard let id = answer["ticket"].name else { throw calls.unreadable(request, "it names no ticket") }
        return DeskTicket(id: id, url: answer["url"].string)
    }
}
