package import Conversation

extension WhatsAppChannel {
    /// The verification handshake and the deliveries of one Meta app, told apart by its name in the path.
    package var routes: [ChannelRoute] {
        [
            ChannelRoute(method: .get, path: "/webhooks/whatsapp/{app}", access: "verify_token", maxBodyBytes: 0, handle: handshake),
            ChannelRoute(method: .post, path: "/webhooks/whatsapp/{app}", access: "signature", handle: receive),
        ]
    }

    /// Echoes Meta's challenge to whoever knows the app's verify token.
    func handshake(_ request: ChannelRequest) async -> ChannelResponse {
        guard let app = app(of: request) else { return Self.unknownApp }
        guard isHandshakeGood(request.query, of: app) else { return .problem(403, "The verify token is wrong") }
        guard let challenge = request.query["hub.challenge"], !challenge.isEmpty else {
            return .problem(400, "hub.challenge is missing")
        }
        return ChannelResponse(
            status: 200, contentType: "text/plain; charset=utf-8", headers: ["X-Content-Type-Options": "nosniff"],
            body: Array(challenge.utf8))
    }

    /// Verifies, normalizes, stores, and only then acknowledges.
    func receive(_ request: ChannelRequest) async -> ChannelResponse {
        guard let app = app(of: request) else { return Self.unknownApp }
        guard isAuthentic(request, of: app) else { return .problem(401, "The signature is missing or wrong") }
        CrashPoint.signatureChecked.pass()
        let items = WebhookReader(app: app.name).items(in: request.body)
        do {
            let receipt = try await intake.accept(VerifiedWebhook(channel: WhatsAppChannel.name, app: app.name, items: items))
            return ChannelResponse(status: 200, body: Self.counts(receipt))
        } catch {
            // The cause is the intake's to log; Meta needs to know only that it must deliver again.
            return .problem(503, "The events could not be stored", headers: ["Retry-After": "1"])
        }
    }

    private static let unknownApp = ChannelResponse.problem(404, "There is no such app")

    private func app(of request: ChannelRequest) -> App? { request.parameters["app"].flatMap { apps[$0] } }

    private static func counts(_ receipt: IntakeReceipt) -> [UInt8] {
        Array(
            """
            {"accepted":\(receipt.accepted),"duplicates":\(receipt.duplicates),"ignored":\(receipt.ignored),\
            "quarantined":\(receipt.quarantined)}
            """.utf8)
    }
}
