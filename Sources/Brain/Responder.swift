import Conversation

/// Words a narrative from templates: the brand's own, else ours in English.
struct Responder: Sendable {
    let configuration: BrandConfiguration
    let phrases: Phrases
    let user: User

    /// The text of the first of these keys that has a template whose placeholders all have values; keys go from the special to the general.
    func text(_ keys: [String], _ values: [String: JSONValue] = [:], params: [String: Entity] = [:]) -> String {
        let scope = PlaceholderScope(
            user: user, params: params, values: values.merging(["brand": ["name": .string(configuration.name)]]) { own, _ in own })
        var incomplete = ""
        for key in keys {
            for template in [configuration.templates[key], Self.defaults[key]].compactMap({ $0 }) {
                let (text, missing) = scope.text(template, phrases)
                if missing.isEmpty { return text }
                if incomplete.isEmpty { incomplete = text }
            }
        }
        return Self.tidied(incomplete)
    }

    /// An action's name as it stands inside a sentence: "Book a service" → "book a service", "FAQ" stays.
    static func inSentence(_ name: String) -> String {
        let second = name.dropFirst().first
        guard let first = name.first, second.map({ $0.isLowercase || $0 == " " }) ?? false else { return name }
        return first.lowercased() + name.dropFirst()
    }

    /// A field's name for people: `booking_id` → "Booking id".
    static func fieldName(_ name: String) -> String {
        let words = name.replacing("_", with: " ")
        return words.prefix(1).uppercased() + words.dropFirst()
    }

    /// Without the gaps that values left that were not there.
    static func tidied(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map {
                $0.split(separator: " ").joined(separator: " ").replacing(" .", with: ".").replacing(" ,", with: ",").replacing(
                    " ?", with: "?")
            }
            .joined(separator: "\n")
    }
}
