import Conversation

/// What a customer does, as ordered at `/_sandbox/say`.
struct Say {
    enum Saying {
        case text(String)
        case reply(Press)
        /// A whole element of `messages[]`; its id, time and sender are added where they are missing.
        case raw(JSONValue)
    }

    /// How the pressed option is named.
    enum Press {
        case id(String, title: String?)
        case title(String)
        /// Counted from 1 among the options of the last interactive message.
        case index(Int)
    }

    let instance: SandboxInstance
    let customer: Customer
    let saying: Saying
    let id: String
    let at: Timestamp
    /// Posts until the gateway answers 200 instead of once.
    let isRetried: Bool

    /// Throws `FieldError`.
    init(_ body: JSONValue?, now: Timestamp) throws {
        var fields = try StrictObject(body)
        instance = try Self.instance(&fields)
        customer = try Self.customer(&fields)
        id = try fields.optionalText("id", max: 512) ?? ProviderID.next()
        at = try Self.time(&fields, now: now)
        isRetried = try fields.optionalBool("retry") ?? false
        saying = try Self.saying(&fields)
        try fields.finish()
    }

    private static func instance(_ fields: inout StrictObject) throws -> SandboxInstance {
        let known = SandboxInstance.all.map(\.id)
        let id = try fields.text("instance", oneOf: known)
        guard let instance = SandboxInstance.named(id) else { throw fields.failure("instance", "must be one of: \(known)") }
        return instance
    }

    private static func customer(_ fields: inout StrictObject) throws -> Customer {
        let from = try fields.optionalText("from")
        let phone = from.flatMap(CustomerID.phone)
        if from != nil && phone == nil { throw fields.failure("from", "must be a phone number in international form") }
        let userID = try fields.optionalText("from_user_id")
        if let userID, !CustomerID.isBSUID(userID) {
            throw fields.failure("from_user_id", "must be a business-scoped user id such as US.1349")
        }
        if phone == nil && userID == nil { throw fields.failure("from", "is required, or from_user_id") }
        return Customer(name: try fields.optionalText("name", max: 256) ?? "Customer", phone: phone, userID: userID)
    }

    /// Seconds since 1970, as a number or a string.
    private static func time(_ fields: inout StrictObject, now: Timestamp) throws -> Timestamp {
        guard let found = fields.value("timestamp") else { return now }
        guard let seconds = found.integer ?? found.string.flatMap({ Int64($0) }), (0...253_402_300_799).contains(seconds) else {
            throw fields.failure("timestamp", "must be seconds since 1970")
        }
        return Timestamp(seconds: seconds)
    }

    private static func saying(_ fields: inout StrictObject) throws -> Saying {
        let ways = ["text", "reply", "raw"].filter(fields.has)
        guard ways.count == 1 else { throw fields.failure("text", "or reply or raw: exactly one of them says what is said") }
        if let text = try fields.optionalText("text", max: 65_536, mayBeEmpty: true) { return .text(text) }
        if let raw = fields.value("raw") {
            guard raw.object != nil else { throw fields.failure("raw", "must be one element of messages[]") }
            return .raw(raw)
        }
        var reply = try fields.object("reply")
        let id = try reply.optionalText("id", max: 512)
        let title = try reply.optionalText("title", max: 256)
        let index = try reply.optionalInteger("index", in: 1...GraphInteractive.mostRows)
        try reply.finish()
        switch (id, title, index) {
        case (let id?, let title, nil): return .reply(.id(id, title: title))
        case (nil, let title?, nil): return .reply(.title(title))
        case (nil, nil, let index?): return .reply(.index(index))
        case (nil, nil, nil), (_, _, _?): throw reply.failure("id", "or title or index must name the option")
        }
    }
}

extension Say {
    /// The element of `messages[]`. `sent` is what this customer got from the instance, oldest first. Throws `FieldError`.
    func message(sent: [SentMessage]) throws -> JSONValue {
        switch saying {
        case .text(let text): return filled(["type": "text", "text": ["body": .string(text)]])
        case .raw(let raw): return filled(raw.object ?? [:])
        case .reply(let press):
            let (option, message) = try chosen(press, sent: sent)
            var reply: [String: JSONValue] = ["id": .string(option.id), "title": .string(option.title)]
            reply["description"] = option.description.map(JSONValue.string)
            var members: [String: JSONValue] = [
                "type": "interactive", "interactive": .object(["type": .string(option.kind), option.kind: .object(reply)]),
            ]
            if let message { members["context"] = ["from": .string(instance.displayNumber), "id": .string(message.id)] }
            return filled(members)
        }
    }

    /// An id that was never sent is pressed as a button all the same: the gateway must cope with it.
    private func chosen(_ press: Press, sent: [SentMessage]) throws -> (SentOption, SentMessage?) {
        let interactive = sent.reversed().filter { !$0.options.isEmpty }
        switch press {
        case .id(let id, let title):
            for message in interactive {
                guard var option = message.options.first(where: { $0.id == id }) else { continue }
                option.title = title ?? option.title
                return (option, message)
            }
            return (SentOption(kind: "button_reply", id: id, title: title ?? id), interactive.first)
        case .title(let title):
            guard let last = interactive.first, let option = last.options.first(where: { $0.title.lowercased() == title.lowercased() })
            else {
                throw FieldError(field: "reply.title", problem: missing(interactive.first))
            }
            return (option, last)
        case .index(let index):
            guard let last = interactive.first, last.options.indices.contains(index - 1) else {
                throw FieldError(field: "reply.index", problem: missing(interactive.first))
            }
            return (last.options[index - 1], last)
        }
    }

    private func missing(_ last: SentMessage?) -> String {
        guard let last else { return "names nothing: no interactive message was sent to this customer" }
        return "is not among the options of the last interactive message: \(last.options.map(\.title).joined(separator: ", "))"
    }

    private func filled(_ members: [String: JSONValue]) -> JSONValue {
        var message = members
        message["id"] = message["id"] ?? .string(id)
        message["timestamp"] = message["timestamp"] ?? .string(String(at.milliseconds / 1000))
        if message["from"] == nil { message["from"] = customer.phone.map(JSONValue.string) }
        if message["from_user_id"] == nil { message["from_user_id"] = customer.userID.map(JSONValue.string) }
        return .object(message)
    }
}
