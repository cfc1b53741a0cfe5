package import Conversation

/// A conversation test: what a customer does, and what must come of it.
package struct ConversationScript: Sendable {
    /// Under which name the customer is known to the channel.
    package enum Customer: Sendable, Hashable {
        /// Digits of an international number.
        case phone(String)
        /// WhatsApp's business-scoped user id.
        case userID(String)
    }

    /// As it was given on the command line.
    package var file: String
    package var name: String
    package var brand: BrandID
    package var instance: InstanceID
    /// Nil gives the conversation a customer of its own.
    package var customer: Customer?
    package var turns: [Turn]
}

extension ConversationScript {
    /// One thing the customer does, and what it must lead to.
    package struct Turn: Sendable {
        package enum Act: Sendable {
            case say(String)
            /// Presses an option of the last question.
            case choose(TextRule)
        }

        package var act: Act
        /// Counted from 1.
        package var line: Int
        package var expected: Expectation
    }

    /// What is looked at after a turn; nil is not looked at.
    package struct Expectation: Sendable {
        /// Patterns of all replies, in order. Empty for `no_reply`.
        package var replies: [Placed<String>]?
        /// Names of all intents found: a type, an action, or `response:` with its signal.
        package var intents: [Placed<String>]?
        /// Every action whose ledger entry changed.
        package var actions: [Placed<ActionRule>]?
        /// Dotted paths into the wires, such as `active_task.status`.
        package var state: [Placed<ValueAt>] = []
        /// Reasons of all blocks.
        package var blocked: [Placed<String>]?
        /// Where `replies`, `no_reply`, `intents`, `actions` and `blocked` stand.
        package var lines: [String: Int] = [:]
    }

    package struct ActionRule: Sendable {
        package var name: String
        package var state: IntentLedgerEntry.Status?
        package var params: [Placed<ValueAt>]
    }

    package struct ValueAt: Sendable {
        package var path: String
        package var rule: ValueRule
    }

    /// A value with the line where it stands, counted from 1.
    package struct Placed<Value: Sendable>: Sendable {
        package var value: Value
        package var line: Int
    }

    /// `/pattern/`, or a text that must be equal but for case.
    package enum TextRule: Sendable, Hashable, CustomStringConvertible {
        case literal(String)
        /// RE2, found anywhere.
        case pattern(String)

        package var description: String {
            switch self {
            case .literal(let text): "\"\(text)\""
            case .pattern(let pattern): "/\(pattern)/"
            }
        }
    }

    /// A value of JSON, or a pattern that its text must hold.
    package enum ValueRule: Sendable, Hashable {
        case literal(JSONValue)
        case pattern(String)
    }
}
