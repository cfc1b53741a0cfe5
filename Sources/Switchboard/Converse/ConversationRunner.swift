#if Sandbox
    import Conversation
    import ConfigurationLoading
    import Storage

    /// Holds one conversation and compares what comes of it.
    struct ConversationRunner {
        let script: ConversationScript
        let driver: any ConversationDriver
        let watch: ConversationWatch
        let matcher: TextMatcher
        /// How long a turn may take until nothing of it is under way any more.
        let patience: Duration

        /// Every difference, in order. A turn that does not end is the last one that is held. Throws `DriverError` and errors of the store.
        func run() async throws -> [Difference] {
            var differences: [Difference] = []
            for turn in script.turns {
                let before = try await watch.snapshot()
                let heard = try await driver.replies()
                let id: String
                switch turn.act {
                case .say(let text): id = try await driver.say(text)
                case .choose(let rule):
                    let options = heard.last { !$0.options.isEmpty }?.options ?? []
                    guard let option = options.first(where: { matcher.fits($0.title, rule) }) else {
                        let titles = options.map(\.title).joined(separator: ", ")
                        let got = options.isEmpty ? "no question with options" : "the options \(titles)"
                        return differences + [.init(script, line: turn.line, what: "choose", expected: "\(rule)", got: got)]
                    }
                    id = try await driver.choose(option)
                }
                let (after, unfinished) = try await settled(after: id)
                let replies = Array(try await driver.replies().dropFirst(heard.count))
                let outcome = TurnOutcome(replies: replies.map(\.text), before: before, after: after)
                differences += Comparison(script: script, turn: turn, matcher: matcher).differences(outcome)
                if let unfinished {
                    let expected = "the turn to end within \(patience)"
                    return differences + [.init(script, line: turn.line, what: "turn", expected: expected, got: unfinished)]
                }
            }
            return differences
        }

        /// The conversation when nothing of the turn is under way any more, or with what still was when time was up.
        private func settled(after id: String) async throws -> (ConversationSnapshot, unfinished: String?) {
            let deadline = ContinuousClock.now + patience
            while true {
                let snapshot = try await watch.snapshot()
                var business = snapshot.business(after: id)
                if business == nil, try await driver.replies().count < snapshot.sentCount { business = "a reply has not arrived" }
                guard let business else { return (snapshot, nil) }
                if ContinuousClock.now >= deadline { return (snapshot, business) }
                // What happens in another process cannot signal us.
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    /// What came of a turn.
    struct TurnOutcome: Sendable {
        var replies: [String]
        var before: ConversationSnapshot
        var after: ConversationSnapshot
    }
#endif
