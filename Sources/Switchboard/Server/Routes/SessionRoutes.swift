import Brain
import Conversation
import Gateway
import Storage

/// Looking inside conversations with a brand's key.
struct SessionRoutes: Sendable {
    let store: Store
    /// What a brand runs with; nil for one that is stopped, whose sessions are shown without a summary made on the spot.
    var configuration: @Sendable (BrandID) -> BrandConfiguration? = { _ in nil }

    var routes: [APIRoute] {
        [
            APIRoute(method: "GET", path: "/v1/sessions", access: .brand(.read), summary: "Sessions, newest first", handle: list),
            APIRoute(method: "GET", path: "/v1/sessions/{id}", access: .brand(.read), summary: "One session with its wires", handle: show),
            APIRoute(
                method: "GET", path: "/v1/sessions/{id}/messages", access: .brand(.read), summary: "Its messages, oldest first",
                handle: messages),
            APIRoute(
                method: "GET", path: "/v1/sessions/{id}/intents", access: .brand(.read), summary: "Its intent ledger", handle: intents),
            APIRoute(
                method: "GET", path: "/v1/sessions/{id}/streaming-updates", access: .brandOrVisitor(.read), summary: "Its last 20 updates",
                handle: updates),
        ]
    }

    @Sendable private func list(_ request: APIRequest) async throws -> ChannelResponse {
        let (limit, after) = try request.page()
        let sessions = try await store.brand(request.brand()).read { try $0.sessions(after: after.map { SessionID($0) }, limit: limit) }
        return .json(["sessions": .array(sessions.map(\.json))])
    }

    @Sendable private func show(_ request: APIRequest) async throws -> ChannelResponse {
        let id = SessionID(try request.id())
        let configuration = configuration(try request.brand())
        let found = try await store.brand(request.brand()).read { transaction -> Shown? in
            guard let session = try transaction.session(id) else { return nil }
            let notes = try configuration.map { try SessionNotes.current(of: session, configuration: $0, in: transaction) }
            return Shown(
                session: session, state: try transaction.state(of: id).state, user: try transaction.user(session.user),
                notes: try notes ?? transaction.notes(of: id), usage: try transaction.usage(of: id),
                handover: try transaction.openHandover(instance: session.instance, user: session.user))
        }
        guard var shown = found, case .object(var fields) = shown.session.json else { throw APIError.notFound }
        shown.state.summarize(shown.notes?.summary)
        fields["handover"] = shown.handover.map { ["id": .string($0.id.description), "bot_is_silent": .bool($0.mutes)] } ?? .null
        fields["user"] = shown.user.map(\.json) ?? .null
        fields["summary"] = shown.notes?.json ?? .null
        fields["usage"] = .object(shown.usage.fields)
        fields["state"] = try StoredJSON.decode(JSONValue.self, StoredJSON.encode(shown.state))
        return .json(.object(fields))
    }

    private struct Shown: Sendable {
        var session: SessionRecord
        var state: ConversationState
        var user: User?
        var notes: SessionNotes?
        var usage: UsageSums
        var handover: HandoverRecord?
    }

    @Sendable private func messages(_ request: APIRequest) async throws -> ChannelResponse {
        let (limit, after) = try request.page()
        return try await within(request) { transaction, id in
            ["messages": .array(try transaction.messages(session: id, after: after.map { MessageID($0) }, limit: limit).map(\.json))]
        }
    }

    @Sendable private func intents(_ request: APIRequest) async throws -> ChannelResponse {
        let (limit, _) = try request.page()
        return try await within(request) { transaction, id in
            let intents = try transaction.intents(session: id, limit: limit).map { entry, history in
                JSONValue.object(
                    (try StoredJSON.decode(JSONValue.self, StoredJSON.encode(entry)).object ?? [:]).merging(["history": history]) { $1 })
            }
            return ["intents": .array(intents)]
        }
    }

    @Sendable private func updates(_ request: APIRequest) async throws -> ChannelResponse {
        try await within(request) { transaction, id in
            [
                "updates": .array(
                    try transaction.updates(session: id).map {
                        let fields = ($0.body.object ?? [:]).merging(["seq": .integer($0.sequence)]) { $1 }
                        return .object(request.isVisitor ? UpdateTranslator.forCustomers(fields) : fields)
                    })
            ]
        }
    }

    /// Answers 404 unless the session is the caller's own: a brand's, or a visitor's.
    private func within(
        _ request: APIRequest, _ work: @escaping @Sendable (BrandTransaction, SessionID) throws -> JSONValue
    ) async throws -> ChannelResponse {
        let id = SessionID(try request.id())
        let answer = try await store.brand(request.brand()).read { transaction in
            guard let session = try transaction.session(id), request.maySee(session) else { return JSONValue?.none }
            return try work(transaction, id)
        }
        guard let answer else { throw APIError.notFound }
        return .json(answer)
    }
}

extension SessionRecord {
    var json: JSONValue {
        [
            "id": .string(id.description), "instance": .string(instance.rawValue), "user_id": .string(user.description),
            "started_at": .string(startedAt.description), "last_message_at": .string(lastMessageAt.description),
            "last_inbound_at": JSONValue(lastInboundAt?.description), "ended_at": JSONValue(endedAt?.description),
            "window_closes_at": JSONValue(lastInboundAt.map { ($0 + .seconds(86_400)).description }),
        ]
    }
}

extension SessionNotes {
    var json: JSONValue {
        [
            "text": .string(summary), "topics": .array(topics.map(JSONValue.string)), "source": .string(source.rawValue),
            "first_message_at": JSONValue(firstMessageAt?.description), "last_message_at": JSONValue(lastMessageAt?.description),
            "last_action_at": JSONValue(lastActionAt?.description), "last_message_id": .string(lastMessage.description),
            "made_at": .string(madeAt.description),
        ]
    }
}

extension User {
    var json: JSONValue {
        [
            "id": .string(id.description), "tier": .string(tier), "verified": .bool(isVerified), "profile_name": JSONValue(profileName),
            "identifiers": .array(identifiers.map { ["kind": .string($0.kind.rawValue), "value": .string($0.value)] }),
        ]
    }
}

extension MessageRecord {
    var json: JSONValue {
        [
            "id": .string(id.description), "direction": isInbound ? "in" : "out", "provider_message_id": JSONValue(providerID),
            "content": content, "context": context ?? .null, "sent_at": .string(sentAt.description),
            "recorded_at": .string(recordedAt.description),
            "outcome": JSONValue(outcome), "turn_id": JSONValue(turn?.description), "status": JSONValue(status),
            "send_state": JSONValue(sendState),
            "error": JSONValue(error),
        ]
    }
}
