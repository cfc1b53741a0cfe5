import Conversation

/// What a request to create or update a ticket of Freshdesk holds.
struct FreshdeskTicketFields: Sendable {
    var subject: String?
    var description: String?
    /// Freshdesk's numbers, as text.
    var status: String?
    var priority: String?
    var tags: [String]?
    var group: Int?
    var responder: Int?
    private var email: String?
    private var phone: String?
    private var externalID: String?
    private var requesterID: Int?
    private var name: String?

    private static let ids = 1...Int.max
    /// Freshdesk: a tag holds at most 32 characters.
    private static let longestTag = 32

    /// Throws `FieldError` or `FreshdeskRefusal`.
    init(_ body: JSONValue?, isNew: Bool) throws {
        var fields = try StrictObject(body)
        requesterID = try fields.optionalInteger("requester_id", in: Self.ids)
        email = try fields.optionalText("email", max: 255)
        phone = try fields.optionalText("phone", max: 64)
        externalID = try fields.optionalText("unique_external_id", max: 255)
        name = try fields.optionalText("name", max: 255)
        subject = isNew ? try fields.text("subject", max: 255) : try fields.optionalText("subject", max: 255)
        description = isNew ? try fields.text("description", max: 1_000_000) : try fields.optionalText("description", max: 1_000_000)
        status = try Self.number("status", 2...7, isNew: isNew, &fields)
        priority = try Self.number("priority", 1...4, isNew: isNew, &fields)
        // E-mail, portal, phone, chat, feedback widget and outbound e-mail.
        let source = try Self.number("source", 1...10, isNew: isNew, &fields)
        if let source, !["1", "2", "3", "7", "9", "10"].contains(source) { throw Self.notAmong("source", "1,2,3,7,9,10") }
        tags = try Self.tags(&fields)
        group = try fields.optionalInteger("group_id", in: Self.ids)
        responder = try fields.optionalInteger("responder_id", in: Self.ids)
        if fields.has("type") { _ = try fields.text("type", oneOf: ["Question", "Incident", "Problem", "Feature Request", "Refund"]) }
        _ = fields.value("custom_fields")
        try fields.finish()
        if isNew { try checkRequester() }
    }

    private static func notAmong(_ field: String, _ values: String) -> FreshdeskRefusal {
        .invalid(field, "It should be one of these values: '\(values)'", "invalid_value")
    }

    private static func number(_ name: String, _ range: ClosedRange<Int>, isNew: Bool, _ fields: inout StrictObject) throws -> String? {
        let values = range.map(String.init).joined(separator: ",")
        guard let value = fields.value(name) else {
            if isNew { throw FreshdeskRefusal.invalid(name, "It should be one of these values: '\(values)'", "missing_field") }
            return nil
        }
        if case .string = value {
            throw FreshdeskRefusal.invalid(name, "Value set is of type String. It should be a/an Integer", "datatype_mismatch")
        }
        guard let number = value.integer, range.contains(Int(clamping: number)) else { throw notAmong(name, values) }
        return String(number)
    }

    private static func tags(_ fields: inout StrictObject) throws -> [String]? {
        guard fields.has("tags") else { return nil }
        return try fields.list("tags", count: 0...100).map { path, value in
            guard let tag = value.string, !tag.isEmpty else { throw FieldError(field: path, problem: "should be a/an String") }
            guard tag.count <= longestTag, !tag.contains(",") else {
                throw FreshdeskRefusal.invalid(
                    "tags", "It should contain elements that have maximum of \(longestTag) characters", "invalid_value")
            }
            return tag
        }
    }

    private func checkRequester() throws {
        guard requesterID != nil || email != nil || phone != nil || externalID != nil else {
            let names = "requester_id, phone, email, twitter_id, facebook_id"
            throw FreshdeskRefusal.invalid("requester_id", "Fill at least 1 mandatory field: \(names)", "missing_field")
        }
        if let email, email.wholeMatch(of: /[^@\s]+@[^@\s]+\.[^@\s]+/) == nil {
            throw FreshdeskRefusal.invalid("email", "It should be a valid email address", "invalid_value")
        }
        if phone != nil && email == nil && requesterID == nil && name == nil {
            throw FreshdeskRefusal.invalid("name", "It should not be blank as this is a mandatory field", "missing_field")
        }
    }

    /// The contact by any of what names one, made when new.
    func requester(in state: inout DeskBook.State) throws -> Int {
        if let requesterID {
            guard state.users[requesterID] != nil else {
                throw FreshdeskRefusal.invalid("requester_id", "There is no contact matching the given requester_id", "invalid_value")
            }
            return requesterID
        }
        let known = state.users.values.first { user in
            !user.isStaff
                && (email != nil && user.email?.lowercased() == email?.lowercased() || phone != nil && user.phone == phone
                    || externalID != nil && user.externalID == externalID)
        }
        if let known { return known.id }
        let id = state.number()
        state.users[id] = DeskUser(id: id, name: name ?? email ?? "Customer", email: email, phone: phone, externalID: externalID)
        return id
    }
}
