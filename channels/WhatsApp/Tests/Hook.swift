import Conversation
import JSON

@testable import WhatsApp

/// Deliveries made from pieces of text.
enum Hook {
    /// A delivery with these messages, JSON objects, under one number.
    static func body(_ messages: [String], contacts: String = "[]", number: String = #""106540352242922""#) -> [UInt8] {
        let value = #"{"metadata":{"phone_number_id":\#(number)},"contacts":\#(contacts),"messages":[\#(messages.joined(separator: ","))]}"#
        return body(value: value)
    }

    static func body(value: String, field: String = "messages") -> [UInt8] {
        Array(#"{"object":"whatsapp_business_account","entry":[{"id":"7","changes":[{"field":"\#(field)","value":\#(value)}]}]}"#.utf8)
    }

    static func items(_ body: [UInt8]) -> [WebhookItem] { WebhookReader(app: "main").items(in: body) }

    /// Completes a message with id, sender and timestamp where it has none, and reads it.
    static func message(_ text: String, contacts: String = "[]") throws -> InboundMessage {
        let whole = try JSONValue(parsing: Array(text.utf8))
        let defaults: [String: JSONValue] = ["id": "wamid.1", "from": "15550123456", "timestamp": "1780000000"]
        let message = JSONValue.object(defaults.merging(whole.object ?? [:]) { $1 })
        let items = items(body([CanonicalJSON.text(message)], contacts: contacts))
        guard items.count == 1, case .message(let read, _, _) = items[0] else { throw Payload.Mismatch(found: "\(items)") }
        return read
    }

    /// One text message, as JSON.
    static func text(_ body: String, id: String = "wamid.1") -> String {
        #"{"from":"15550123456","id":"\#(id)","timestamp":"1780000000","type":"text","text":{"body":"\#(body)"}}"#
    }
}

extension WebhookItem {
    var message: InboundMessage? { if case .message(let message, _, _) = self { message } else { nil } }
    var status: StatusUpdate? { if case .status(let status, _, _) = self { status } else { nil } }
    var unreadable: (reason: String, body: [UInt8], address: InstanceAddress?)? {
        if case .unreadable(let reason, let body, let address) = self { (reason, body, address) } else { nil }
    }
    var field: (name: String, body: [UInt8], address: InstanceAddress?)? {
        if case .field(let name, let body, let address) = self { (name, body, address) } else { nil }
    }
    var account: String? {
        switch self {
        case .message(_, let address, _), .status(_, let address, _): address.account
        case .field(_, _, let address), .unreadable(_, _, let address): address?.account
        case .ignored: nil
        }
    }
}
