import Conversation

extension WebChannel {
    /// Takes a message of a visitor: stores it, and only then acknowledges.
    func receive(_ request: ChannelRequest) async -> ChannelResponse {
        await admit(request) { (admission) throws(Refusal) in
            let (visitor, _) = try await visitor(admission)
            let perMinute = admission.messagesPerMinute
            try limit(.messages, .visitor(visitor.user), admission, perMinute: perMinute)
            try limit(.messages, admission.address, admission, perMinute: perMinute * Admission.addressFactor)
            let message = try MessageRequest(request.body)
            let content = try await content(message.kind, of: visitor)
            let event = WebEvent(visitor: visitor, requestID: message.requestID, content: content, sentAt: clock.now)
            let receipt = try await Self.stored {
                try await intake.accept(VerifiedWebhook(channel: Self.name, app: Self.name.rawValue, items: [event.item]))
            }
            // Without an id the instance stopped running meanwhile; the same request id makes coming again harmless.
            guard let id = receipt.messages.first else { throw .unavailable }
            let body: JSONValue = ["message_id": .string(id.description), "duplicate": .bool(receipt.duplicates == 1)]
            return ChannelResponse(status: 202, body: CanonicalJSON.bytes(body))
        }
    }

    /// The conversation so far, oldest first: after a message, or its end.
    func history(_ request: ChannelRequest) async -> ChannelResponse {
        await admit(request) { (admission) throws(Refusal) in
            let (visitor, _) = try await visitor(admission)
            try limit(.reads, .visitor(visitor.user), admission, perMinute: admission.messagesPerMinute * Admission.readFactor)
            let (after, limit) = try Self.page(request.query)
            let messages = try await Self.stored { try await feed.messages(of: visitor, after: after, limit: limit) }
            return ChannelResponse(status: 200, body: CanonicalJSON.bytes(["messages": .array(messages.map(\.json))]))
        }
    }

    private static func page(_ query: [String: String]) throws(Refusal) -> (after: MessageID?, limit: Int) {
        var after: MessageID?
        if let text = query["after"] {
            guard let id = MessageID(text) else { throw Refusal(400, "after is not the id of a message") }
            after = id
        }
        guard let text = query["limit"] else { return (after, 50) }
        guard let limit = Int(text), (1...100).contains(limit) else { throw Refusal(400, "limit is not a number from 1 to 100") }
        return (after, limit)
    }

    private func content(_ kind: MessageRequest.Kind, of visitor: Visitor) async throws(Refusal) -> Content {
        switch kind {
        case .text(let text): return .text(text)
        case .reply(let id):
            let recent = try await Self.stored { try await feed.messages(of: visitor, after: nil, limit: 100) }
            return .reply(Self.reply(id, among: recent))
        }
    }

    /// What stands on the button is said by what we sent, never by the page. An id that was not sent, or too long ago, goes on without a
    /// title: whether it means anything is decided where the offered replies are known.
    private static func reply(_ id: String, among messages: [FeedMessage]) -> InteractiveReply {
        for message in messages.reversed() where !message.isInbound {
            guard case .choices(let prompt) = OutboundContent(json: message.content) else { continue }
            guard let option = prompt.options.first(where: { $0.id == id }) else { continue }
            return InteractiveReply(kind: prompt.options.count <= maxButtons ? .button : .list, id: id, title: option.title)
        }
        return InteractiveReply(kind: .button, id: id)
    }
}
