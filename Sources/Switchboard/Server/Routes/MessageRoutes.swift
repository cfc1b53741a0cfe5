import Conversation
import Gateway
import JSON

/// Messages that a brand's people and programs send outside a turn.
struct MessageRoutes: Sendable {
    let desk: SendDesk

    var routes: [APIRoute] {
        [
            APIRoute(
                method: "POST", path: "/v1/messages", access: .brand(.agent),
                summary: "Send to a user outside a turn: {instance, to, text|interactive|template|media, category?}",
                maxBodyBytes: SendCommand.maxBodyBytes, handle: send)
        ]
    }

    @Sendable private func send(_ request: APIRequest) async throws -> ChannelResponse {
        let command = try command(in: request.body)
        let key = request.headers("idempotency-key").first
        switch try await desk.send(command, brand: request.brand(), key: key, body: request.body, by: .api) {
        case .accepted(let receipt): return .json(receipt.json, status: SendDesk.acceptedStatus)
        case .known(let status, let body):
            return ChannelResponse(status: status, headers: ["Idempotency-Replayed": "true"], body: body)
        case .refused(let refusal): throw APIError(refusal)
        }
    }

    private func command(in body: [UInt8]) throws -> SendCommand {
        guard let json = try? JSONValue(parsing: body) else { throw APIError(400, "The body is not JSON") }
        do throws(InvalidCommand) {
            return try SendCommand(json: json)
        } catch {
            var answer = APIError(422, "The body is not valid")
            answer.members["errors"] = .array(
                error.problems.map { ["pointer": .string($0.pointer), "message": .string($0.message)] })
            throw answer
        }
    }
}

extension APIError {
    init(_ refusal: SendRefusal) {
        let status =
            switch refusal.kind {
            case .unknown: 404
            case .conflict: 409
            case .forbidden: 403
            case .limited: 429
            case .reused: 422
            }
        self.init(status, "The message is not sent: \(refusal.message)")
        members["code"] = .string(refusal.code)
        if let wait = refusal.retryAfter { headers["Retry-After"] = "\(max(1, (wait.milliseconds + 999) / 1000))" }
    }
}
