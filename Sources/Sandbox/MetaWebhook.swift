import Conversation

/// One message or status of a webhook, as the acknowledged set names it.
struct AcknowledgedItem: Sendable, Equatable {
    /// `message` or `status`.
    var kind: String
    var id: String
    var status: String?
    var phoneNumberID: String?
}

/// Builds webhook bodies in the form that Meta documents for the field `messages`.
enum MetaWebhook {
    static func envelope(instance: SandboxInstance, _ members: [String: JSONValue]) -> JSONValue {
        var value = members
        value["messaging_product"] = "whatsapp"
        value["metadata"] = [
            "display_phone_number": .string(instance.displayNumber), "phone_number_id": .string(instance.phoneNumberID),
        ]
        return [
            "object": "whatsapp_business_account",
            "entry": [["id": .string(SandboxInstance.accountID), "changes": [["field": "messages", "value": .object(value)]]]],
        ]
    }

    static func message(_ message: JSONValue, from customer: Customer, instance: SandboxInstance) -> JSONValue {
        envelope(instance: instance, ["contacts": [contact(customer)], "messages": [message]])
    }

    /// A status names a phone in `recipient_id` and a business-scoped user id in `recipient_user_id`; `biz_opaque_callback_data` comes back as sent.
    static func status(_ status: String, of sent: SentMessage, at: Timestamp) -> JSONValue {
        var item: [String: JSONValue] = [
            "id": .string(sent.id), "status": .string(status), "timestamp": .string(String(at.milliseconds / 1000)),
        ]
        if status == "failed" {
            item["errors"] = [["code": 131026, "title": "Message undeliverable", "error_data": ["details": "Asked for by a test."]]]
        } else {
            item["pricing"] = [
                "billable": false, "pricing_model": "PMP", "category": .string(sent.category), "type": "free_customer_service",
            ]
        }
        switch sent.recipient {
        case .phone(let digits): item["recipient_id"] = .string(digits)
        case .bsuid(let id): item["recipient_user_id"] = .string(id)
        }
        item["biz_opaque_callback_data"] = sent.reference.map(JSONValue.string)
        return envelope(instance: sent.instance, ["contacts": [contact(Customer(sent.recipient))], "statuses": [.object(item)]])
    }

    private static func contact(_ customer: Customer) -> JSONValue {
        var members: [String: JSONValue] = ["profile": ["name": .string(customer.name)]]
        members["wa_id"] = customer.phone.map(JSONValue.string)
        members["user_id"] = customer.userID.map(JSONValue.string)
        return .object(members)
    }

    /// The messages and statuses in any webhook body, also one that was made elsewhere.
    static func items(in body: JSONValue) -> [AcknowledgedItem] {
        let values = (body["entry"]?.array ?? []).flatMap { $0["changes"]?.array ?? [] }.compactMap { $0["value"] }
        return values.flatMap { value in
            let number = value.at(pointer: "/metadata/phone_number_id")?.string
            let messages = (value["messages"]?.array ?? []).compactMap { $0["id"]?.string }
            let statuses = (value["statuses"]?.array ?? []).compactMap { status in
                status["id"]?.string.map { ($0, status["status"]?.string) }
            }
            return messages.map { AcknowledgedItem(kind: "message", id: $0, phoneNumberID: number) }
                + statuses.map { AcknowledgedItem(kind: "status", id: $0.0, status: $0.1, phoneNumberID: number) }
        }
    }
}
