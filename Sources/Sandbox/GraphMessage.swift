import Conversation

/// A message as the Graph API takes it; making one checks every field, and refuses those that are not known.
struct GraphMessage {
    /// Meta: the largest `biz_opaque_callback_data`.
    static let largestReference = 512

    /// As the caller wrote it.
    let input: String
    let recipient: Recipient
    let type: String
    let reference: String?
    private(set) var options: [SentOption] = []

    /// Throws `FieldError`.
    init(_ body: JSONValue) throws {
        var fields = try StrictObject(body)
        _ = try fields.text("messaging_product", oneOf: ["whatsapp"])
        if fields.has("recipient_type") { _ = try fields.text("recipient_type", oneOf: ["individual"]) }
        (input, recipient) = try Self.recipient(&fields)
        if var context = try fields.optionalObject("context") {
            _ = try context.text("message_id", max: 512)
            try context.finish()
        }
        reference = try fields.optionalText("biz_opaque_callback_data", max: Self.largestReference)
        _ = try fields.optionalText("recipient_identity_key_hash", max: 256)
        let types = [
            "text", "image", "audio", "video", "document", "sticker", "interactive", "template", "reaction", "location", "contacts",
        ]
        type = try fields.text("type", oneOf: types)
        try readContent(&fields)
        try fields.finish()
    }

    /// A read receipt, with or without the typing indicator. Throws `FieldError`.
    static func checkReading(_ body: JSONValue) throws {
        var fields = try StrictObject(body)
        _ = try fields.text("messaging_product", oneOf: ["whatsapp"])
        _ = try fields.text("status", oneOf: ["read"])
        _ = try fields.text("message_id", max: 512)
        if var typing = try fields.optionalObject("typing_indicator") {
            _ = try typing.text("type", oneOf: ["text"])
            try typing.finish()
        }
        try fields.finish()
    }

    /// `to` takes a phone, `recipient` a business-scoped user id; exactly one of them.
    private static func recipient(_ fields: inout StrictObject) throws -> (String, Recipient) {
        let to = try fields.optionalText("to", max: 32)
        let user = try fields.optionalText("recipient", max: 150)
        switch (to, user) {
        case (let to?, nil):
            guard let phone = CustomerID.phone(to) else { throw fields.failure("to", "must be a phone number in international form") }
            return (to, .phone(phone))
        case (nil, let user?):
            guard CustomerID.isBSUID(user) else { throw fields.failure("recipient", "must be a business-scoped user id such as US.1349") }
            return (user, .bsuid(user))
        case (nil, nil): throw fields.failure("to", "is required, or recipient")
        case (_?, _?): throw fields.failure("recipient", "must not stand beside to")
        }
    }

    private mutating func readContent(_ fields: inout StrictObject) throws {
        if type == "contacts" { return try GraphContent.checkContacts(try fields.list("contacts", count: 1...257)) }
        var content = try fields.object(type)
        switch type {
        case "text":
            _ = try content.text("body", max: 4096)
            _ = try content.optionalBool("preview_url")
        case "image", "video", "document", "audio", "sticker": try GraphContent.checkMedia(&content, type: type)
        case "interactive": options = try GraphInteractive.check(&content)
        case "template": try GraphTemplate.check(&content)
        case "reaction":
            _ = try content.text("message_id", max: 512)
            _ = try content.text("emoji", max: 32, mayBeEmpty: true)
        default: try GraphContent.checkLocation(&content)
        }
        try content.finish()
    }
}

/// The two forms in which a customer is named.
enum CustomerID {
    /// The digits of a phone number in international form; nil when it is none.
    static func phone(_ text: String) -> String? {
        let digits = text.filter { !"+-() ".contains($0) }
        return digits.wholeMatch(of: /[1-9][0-9]{6,14}/) == nil ? nil : digits
    }

    /// Meta: a country, a dot and up to 128 letters and digits; `ENT.` in between marks a portfolio's form.
    static func isBSUID(_ text: String) -> Bool { text.wholeMatch(of: /[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}/) != nil }
}
