#if Sandbox
    import ConfigurationLoading
    import Conversation
    import Synchronization
    import Text

    /// Compares with literals and RE2 patterns; the loader has tried every pattern.
    final class TextMatcher: Sendable {
        private let compiled = Mutex<[String: Pattern]>([:])

        /// Whether the pattern is found anywhere; false for one that does not compile.
        func finds(_ pattern: String, in text: String) -> Bool {
            let known = compiled.withLock { compiled -> Pattern? in
                if let pattern = compiled[pattern] { return pattern }
                guard let new = try? Pattern(pattern, caseSensitive: true) else { return nil }
                compiled[pattern] = new
                return new
            }
            return known?.matches(text) ?? false
        }

        func fits(_ text: String, _ rule: ConversationScript.TextRule) -> Bool {
            switch rule {
            case .literal(let literal): text.lowercased() == literal.lowercased()
            case .pattern(let pattern): finds(pattern, in: text)
            }
        }

        /// A literal fits one of the values, or the text of one; a pattern is looked for in their texts. Nothing fits only null.
        func fits(_ values: [JSONValue], _ rule: ConversationScript.ValueRule) -> Bool {
            switch rule {
            case .literal(.null): values.allSatisfy(\.isNull)
            case .literal(let literal): values.contains { $0 == literal || !$0.isNull && $0.plainText == literal.plainText }
            case .pattern(let pattern): values.contains { !$0.isNull && finds(pattern, in: Self.text($0)) }
            }
        }

        static func text(_ value: JSONValue) -> String {
            switch value {
            case .array, .object: CanonicalJSON.text(value)
            case .null, .bool, .integer, .number, .string: value.plainText
            }
        }
    }
#endif
