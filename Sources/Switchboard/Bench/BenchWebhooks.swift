import Conversation
import Signing

/// Signed WhatsApp webhooks with unique ids, ready to be sent.
struct BenchWebhooks {
    let app: String
    let account: String
    private let key: HMACKey

    init(app: String, account: String, secret: Secret) {
        self.app = app
        self.account = account
        key = HMACKey(Array(secret.reveal().utf8))
    }

    /// One request of about 740 bytes of body. `text` is what the customer writes.
    func request(path: String, sender: Int, id: String, text: String) -> [UInt8] {
        let phone = "1555\(1_000_000 + sender)"
        let message: JSONValue = [
            "from": .string(phone), "id": .string("wamid.\(id)"), "timestamp": .string("\(SystemClock().now.milliseconds / 1000)"),
            "type": "text",
            "text": ["body": .string(text)],
        ]
        let value: JSONValue = [
            "messaging_product": "whatsapp",
            "metadata": ["display_phone_number": "15550000000", "phone_number_id": .string(account)],
            "contacts": [["profile": ["name": "A customer of the benchmark"], "wa_id": .string(phone)]], "messages": [message],
        ]
        let body = CanonicalJSON.bytes([
            "object": "whatsapp_business_account",
            "entry": [["id": "102290129340398", "changes": [["field": "messages", "value": value]]]],
        ])
        let signature = Hex.encode(key.authenticationCode(for: body))
        let head =
            "POST \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nX-Hub-Signature-256: sha256=\(signature)\r\n"
            + "Content-Length: \(body.count)\r\n\r\n"
        return Array(head.utf8) + body
    }
}
