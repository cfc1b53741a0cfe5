internal import Conversation

/// Reads the body of a command and gathers what is wrong with it. JSON null counts as left out.
struct SendCommandReader {
    private(set) var problems: [InvalidCommand.Problem] = []

    /// More would only repeat the lesson, and whoever sends them chooses their number.
    private static let mostProblems = 20
    private static let longestText = 8_000
    private static let mostOptions = 10
    private static let kinds = ["text", "interactive", "template", "media"]

    private mutating func wrong(_ pointer: String, _ message: String) {
        if problems.count < Self.mostProblems { problems.append(InvalidCommand.Problem(pointer: pointer, message: message)) }
    }

    /// Nil only when a problem was noted.
    mutating func command(_ json: JSONValue) -> SendCommand? {
        guard json.object != nil else {
            wrong("", "must be an object")
            return nil
        }
        let fields = members(of: json, at: "", known: ["instance", "to", "category"] + Self.kinds)
        let instance = text(fields, "instance", at: "", 1...63)
        let recipient = recipient(fields["to"])
        let content = content(fields)
        var category = SendCommand.Category.service
        if let name = fields["category"] {
            if let known = name.string.flatMap(SendCommand.Category.init(rawValue:)) {
                category = known
            } else {
                wrong("/category", "must be service or marketing")
            }
        }
        guard let instance, let recipient, let content else { return nil }
        return SendCommand(instance: InstanceID(rawValue: instance), recipient: recipient, content: content, category: category)
    }

    // MARK: Who

    private static let names: [Identifier.Kind] = [.phone, .bsuid, .parentBSUID, .email, .brandUser]

    private mutating func recipient(_ json: JSONValue?) -> SendCommand.Recipient? {
        guard let json else {
            wrong("/to", "is missing")
            return nil
        }
        let names = ["user_id"] + Self.names.map(\.rawValue)
        let fields = members(of: json, at: "/to", known: names)
        guard fields.count == 1, let name = fields.keys.first, let value = text(fields, name, at: "/to", 1...256) else {
            if fields.count != 1, json.object != nil { wrong("/to", "must have one of \(names.joined(separator: ", "))") }
            return nil
        }
        guard let kind = Identifier.Kind(rawValue: name) else {
            guard let id = UserID(value) else {
                wrong("/to/user_id", "must be the id of a user")
                return nil
            }
            return .user(id)
        }
        return identifier(kind, value).map { .identifier($0) }
    }

    /// As channels keep what they learn of customers.
    private mutating func identifier(_ kind: Identifier.Kind, _ value: String) -> Identifier? {
        switch kind {
        case .phone:
            if let phone = Identifier(phone: value.filter { !Self.separators.contains($0) }) { return phone }
            wrong("/to/phone", "must be a number with its country code, 5 to 15 digits, such as +15550001111")
        case .email:
            if let email = Identifier(email: value) { return email }
            wrong("/to/email", "must be an e-mail address")
        case .bsuid, .parentBSUID, .brandUser, .guest: return Identifier(kind: kind, value: value)
        }
        return nil
    }

    /// What people write between the digits of a number.
    private static let separators: Set<Character> = [" ", "\u{A0}", "-", ".", "/", "(", ")"]

    // MARK: What

    private mutating func content(_ fields: [String: JSONValue]) -> OutboundContent? {
        let given = Self.kinds.filter { fields[$0] != nil }
        guard given.count == 1, let kind = given.first, let value = fields[kind] else {
            if problems.isEmpty || !given.isEmpty { wrong("", "must have one of \(Self.kinds.joined(separator: ", "))") }
            return nil
        }
        switch kind {
        case "text": return words(fields, "text", at: "").map(OutboundContent.text)
        case "interactive": return choices(value).map(OutboundContent.choices)
        case "template": return template(value).map(OutboundContent.template)
        default: return media(value).map(OutboundContent.media)
        }
    }

    private mutating func choices(_ json: JSONValue) -> ChoicePrompt? {
        let fields = members(of: json, at: "/interactive", known: ["text", "options", "list_title"])
        let words = words(fields, "text", at: "/interactive")
        let title = fields["list_title"] == nil ? "Choose" : text(fields, "list_title", at: "/interactive", 1...20)
        guard let list = fields["options"]?.array, (1...Self.mostOptions).contains(list.count) else {
            wrong("/interactive/options", "must be a list of 1 to \(Self.mostOptions) options")
            return nil
        }
        let options = list.enumerated().compactMap { option($1, at: "/interactive/options/\($0)") }
        guard let words, let title, options.count == list.count else { return nil }
        let ids = options.map(\.id).filter { !$0.isEmpty }
        if Set(ids).count < ids.count || Set(options.map(\.title)).count < options.count {
            wrong("/interactive/options", "must not repeat an id or a title")
            return nil
        }
        return ChoicePrompt(text: words, options: options, listTitle: title)
    }

