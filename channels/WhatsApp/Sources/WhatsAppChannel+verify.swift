import Conversation

extension WhatsAppChannel {
    /// Whether the delivery carries exactly one good signature: HMAC-SHA256 over the raw bytes with any of the app's secrets, written as
    /// `sha256=` and 64 lower-case hexadecimal digits (Meta: webhooks, payload validation). Nothing is parsed before this holds.
    func isAuthentic(_ request: ChannelRequest, of app: App) -> Bool {
        let signatures = request.headers("x-hub-signature-256")
        guard signatures.count == 1, let claimed = signatures.first.flatMap(Self.code(inSignature:)) else { return false }
        var isGood = false
        for key in app.keys where authenticator.equal(key.authenticationCode(for: request.body), claimed) { isGood = true }
        return isGood
    }

    private static let prefix = Array("sha256=".utf8)

    /// The 32 bytes of a signature; nil for anything but the one form that Meta sends.
    private static func code(inSignature header: String) -> [UInt8]? {
        let text = Array(header.utf8)
        guard text.starts(with: prefix) else { return nil }
        let digits = text[prefix.count...]
        guard digits.count == 64, !digits.contains(where: { (UInt8(ascii: "A")...UInt8(ascii: "F")).contains($0) }) else { return nil }
        return Hex.decode(digits)
    }

    /// Whether a verification handshake names the app's token.
    func isHandshakeGood(_ query: [String: String], of app: App) -> Bool {
        guard query["hub.mode"] == "subscribe", let token = query["hub.verify_token"], !app.verifyToken.isEmpty else { return false }
        return authenticator.equal(Array(token.utf8), app.verifyToken)
    }
}
