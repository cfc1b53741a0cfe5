package import Conversation
import JSON

/// Turns one signed delivery into items. Everything in it becomes an item of its own (Meta: a delivery may hold up to 1,000 updates, each
/// change with a `phone_number_id` of its own); what cannot be read is handed on raw and costs its neighbours nothing.
package struct WebhookReader: Sendable {
    let app: String

    /// `app` is the one whose secret signed the delivery; every address carries it.
    package init(app: String) { self.app = app }

    /// Never empty. Never fails: a body that is no JSON is one unreadable item.
    package func items(in body: [UInt8]) -> [WebhookItem] {
        switch WebhookText(body) {
        case .unreadable(let reason): return [.unreadable(reason: reason, body: body, nil)]
        case .readable(let root, let original):
            guard root["object"].string == "whatsapp_business_account" else {
                return [.unreadable(reason: "object is not whatsapp_business_account", body: body, nil)]
            }
            guard let entries = root["entry"].array else { return [.unreadable(reason: "entry is not an array", body: body, nil)] }
            let originals = original?["entry"]?.items
            let items = entries.enumerated().flatMap { entry(Raw($1, original: originals.at($0))) }
            return items.isEmpty ? [.ignored(reason: "a delivery without changes")] : items
        }
    }

    private func entry(_ entry: Raw) -> [WebhookItem] {
        guard let changes = entry["changes"].children else {
            return [.unreadable(reason: "an entry without changes", body: entry.bytes, nil)]
        }
        return changes.flatMap { change($0, of: entry) }
    }

    private func change(_ change: Raw, of entry: Raw) -> [WebhookItem] {
        guard let field = change.view["field"].string, change.view["value"].isObject else {
            return [.unreadable(reason: "a change without field or value", body: change.bytes, nil)]
        }
        let value = change["value"]
        let address = value.view["metadata"]["phone_number_id"].identifier.map {
            InstanceAddress(channel: WhatsAppChannel.name, app: app, account: $0)
        }
        guard field == "messages" else { return [.field(name: field, body: Self.body(of: entry, with: change), address)] }
        guard let address else {
            return [.unreadable(reason: "messages without metadata.phone_number_id", body: change.bytes, nil)]
        }
        return messages(in: value, of: address) + statuses(in: value, of: address) + rest(of: value, change, entry, address)
    }

    private func messages(in value: Raw, of address: InstanceAddress) -> [WebhookItem] {
        let messages = value["messages"]
        guard messages.view.exists else { return [] }
        guard let children = messages.children else {
            return [.unreadable(reason: "messages is not an array", body: value.bytes, address)]
        }
        let contacts = ContactBook(value.view["contacts"])
        return children.map { message in
            do throws(Unreadable) {
                return .message(try MessageReader(message, contacts: contacts).message(), address) {
                    Replay.delivery(of: message, "messages", in: value)
                }
            } catch {
                return .unreadable(reason: error.reason, body: message.bytes, address)
            }
        }
    }

    private func statuses(in value: Raw, of address: InstanceAddress) -> [WebhookItem] {
        let statuses = value["statuses"]
        guard statuses.view.exists else { return [] }
        guard let children = statuses.children else {
            return [.unreadable(reason: "statuses is not an array", body: value.bytes, address)]
        }
        return children.map { status in
            do throws(Unreadable) {
                return .status(try StatusReader(status.view).status(), address) { Replay.delivery(of: status, "statuses", in: value) }
            } catch {
                return .unreadable(reason: error.reason, body: status.bytes, address)
            }
        }
    }

    /// Errors that concern the number as a whole, and changes that hold nothing we know.
    private func rest(of value: Raw, _ change: Raw, _ entry: Raw, _ address: InstanceAddress) -> [WebhookItem] {
        if value.view["errors"].exists { return [.field(name: "errors", body: value["errors"].bytes, address)] }
        if value.view["messages"].exists || value.view["statuses"].exists { return [] }
        return [.field(name: "messages", body: Self.body(of: entry, with: change), address)]
    }

    /// The entry as it came but with this one change, so that the account's id and time stay with it.
    private static func body(of entry: Raw, with change: Raw) -> [UInt8] {
        var body = Array("{".utf8)
        for name in ["id", "time"] where entry.view[name].exists {
            body.append(contentsOf: "\"\(name)\":".utf8)
            body.append(contentsOf: entry[name].bytes)
            body.append(UInt8(ascii: ","))
        }
        body.append(contentsOf: "\"changes\":[".utf8)
        body.append(contentsOf: change.bytes)
        body.append(contentsOf: "]}".utf8)
        return body
    }
}

/// Why one message or status could not be read.
struct Unreadable: Error {
    let reason: String
}
