package import Conversation

extension WhatsAppChannel {
    /// Sends one rendered part. WhatsApp knows no idempotency key: our message id travels as `biz_opaque_callback_data` and comes back in
    /// statuses, which settle an unknown outcome.
    package func send(_ message: OutboundPart, permit: SendPermit) async -> SendOutcome {
        guard permit.brand == message.instance.brand, permit.message == message.reference else {
            return .refused(ChannelError(code: "permit_mismatch", message: "the permit is for another message", reaction: .page))
        }
        do throws(ChannelError) {
            let body = try GraphMessage(message).body()
            let call = try graphCall(body: body, instance: message.instance)
            return GraphOutcome.outcome(of: await http.call(call))
        } catch {
            return .refused(error)
        }
    }

    /// Marks the message read and shows "typing", in one call (Meta: typing indicators).
    package func signalReading(providerMessageID: String, instance: InstanceConfiguration) async {
        let body: JSONValue = [
            "messaging_product": "whatsapp", "status": "read", "message_id": .string(providerMessageID),
            "typing_indicator": ["type": "text"],
        ]
        do throws(ChannelError) {
            var call = try graphCall(body: body, instance: instance)
            call.timeout = .seconds(5)
            // A courtesy outside the outbox: it changes nothing, no one waits for it, and repeating it late would be wrong.
            _ = await http.call(call)
        } catch {
            // An instance that cannot be addressed is reported by the send that follows, which has a place to record it.
            return
        }
    }

    /// A call of the instance's `messages` endpoint. Throws when the configuration does not name one.
    private func graphCall(body: JSONValue, instance: InstanceConfiguration) throws(ChannelError) -> HTTPCall {
        guard let number = instance.settings.text("phone_number_id"), Self.isPathSafe(number) else {
            throw ChannelError(code: "configuration", message: "instance \(instance.id) has no usable phone_number_id", reaction: .page)
        }
        var call = try graphCall("POST", "/\(number)/messages", instance: instance)
        call.headers.append(("Content-Type", "application/json"))
        call.body = CanonicalJSON.bytes(body)
        return call
    }

    /// A call of the Graph API in the instance's name. Throws when the configuration does not say how.
    func graphCall(_ method: String, _ path: String, instance: InstanceConfiguration) throws(ChannelError) -> HTTPCall {
        let settings = instance.settings
        guard let name = settings.text("app"), let app = apps[name], !app.graphURL.isEmpty else {
            throw ChannelError(code: "configuration", message: "instance \(instance.id) names no known app", reaction: .page)
        }
        guard let token = settings.secret("access_token"), !token.isEmpty else {
            throw ChannelError(code: "configuration", message: "instance \(instance.id) has no access token", reaction: .reauthorize)
        }
        return HTTPCall(
            method: method, url: app.graphURL + path, headers: [("Authorization", "Bearer \(token.reveal())")], timeout: .seconds(20),
            pool: "brand:\(instance.brand):graph", allowPrivateAddresses: app.allowedAddresses)
    }

    static func isPathSafe(_ text: String) -> Bool {
        !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }
    }
}
