/// What we say, before a channel decides how it looks there.
package enum OutboundContent: Sendable, Hashable {
    case text(String)
    /// A question with options; a channel shows buttons, a list or numbered lines.
    case choices(ChoicePrompt)
    case template(TemplateMessage)
    case media(Media)
    case reaction(Reaction)
}

package struct ChoicePrompt: Sendable, Hashable {
    package struct Option: Sendable, Hashable {
        /// Opaque; looked up among those sent in this conversation.
        package var id: String
        package var title: String
        package var description: String?
        package init(id: String, title: String, description: String? = nil) {
            self.id = id
            self.title = title
            self.description = description
        }
    }

    package var text: String
    package var options: [Option]
    /// What the button that opens a list says.
    package var listTitle: String

    package init(text: String, options: [Option], listTitle: String = "Choose") {
        self.text = text
        self.options = options
        self.listTitle = listTitle
    }
}

/// A message template approved by the platform, with its parameters in order.
package struct TemplateMessage: Sendable, Hashable {
    package var name: String
    package var language: String
    package var parameters: [String]
    package init(name: String, language: String, parameters: [String] = []) {
        self.name = name
        self.language = language
        self.parameters = parameters
    }
}

extension OutboundContent {
    package var json: JSONValue {
        switch self {
        case .text(let text): return ["type": "text", "text": .string(text)]
        case .choices(let prompt):
            let options = prompt.options.map { option in
                JSONValue.object([
                    "id": .string(option.id), "title": .string(option.title), "description": JSONValue(option.description),
                ])
            }
            return ["type": "choices", "text": .string(prompt.text), "options": .array(options), "list_title": .string(prompt.listTitle)]
        case .template(let template):
            return [
                "type": "template", "name": .string(template.name), "language": .string(template.language),
                "parameters": .array(template.parameters.map(JSONValue.string)),
            ]
        case .media(let media): return Content.media(media).json
        case .reaction(let reaction): return Content.reaction(reaction).json
        }
    }

    /// Nil when the value was not written by `json`.
    package init?(json: JSONValue) {
        func text(_ key: String) -> String { json[key]?.string ?? "" }
        switch json["type"]?.string {
        case "text": self = .text(text("text"))
        case "choices":
            let options = (json["options"]?.array ?? []).map {
                ChoicePrompt.Option(
                    id: $0["id"]?.string ?? "", title: $0["title"]?.string ?? "", description: $0["description"]?.string)
            }
            self = .choices(ChoicePrompt(text: text("text"), options: options, listTitle: text("list_title")))
        case "template":
            self = .template(
                TemplateMessage(
                    name: text("name"), language: text("language"), parameters: (json["parameters"]?.array ?? []).compactMap(\.string)))
        default:
            switch Content(json: json) {
            case .media(let media): self = .media(media)
            case .reaction(let reaction): self = .reaction(reaction)
            case .text, .location, .contacts, .reply, .order, .system, .unsupported, nil: return nil
            }
        }
    }

    /// The words of it, for histories and summaries.
    package var plainText: String {
        switch self {
        case .text(let text): text
        case .choices(let prompt): ([prompt.text] + prompt.options.enumerated().map { "\($0 + 1). \($1.title)" }).joined(separator: "\n")
        case .template(let template): "[template \(template.name)]"
        case .media(let media): media.caption ?? "[\(media.kind.rawValue)]"
        case .reaction(let reaction): reaction.emoji ?? ""
        }
    }
}
