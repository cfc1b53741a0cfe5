#if Sandbox
    import Conversation

    /// What the gateway promises, by the names under which a checker speaks of it.
    enum Promise: String, Sendable, Hashable, CaseIterable {
        case outcome
        case oneTurn = "one-turn"
        case order
        case reply
        case oneEffect = "one-effect"
        case sameBytes = "same-bytes"
        case settled
        case brandsApart = "brands-apart"

        /// For those who read what a checker found.
        var meaning: String {
            switch self {
            case .outcome: "a message that was acknowledged is stored, and ends in a recorded outcome"
            case .oneTurn: "a message has one turn, and a turn one message"
            case .order: "turns of a conversation happen in the order in which its messages were accepted"
            case .reply: "a reply ends as sent, failed or unknown, and is not sent again when it may have arrived"
            case .oneEffect: "an action takes effect once when it is done, and never when it is not"
            case .sameBytes: "all calls of an action carry the stored key and identical bytes"
            case .settled: "nothing runs, is held or waits without a time to come"
            case .brandsApart: "nothing of a brand reaches another one"
            }
        }
    }

    /// Something that should not be so.
    struct BrokenPromise: Sendable, Hashable {
        let promise: Promise
        let what: String

        init(_ promise: Promise, _ what: String) {
            self.promise = promise
            self.what = what
        }

        var line: String { "\(promise.rawValue): \(what)" }
        var json: JSONValue { ["promise": .string(promise.rawValue), "what": .string(what)] }
    }
#endif
