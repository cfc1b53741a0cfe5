import Conversation
import Signing
import TestKit
import Testing

@testable import Desks

@Suite struct WebhookTests {
    private func call(_ body: JSONValue, at: Timestamp = SystemClock().now, secret: Secret = WebhookWorld.secret) throws -> ChannelRequest {
        let bytes = CanonicalJSON.bytes(body)
        return channelRequest(try StandardWebhooks(secrets: [secret]).headers(id: "c-1", at: at, body: bytes), bytes)
    }

    private func events(_ body: JSONValue) throws -> [DeskEvent] {
        try WebhookWorld.make().desk.events(in: try call(body), now: SystemClock().now)
    }

    private func outcome(_ call: ChannelRequest) throws -> DeskError.Outcome? {
        let desk = try WebhookDeskFixture.desk.get()
        do throws(DeskError) {
            _ = try desk.events(in: call, now: SystemClock().now)
            return nil
        } catch {
            return error.outcome
        }
    }

    @Test func aReplyIsReadAsDocumented() throws {
        let event = try #require(
            try events([
                "event": "reply", "id": "msg-9001", "ticket": "4711", "reference": "01934e2c-8a11-7abc-8000-5f1d2c3b4a59",
                "text": " Hello ",
                "attachments": [["url": "https://desk.example/files/form.pdf?x=1", "mime_type": "application/pdf"]], "author": "Front desk",
                "automatic": true, "at": "2026-01-21T09:33:00Z",
            ]).first)
        let file = TicketAttachment(url: "https://desk.example/files/form.pdf?x=1", name: "form.pdf", mimeType: "application/pdf")
        #expect(event.kind == .reply(text: "Hello", attachments: [file]))
        #expect(event.id == "msg-9001" && event.ticket == "4711" && event.author == "Front desk" && event.isAutomatic)
        #expect(event.at == Timestamp("2026-01-21T09:33:00Z"))
    }

    @Test func aCallMaySayNoMoreThanThatSomethingHappened() throws {
        let event = try #require(try events(["event": "changed", "ticket": "4711"]).first)
        #expect(event.kind == .changed && event.ticket == "4711")
    }

    /// What a system answers that does not know the question, or answers it otherwise than it should.
    @Test(arguments: [(404, "{}"), (400, "{\"error\":\"event\"}"), (422, "no"), (200, "{}"), (200, "{\"ticket\":\"1\"}")])
    func aSystemThatCannotBeAskedIsOnlyHeard(_ status: Int, _ body: String) async throws {
        let desk = try WebhookDeskFixture.answering(status, body)
        let changes = try await desk.changes(of: DeskTicket(id: "1"), since: "0:0:0")
        #expect(changes.events.isEmpty && changes.cursor == "0:0:0")
    }

    @Test(arguments: [
        (200, "{\"ticket\":null}", DeskError.Outcome.gone), (410, "", .gone), (500, "", .notDone), (200, "no JSON", .notDone),
        (200, "{\"ticket\":\"1\",\"closed\":false,\"replies\":7}", .notDone),
        (200, "{\"ticket\":\"1\",\"closed\":false,\"replies\":[{\"text\":\"no id\"}]}", .notDone),
        (200, "{\"ticket\":\"1\",\"closed\":false,\"replies\":[{\"id\":\"a\",\"attachments\":[{\"url\":\"javascript:1\"}]}]}", .notDone),
    ])
    func anAnswerThatCannotBeReadMovesNothing(_ status: Int, _ body: String, _ outcome: DeskError.Outcome) async throws {
        let desk = try WebhookDeskFixture.answering(status, body)
        let error = await Sample.error { () async throws(DeskError) in _ = try await desk.changes(of: DeskTicket(id: "1"), since: nil) }
        #expect(error?.outcome == outcome)
    }

    @Test func aTimeAheadOfUsIsNow() throws {
        let event = try #require(try events(["event": "closed", "id": 7, "ticket": 1, "at": "2199-01-01T00:00:00Z"]).first)
        #expect(event.at <= SystemClock().now && event.id == "7" && event.ticket == "1")
    }

    @Test(
        arguments: [
            ["event": "reply", "id": "1", "ticket": "1"], ["event": "reply", "id": "1", "ticket": "1", "text": "  "],
            ["event": "deleted", "id": "1", "ticket": "1"], ["event": "closed", "ticket": "1"],
            ["event": "closed", "id": "", "ticket": "1"],
            ["event": "closed", "id": "1", "ticket": "a\nb"], ["event": "closed", "id": "1", "ticket": "1", "reference": "none"],
            ["event": "reply", "id": "1", "ticket": "1", "attachments": [["url": "javascript:alert(1)"]]],
            ["event": "reply", "id": "1", "ticket": "1", "attachments": [["url": "https://user:pass@files.example/a"]]],
            ["event": "reply", "id": "1", "ticket": "1", "attachments": "https://files.example/a"], [], "closed",
        ] as [JSONValue])
    func aSignedCallInAnotherFormIsRefused(_ body: JSONValue) throws { #expect(try outcome(call(body)) == .refused) }

    @Test func badSignaturesAreUnproven() throws {
        let body: JSONValue = ["event": "closed", "id": "1", "ticket": "1"]
        let now = SystemClock().now
        #expect(try outcome(call(body)) == nil)
        #expect(try outcome(call(body, at: now + .seconds(-302))) == .unproven)
        #expect(try outcome(call(body, at: now + .seconds(302))) == .unproven)
        let other = Secret("whsec_" + Base64.encode(Array(repeating: 8, count: 32)))
        #expect(try outcome(call(body, secret: other)) == .unproven)
        var tampered = try call(body)
        tampered.body.append(32)
        #expect(try outcome(tampered) == .unproven)
    }

    @Test func aLargeHandoverFitsTheLimit() throws {
        var draft = Sample.draft(summary: String(repeating: "\"ü", count: 100_000))
        draft.history = (1...200).map { Sample.words(String(repeating: "line \($0) \u{1}", count: 600)) }
        draft.payload = .string(String(repeating: "x", count: 200_000))
        let body = WebhookMessages.opened(draft, at: SystemClock().now)
        #expect(body.count <= 262_144)
        let entry = WebhookMessages.added(Sample.words(String(repeating: "\u{1}", count: 300_000)), to: DeskTicket(id: "1"))
        #expect(entry.count <= 262_144)
    }

    @Test func aSecretIsNeeded() {
        #expect(throws: DeskSetupError.self) {
            try Desks.make(DeskConfiguration(id: "d", kind: .webhook, baseURL: "https://desk.test"), http: NoClient())
        }
        #expect(throws: DeskSetupError.self) {
            let configuration = DeskConfiguration(
                id: "d", kind: .webhook, baseURL: "https://desk.test", webhookSecret: Secret("not standard at all"))
            _ = try Desks.make(configuration, http: NoClient())
        }
    }
}

/// One desk for the tests that only read calls.
enum WebhookDeskFixture {
    static let desk = Result<any TicketDesk, any Error> {
        try Desks.make(
            DeskConfiguration(id: "d", kind: .webhook, baseURL: "https://desk.test", webhookSecret: WebhookWorld.secret), http: NoClient())
    }

    /// One whose system answers everything alike.
    static func answering(_ status: Int, _ body: String) throws -> any TicketDesk {
        try Desks.make(
            DeskConfiguration(id: "d", kind: .webhook, baseURL: "https://desk.test", webhookSecret: WebhookWorld.secret),
            http: SameAnswer(result: .answer(HTTPAnswer(status: status, body: Array(body.utf8)))))
    }
}

private struct SameAnswer: HTTPClient {
    let result: HTTPResult
    func call(_ call: HTTPCall) async -> HTTPResult { result }
}

/// A client for desks that are not to call.
struct NoClient: HTTPClient {
    func call(_ call: HTTPCall) async -> HTTPResult {
        .failed(HTTPFailure(kind: .connect, mayHaveBeenSent: false, detail: "no network in this test"))
    }
}
