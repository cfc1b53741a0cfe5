import Conversation

/// Stands in for the part of the Graph API that sends messages and hands out media, with its strictness.
struct GraphAPI: StandIn {
    /// Meta: free-form messages may be sent for this long after the customer last wrote.
    static let window: Duration = .seconds(24 * 3600)

    let chats: Chats
    let sender: WebhookSender
    /// Access tokens by phone number id; a number without one takes any.
    let tokens: [String: String]
    let clock: any WallClock

    func received(_ request: StandInRequest) async throws {}

    func errorBody(status: Int) -> JSONValue {
        GraphError(status: status, code: status == 429 ? 130429 : 131000, message: "Fault on demand", details: "Asked for by a test.").json
    }

    func answer(_ request: StandInRequest) async throws -> StandInAnswer {
        do {
            return try await route(request)
        } catch let error as FieldError {
            return .json(400, GraphError.invalid(error).json)
        } catch let error as GraphError {
            return .json(error.status, error.json)
        }
    }

    private func route(_ request: StandInRequest) async throws -> StandInAnswer {
        let parts = Array(request.parts.dropFirst())
        guard let version = parts.first, version.wholeMatch(of: /v[0-9]{1,3}\.[0-9]/) != nil else {
            throw GraphError.unknownObject(request.path)
        }
        switch (request.method, parts.count) {
        case ("POST", 3) where parts[2] == "messages":
            guard let instance = SandboxInstance.with(phoneNumberID: parts[1]) else { throw GraphError.unknownObject(parts[1]) }
            try authorize(request, for: [instance])
            return try await messages(request, instance: instance)
        case ("GET", 2):
            try authorize(request, for: SandboxInstance.all)
            try await request.pause(clock: clock)
            return GraphMedia.description(of: parts[1], version: version, host: request.headers["host"] ?? "127.0.0.1")
        case ("GET", 4) where parts[1] == "media" && parts[3] == "bytes":
            try authorize(request, for: SandboxInstance.all)
            try await request.pause(clock: clock)
            return GraphMedia.content(of: parts[2])
        default: throw GraphError.unknownObject(parts.dropFirst().joined(separator: "/"))
        }
    }

    private func authorize(_ request: StandInRequest, for instances: [SandboxInstance]) throws {
        let allowed = instances.map { tokens[$0.phoneNumberID] }
        if allowed.contains(nil) || allowed.contains(Bearer.token(of: request)) { return }
        throw GraphError.badToken
    }

    private func messages(_ request: StandInRequest, instance: SandboxInstance) async throws -> StandInAnswer {
        guard let body = request.json else { throw FieldError(field: "body", problem: "is not JSON") }
        if body["status"] != nil {
            try GraphMessage.checkReading(body)
            try await request.pause(clock: clock)
            return .json(200, ["success": true])
        }
        let message = try GraphMessage(body)
        if message.type != "template", let last = chats.lastInbound(from: message.recipient, to: instance), clock.now - last > Self.window {
            throw GraphError.windowClosed
        }
        try await request.pause(clock: clock)
        let sent = SentMessage(
            id: ProviderID.next(), at: clock.now, instance: instance, recipient: message.recipient, type: message.type,
            reference: message.reference, options: message.options, body: body)
        chats.recordSent(sent)
        let statuses = request.plan.statuses ?? ["sent", "delivered", "read"]
        sender.enqueue(statuses.map { MetaWebhook.status($0, of: sent, at: clock.now) })
        return .json(200, Self.accepted(sent, input: message.input))
    }

    private static func accepted(_ sent: SentMessage, input: String) -> JSONValue {
        let contact: JSONValue =
            switch sent.recipient {
            case .phone(let digits): ["input": .string(input), "wa_id": .string(digits)]
            case .bsuid(let id): ["input": .string(input), "user_id": .string(id)]
            }
        return ["messaging_product": "whatsapp", "contacts": [contact], "messages": [["id": .string(sent.id)]]]
    }
}

/// Message ids in the form of the platform's.
enum ProviderID {
    static func next() -> String {
        "wamid." + Base64.encode(Array("HBgL".utf8) + (0..<24).map { _ in UInt8.random(in: 0...255) })
    }
}

enum Bearer {
    /// Nil when there is no `Authorization: Bearer`.
    static func token(of request: StandInRequest) -> String? {
        guard let value = request.headers["authorization"], value.lowercased().hasPrefix("bearer ") else { return nil }
        return String(value.dropFirst(7))
    }
}
