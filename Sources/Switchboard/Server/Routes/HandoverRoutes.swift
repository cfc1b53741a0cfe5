import Conversation
import Gateway
import JSON
import Logging
import Storage

/// Handovers for the brand's people, and the door for its ticket system.
struct HandoverRoutes: Sendable {
    let desk: HandoverDesk
    let inbox: DeskInbox
    /// Whether a brand is stopped by its configuration: then a desk that nobody knows may be that brand's.
    let isAnyBrandStopped: @Sendable () -> Bool
    let logger: Logger

    private static let maxBody = 65_536
    private static let maxEvent = 1_048_576
    /// Longer answers are refused: no channel would carry them.
    private static let longestReply = 8_000

    var routes: [APIRoute] {
        [
            APIRoute(
                method: "GET", path: "/v1/handovers", access: .brand(.read), summary: "Handovers, newest first; ?state=open|closed",
                handle: list),
            APIRoute(
                method: "GET", path: "/v1/handovers/{id}", access: .brand(.read), summary: "One handover with all that was said in it",
                handle: show),
            APIRoute(
                method: "POST", path: "/v1/handovers/{id}/reply", access: .brand(.agent), summary: "Answer the customer: {text}",
                maxBodyBytes: Self.maxBody, handle: reply),
            APIRoute(
                method: "POST", path: "/v1/handovers/{id}/close", access: .brand(.agent),
                summary: "Give the conversation back to the bot: {summary?}", maxBodyBytes: Self.maxBody, handle: close),
            APIRoute(
                method: "POST", path: "/webhooks/tickets/{desk}", access: .channel("signature"),
                summary: "What people did in a ticket system", maxBodyBytes: Self.maxEvent, handle: receive),
        ]
    }

    @Sendable private func list(_ request: APIRequest) async throws -> ChannelResponse {
        let (limit, after) = try request.page()
        let state = try request.query["state"].map { text in
            guard let state = HandoverRecord.State(rawValue: text) else { throw APIError(400, "state is open or closed") }
            return state
        }
        let handovers = try await desk.list(brand: request.brand(), state: state, after: after, limit: limit)
        return .json(["handovers": .array(handovers.map(\.json))])
    }

    @Sendable private func show(_ request: APIRequest) async throws -> ChannelResponse {
        guard let found = try await desk.find(HandoverID(try request.id()), brand: request.brand()),
            case .object(var fields) = found.handover.json
        else { throw APIError.notFound }
        fields["payload"] = found.handover.payload
        fields["entries"] = .array(found.entries.map(\.json))
        fields["events"] = .array(found.events.map(\.json))
        return .json(.object(fields))
    }

    @Sendable private func reply(_ request: APIRequest) async throws -> ChannelResponse {
        let id = HandoverID(try request.id())
        // An id of nothing, or of another brand, is none whatever the body says.
        guard try await desk.find(id, brand: request.brand()) != nil else { throw APIError.notFound }
        guard let text = try body(request)["text"]?.string, !text.allSatisfy(\.isWhitespace) else {
            throw APIError(422, "The body is an object with the text to send")
        }
        guard text.count <= Self.longestReply else { throw APIError(422, "text holds at most \(Self.longestReply) characters") }
        return try answer(try await desk.reply(text, to: id, brand: request.brand()), status: 202)
    }

    @Sendable private func close(_ request: APIRequest) async throws -> ChannelResponse {
        let id = HandoverID(try request.id())
        guard try await desk.find(id, brand: request.brand()) != nil else { throw APIError.notFound }
        let summary = request.body.isEmpty ? nil : try body(request)["summary"]?.string
        guard (summary?.count ?? 0) <= Self.longestReply else {
            throw APIError(422, "summary holds at most \(Self.longestReply) characters")
        }
        return try answer(try await desk.close(id, summary: summary, brand: request.brand()), status: 200)
    }

    private func body(_ request: APIRequest) throws -> JSONValue {
        guard let value = try? JSONValue(parsing: request.body), value.object != nil else {
            throw APIError(400, "The body is no JSON object")
        }
        return value
    }

    private func answer(_ answer: HandoverDesk.Answer, status: Int) throws -> ChannelResponse {
        switch answer {
        case .done(let handover): return .json(handover.json, status: status)
        case .notFound: throw APIError.notFound
        case .alreadyClosed: throw APIError(409, "It is closed already")
        case .undeliverable(let why): throw APIError(409, "The customer cannot be written to: \(why)")
        case .stopped: throw APIError(409, "The brand or its instance does not run now")
        }
    }

    /// Proven by the desk itself, stored before it is answered.
    @Sendable private func receive(_ request: APIRequest) async throws -> ChannelResponse {
        let id = request.parameters["desk"] ?? ""
        let call = ChannelRequest(
            parameters: request.parameters, query: request.query, headers: request.headers, body: request.body,
            remoteAddress: request.remoteAddress)
        do {
            guard let receipt = try await inbox.receive(call, desk: id) else {
                // Ticket systems give up at 404, and come again after 503: nothing is lost while somebody mends the brand.
                if isAnyBrandStopped() { return .problem(503, "The brand does not run now", headers: ["Retry-After": "60"]) }
                throw APIError.notFound
            }
            return .json([
                "accepted": .integer(Int64(receipt.accepted)), "duplicates": .integer(Int64(receipt.duplicates)),
                "ignored": .integer(Int64(receipt.ignored)),
            ])
        } catch let error as DeskError {
            logger.warning("a call of a ticket system was refused", metadata: ["desk": "\(id)", "error": "\(error)"])
            if error.outcome == .notDone { return .problem(503, "Come again in a moment", headers: ["Retry-After": "5"]) }
            throw error.outcome == .unproven ? APIError(401, "The call is not proven") : APIError(400, "The call cannot be read")
        }
    }
}

extension HandoverRecord {
    /// Without the payload, which is long.
    var json: JSONValue {
        [
            "id": .string(id.description), "instance": .string(instance.rawValue), "user_id": .string(user.description),
            "session_id": .string(session.description), "reason": .string(reason.rawValue), "priority": .string(priority.rawValue),
            "channel": .string(channel.rawValue), "state": .string(state.rawValue), "bot_is_silent": .bool(mutes),
            "summary": payload["summary"] ?? .null, "last_message": payload["last_message"] ?? .null, "desk": JSONValue(desk),
            "desk_state": .string(deskState.rawValue), "ticket_id": JSONValue(ticket?.id), "ticket_url": JSONValue(ticket?.url),
            "created_at": .string(createdAt.description), "escalated_at": JSONValue(escalatedAt?.description),
            "answered_at": JSONValue(answeredAt?.description), "answered_by": JSONValue(answeredBy),
            "closed_at": JSONValue(closedAt?.description), "closed_reason": JSONValue(closedReason),
            "loop_at": JSONValue(loopedAt?.description), "desk_unreachable_at": JSONValue(unreachableAt?.description),
        ]
    }
}

extension HandoverEntry {
    var json: JSONValue {
        var json = entry.json
        json["state"] = .string(state.rawValue)
        return json
    }
}

extension DeskEventRecord {
    var json: JSONValue {
        [
            "id": .string(id), "kind": .string(kind), "text": .string(text), "author": JSONValue(author), "automatic": .bool(isAutomatic),
            "at": .string(at.description), "recorded_at": .string(recordedAt.description), "outcome": .string(outcome),
        ]
    }
}