    private mutating func option(_ json: JSONValue, at pointer: String) -> ChoicePrompt.Option? {
        let fields = members(of: json, at: pointer, known: ["id", "title", "description"])
        let id = fields["id"] == nil ? "" : text(fields, "id", at: pointer, 1...200)
        let title = words(fields, "title", at: pointer, 1...72)
        let hasDescription = fields["description"] != nil
        let description = hasDescription ? text(fields, "description", at: pointer, 1...72) : nil
        guard let id, let title, !hasDescription || description != nil else { return nil }
        return ChoicePrompt.Option(id: id, title: title, description: description)
    }

    private mutating func template(_ json: JSONValue) -> TemplateMessage? {
        let fields = members(of: json, at: "/template", known: ["name", "language", "parameters"])
        let name = text(fields, "name", at: "/template", 1...512)
        let language = text(fields, "language", at: "/template", 1...35)
        var parameters: [String] = []
        if let given = fields["parameters"] {
            guard let list = given.array, list.count <= 100 else {
                wrong("/template/parameters", "must be a list of at most 100 texts")
                return nil
            }
            for (index, value) in list.enumerated() {
                guard let parameter = text(["\(index)": value], "\(index)", at: "/template/parameters", 1...1024) else { return nil }
                parameters.append(parameter)
            }
        }
        guard let name, let language else { return nil }
        return TemplateMessage(name: name, language: language, parameters: parameters)
    }

    private mutating func media(_ json: JSONValue) -> Media? {
        let fields = members(of: json, at: "/media", known: ["kind", "id", "url", "caption", "filename"])
        let kind = fields["kind"]?.string.flatMap(Media.Kind.init(rawValue:))
        if kind == nil { wrong("/media/kind", "must be one of \(Media.Kind.allCases.map(\.rawValue).joined(separator: ", "))") }
        if (fields["id"] == nil) == (fields["url"] == nil) { wrong("/media", "must have one of id and url") }
        let id = optional(fields, "id", 1...256)
        let url = optional(fields, "url", 1...2048)
        // It becomes a link on somebody's page.
        if let url, !url.hasPrefix("https://"), !url.hasPrefix("http://") { wrong("/media/url", "must begin with https://") }
        let caption = optional(fields, "caption", 1...Self.longestText)
        let filename = optional(fields, "filename", 1...240)
        guard let kind, problems.isEmpty else { return nil }
        return Media(kind: kind, id: id, url: url, caption: caption, filename: filename)
    }

    private mutating func optional(_ fields: [String: JSONValue], _ name: String, _ length: ClosedRange<Int>) -> String? {
        fields[name] == nil ? nil : text(fields, name, at: "/media", length)
    }

    // MARK: Pieces

    private mutating func members(of json: JSONValue, at pointer: String, known: [String]) -> [String: JSONValue] {
        guard let members = json.object else {
            wrong(pointer, "must be an object")
            return [:]
        }
        for name in members.keys.sorted() where !known.contains(name) {
            let place = name.prefix(64).replacing("~", with: "~0").replacing("/", with: "~1")
            wrong("\(pointer)/\(place)", "is not known; known: \(known.joined(separator: ", "))")
        }
        return members.filter { known.contains($0.key) && !$0.value.isNull }
    }

    /// A text that must be there, of so many Unicode scalars. U+0000, which no store takes, becomes U+FFFD.
    private mutating func text(
        _ fields: [String: JSONValue], _ name: String, at pointer: String, _ length: ClosedRange<Int>
    ) -> String? {
        guard let value = fields[name] else {
            wrong("\(pointer)/\(name)", "is missing")
            return nil
        }
        guard let text = value.string, length.contains(text.unicodeScalars.count) else {
            wrong("\(pointer)/\(name)", "must be a text of \(length.lowerBound) to \(length.upperBound) characters")
            return nil
        }
        return text.replacing("\0", with: "\u{FFFD}")
    }

    /// The same for what a customer reads.
    private mutating func words(
        _ fields: [String: JSONValue], _ name: String, at pointer: String, _ length: ClosedRange<Int> = 1...longestText
    ) -> String? {
        guard let text = text(fields, name, at: pointer, length) else { return nil }
        guard !text.allSatisfy(\.isWhitespace) else {
            wrong("\(pointer)/\(name)", "has no words")
            return nil
        }
        return text
    }
}
