#if Sandbox
    import Brain
    import ConfigurationLoading
    import Conversation

    /// A turn's expectations against what came of it.
    struct Comparison {
        let script: ConversationScript
        let turn: ConversationScript.Turn
        let matcher: TextMatcher

        private var expected: ConversationScript.Expectation { turn.expected }

        func differences(_ outcome: TurnOutcome) -> [Difference] {
            let changes = outcome.after.changes(since: outcome.before)
            return replies(outcome.replies) + intents(outcome) + actions(changes) + state(outcome.after.state) + blocked(changes)
        }

        private func difference(_ line: Int?, _ what: String, _ expected: String, _ got: String) -> Difference {
            Difference(script, line: line ?? turn.line, what: what, expected: expected, got: got)
        }

        /// One reply for each pattern and none besides: a reply too many is a difference too.
        private func replies(_ got: [String]) -> [Difference] {
            guard let wanted = expected.replies else { return [] }
            var found: [Difference] = []
            for (index, pattern) in wanted.enumerated() {
                let reply = index < got.count ? got[index] : nil
                if let reply, matcher.finds(pattern.value, in: reply) { continue }
                found.append(difference(pattern.line, "reply \(index + 1)", "/\(pattern.value)/", reply.map { "\"\($0)\"" } ?? "no reply"))
            }
            for (index, reply) in got.enumerated().dropFirst(wanted.count) {
                found.append(
                    difference(expected.lines["replies"] ?? expected.lines["no_reply"], "reply \(index + 1)", "no reply", "\"\(reply)\""))
            }
            return found
        }

        /// What this turn's message was understood as; the order does not count.
        private func intents(_ outcome: TurnOutcome) -> [Difference] {
            guard let wanted = expected.intents else { return [] }
            let state = outcome.after.state
            let intents = outcome.before.state.turn == state.turn ? [] : state.previousIntents.filter { $0.turn == state.turn }
            var rest = intents
            let missing = wanted.filter { name in
                guard let index = rest.firstIndex(where: { Self.names($0).contains(name.value) }) else { return true }
                rest.remove(at: index)
                return false
            }
            if missing.isEmpty, rest.isEmpty { return [] }
            let got = intents.map { Self.names($0).last ?? "" }.joined(separator: ", ")
            let line = missing.first?.line ?? expected.lines["intents"]
            return [difference(line, "intents", wanted.map(\.value).joined(separator: ", "), got.isEmpty ? "none" : got)]
        }

        /// From the general to the special.
        static func names(_ intent: PreviousIntent) -> [String] {
            switch intent.intentType {
            case .action: ["action"] + [intent.canonicalAction].compactMap { $0 }
            case .response: ["response"] + [intent.matchedSignal].compactMap { $0.map { "response:\($0)" } }
            case .greeting, .goodbye, .gratitude, .chitchat, .help, .unknown: [intent.intentType.rawValue]
            }
        }

        private func actions(_ changes: [IntentLedgerEntry]) -> [Difference] {
            guard let wanted = expected.actions else { return [] }
            var rest = changes.filter { $0.intentType == .action }
            var found: [Difference] = []
            for rule in wanted {
                let same = rest.indices.filter { rest[$0].canonicalIntent == rule.value.name }
                guard let index = same.first(where: { mismatches(rest[$0], rule).isEmpty }) ?? same.first else {
                    found.append(difference(rule.line, "action", rule.value.name, Self.list(changes)))
                    continue
                }
                found += mismatches(rest.remove(at: index), rule)
            }
            let line = expected.lines["actions"]
            return found + rest.map { difference(line, "action", "none besides", "\($0.canonicalIntent) \($0.status.rawValue)") }
        }

        private func mismatches(
            _ entry: IntentLedgerEntry, _ rule: ConversationScript.Placed<ConversationScript.ActionRule>
        ) -> [Difference] {
            let name = rule.value.name
            var found: [Difference] = []
            if let state = rule.value.state, state != entry.status {
                found.append(difference(rule.line, "state of \(name)", state.rawValue, entry.status.rawValue))
            }
            for param in rule.value.params {
                let entity = entry.entities[param.value.path].flatMap { $0.problem == nil ? $0 : nil }
                let values = [entity?.value, entity?.label.map(JSONValue.string)].compactMap { $0 }
                if matcher.fits(values, param.value.rule) { continue }
                let got = values.isEmpty ? "nothing" : values.map(TextMatcher.text).joined(separator: ", that is ")
                found.append(difference(param.line, "\(name).\(param.value.path)", Self.text(param.value.rule), got))
            }
            return found
        }

        private func state(_ state: ConversationState) -> [Difference] {
            guard !expected.state.isEmpty else { return [] }
            let wires = Wires(state: state, popularActions: []).json
            return expected.state.compactMap { wanted in
                let value = wires.at(pointer: "/" + wanted.value.path.replacing(".", with: "/")) ?? .null
                if matcher.fits([value], wanted.value.rule) { return nil }
                return difference(wanted.line, "state \(wanted.value.path)", Self.text(wanted.value.rule), TextMatcher.text(value))
            }
        }

        private func blocked(_ changes: [IntentLedgerEntry]) -> [Difference] {
            guard let wanted = expected.blocked else { return [] }
            let reasons = changes.filter { $0.status == .blocked }.flatMap(\.reasons)
            if wanted.map(\.value).sorted() == reasons.sorted() { return [] }
            let got = reasons.isEmpty ? "nothing" : reasons.joined(separator: ", ")
            return [difference(expected.lines["blocked"], "blocked", wanted.map(\.value).joined(separator: ", "), got)]
        }

        private static func list(_ entries: [IntentLedgerEntry]) -> String {
            let names = entries.map { "\($0.canonicalIntent) \($0.status.rawValue)" }
            return names.isEmpty ? "no action" : names.joined(separator: ", ")
        }

        private static func text(_ rule: ConversationScript.ValueRule) -> String {
            switch rule {
            case .literal(let value): TextMatcher.text(value)
            case .pattern(let pattern): "/\(pattern)/"
            }
        }
    }
#endif
