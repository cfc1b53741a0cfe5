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

        /// For those who read what a checker found; short enough for a line of help.
        var meaning: String {
            switch self {
            case .outcome: "what was acknowledged is stored and has a recorded end"
            case .oneTurn: "a message has one turn, and a turn one message"
            case .order: "turns of a conversation come in the order of its messages"
            case .reply: "each one ends, and none that may have arrived is sent again"
            case .oneEffect: "an action takes effect once if it is done, and else never"
            case .sameBytes: "all calls of an action carry its key and its bytes"
            case .settled: "nothing runs, is held or waits that was due before the stop"
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
