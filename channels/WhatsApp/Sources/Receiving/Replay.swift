package import Conversation
import JSON

/// Deliveries of one event, so that an event which found no home can be handed in again once it has one.
enum Replay {
    /// `kind` is the member of `value` that held the event: `messages` or `statuses`.
    static func delivery(of event: Raw, _ kind: String, in value: Raw) -> [UInt8] {
        var members: [(String, [UInt8])] = []
        for name in ["messaging_product", "metadata", "contacts"] where value.view[name].exists {
            members.append((name, value[name].bytes))
        }
        return delivery(members + [(kind, bracketed(event.bytes))])
    }

    /// An event that was kept by itself, because it could not be read.
    static func delivery(of event: [UInt8], account: String) -> [UInt8] {
        let isStatus = (try? JSONDocument.parse(event))?.root["status"].exists ?? false
        let metadata = CanonicalJSON.bytes(["phone_number_id": .string(account)])
        return delivery([("metadata", metadata), (isStatus ? "statuses" : "messages", bracketed(event))])
    }

    private static func delivery(_ members: [(String, [UInt8])]) -> [UInt8] {
        var body = Array(#"{"object":"whatsapp_business_account","entry":[{"changes":[{"field":"messages","value":{"#.utf8)
        for (index, member) in members.enumerated() {
            if index > 0 { body.append(UInt8(ascii: ",")) }
            body += Array("\"\(member.0)\":".utf8) + member.1
        }
        return body + Array("}}]}]}".utf8)
    }

    private static func bracketed(_ bytes: [UInt8]) -> [UInt8] { [UInt8(ascii: "[")] + bytes + [UInt8(ascii: "]")] }
}

extension WhatsAppChannel {
    package func items(replaying body: [UInt8], app: String, account: String?) -> [WebhookItem] {
        let isDelivery = (try? JSONDocument.parse(body))?.root["object"].exists ?? true
        let whole = if !isDelivery, let account { Replay.delivery(of: body, account: account) } else { body }
        return WebhookReader(app: app).items(in: whole)
    }
}
