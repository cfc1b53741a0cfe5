import Conversation
import Synchronization
import Testing

@testable import Desks

/// What is believed of a call, for each way it may end.
@Suite struct OutcomeTests {
    /// A client that answers every call alike and keeps what it was asked.
    private final class Client: HTTPClient {
        private let result: HTTPResult
        private let kept = Mutex<[HTTPCall]>([])
        var calls: [HTTPCall] { kept.withLock { $0 } }

        init(_ result: HTTPResult) { self.result = result }

        func call(_ call: HTTPCall) async -> HTTPResult {
            kept.withLock { $0.append(call) }
            return result
        }
    }

    private func desk(_ client: any HTTPClient) throws -> any TicketDesk {
        try Desks.make(
            DeskConfiguration(
                id: "zen", kind: .zendesk, baseURL: "https://zen.test", token: Secret("the-token"), user: "gateway@zen.test",
                timeout: .seconds(3), maxConcurrent: 2), http: client)
    }

    private func outcomes(_ result: HTTPResult) async throws -> (opening: DeskError?, looking: DeskError?, writing: DeskError?) {
        let desk = try desk(Client(result))
        let ticket = DeskTicket(id: "7")
        return (
            await Sample.error { () async throws(DeskError) in _ = try await desk.open(Sample.draft()) },
            await Sample.error { () async throws(DeskError) in _ = try await desk.find(HandoverID(Sample.ids.next())) },
            await Sample.error { () async throws(DeskError) in try await desk.add(Sample.note("a note"), to: ticket) }
        )
    }

    @Test(arguments: [
        (400, DeskError.Outcome.refused, DeskError.Outcome.refused, DeskError.Outcome.refused), (401, .refused, .refused, .refused),
        (403, .refused, .refused, .refused), (404, .refused, .refused, .gone), (408, .notDone, .notDone, .notDone),
        (409, .notDone, .refused, .notDone), (410, .refused, .refused, .gone), (422, .refused, .refused, .refused),
        (429, .notDone, .notDone, .notDone), (500, .unknown, .notDone, .unknown), (502, .unknown, .notDone, .unknown),
        (503, .unknown, .notDone, .unknown), (504, .unknown, .notDone, .unknown), (302, .unknown, .refused, .unknown),
    ])
    func aStatusHasOneMeaning(
        _ status: Int, _ opening: DeskError.Outcome, _ looking: DeskError.Outcome, _ writing: DeskError.Outcome
    ) async throws {
        let found = try await outcomes(.answer(HTTPAnswer(status: status, headers: [("retry-after", "9")])))
        #expect(found.opening?.outcome == opening && found.looking?.outcome == looking && found.writing?.outcome == writing)
        #expect(found.opening?.retryAfter == .seconds(9))
    }

    @Test(arguments: [
        (HTTPFailure.Kind.resolve, false, DeskError.Outcome.notDone), (.connect, false, .notDone), (.tls, false, .notDone),
        (.timeout, false, .notDone), (.timeout, true, .unknown), (.reset, true, .unknown), (.tooLarge, true, .unknown),
        (.protocolError, true, .unknown), (.cancelled, true, .unknown), (.forbiddenAddress, false, .refused),
        (.invalidRequest, false, .refused),
    ])
    func aFailureHasOneMeaning(_ kind: HTTPFailure.Kind, _ mayHaveBeenSent: Bool, _ opening: DeskError.Outcome) async throws {
        let found = try await outcomes(.failed(HTTPFailure(kind: kind, mayHaveBeenSent: mayHaveBeenSent, detail: "test")))
        #expect(found.opening?.outcome == opening && found.writing?.outcome == opening)
        #expect(found.looking?.outcome == (opening == .refused ? .refused : .notDone))
    }

    @Test func callsKeepToTheDesksLimits() async throws {
        let client = Client(.answer(HTTPAnswer(status: 200, body: Array("{\"tickets\":[]}".utf8))))
        _ = try await desk(client).find(HandoverID(Sample.ids.next()))
        let call = try #require(client.calls.first)
        #expect(call.timeout == .seconds(3) && call.maxConcurrent == 2 && call.pool == "desk-zen")
        #expect(call.url.hasPrefix("https://zen.test/api/v2/tickets.json?external_id="))
        #expect(call.allowPrivateAddresses.isEmpty)
    }

    @Test func errorsTellNoSecretsAndNobodysAddress() async throws {
        let body = Array("{\"error\": \"Requester: Email: someone@private.example is bad\", \"phone\": \"+15550100200\"}".utf8)
        let error = try #require(try await outcomes(.answer(HTTPAnswer(status: 422, body: body))).opening)
        #expect(error.detail.hasSuffix("status 422 with \(body.count) bytes"))
        for secret in ["Requester", "the-token", "someone@", "15550100200", "customer@example.com"] {
            #expect(!error.detail.contains(secret))
        }
    }
}
