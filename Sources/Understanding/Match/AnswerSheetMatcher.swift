package import Conversation
internal import Text

/// Finds out whether words answer the question that was asked last. Pure; knows nothing of actions: whether a new wish goes before an
/// answer is decided by the classifier.
package struct AnswerSheetMatcher: Sendable {
    /// An answer and how sure it is.
    package struct Answer: Sendable, Hashable {
        /// `yes`, `no`, an option's id (several joined by commas), `value`, `correct` or `skip`.
        package var signal: String
        /// `0...1`.
        package var confidence: Double
        /// The whole text is this answer and nothing else.
        package var isWhole: Bool

        package init(signal: String, confidence: Double, isWhole: Bool) {
            self.signal = signal
            self.confidence = confidence
            self.isWhole = isWhole
        }
    }

    package init() {}

    /// The answer in a text, or nil. A choice between several options that fit alike is `value` with low confidence: there is an answer,
    /// but it must be asked which.
    package func match(_ text: String, to sheet: AnswerSheet, locale: String = "en-US") -> Answer? {
        match(Tokens(text), to: sheet, locale: locale)
    }

    func match(_ tokens: Tokens, to sheet: AnswerSheet, locale: String) -> Answer? {
        guard tokens.count > 0 else { return nil }
        switch sheet.type {
        case .confirmation: return confirmation(tokens, sheet)
        case .singleChoice: return choice(tokens, sheet)
        case .multipleChoice: return choices(tokens, sheet)
        case .entity, .text: return value(tokens, sheet, locale: locale)
        }
    }

    private func confirmation(_ tokens: Tokens, _ sheet: AnswerSheet) -> Answer? {
        if let option = exactOption(tokens, sheet) { return Answer(signal: option, confidence: 0.99, isWhole: true) }
        if let verdict = Answers.verdict(Answers.words(tokens)) { return answer(verdict, isWhole: true) }
        return Correction.isMeant(tokens) ? Answer(signal: "correct", confidence: 0.9, isWhole: false) : nil
    }

    private func answer(_ verdict: Answers.Verdict, isWhole: Bool) -> Answer {
        Answer(signal: verdict == .yes ? "yes" : "no", confidence: isWhole ? 0.97 : 0.92, isWhole: isWhole)
    }

    private func exactOption(_ tokens: Tokens, _ sheet: AnswerSheet) -> String? {
        let keys = Self.keys(sheet)
        let found = ChoiceMatcher(keys.map { (sheet.options[$0] ?? []) + [$0] }).exact(tokens)
        return found.count == 1 ? keys[found[0]] : nil
    }

    /// In the order shown; options that the order forgot follow by name.
    static func keys(_ sheet: AnswerSheet) -> [String] {
        let rest = sheet.options.keys.filter { !sheet.order.contains($0) }.sorted()
        return sheet.order + rest
    }

    private func choice(_ tokens: Tokens, _ sheet: AnswerSheet) -> Answer? {
        let keys = Self.keys(sheet)
        guard !keys.isEmpty else { return nil }
        let matcher = ChoiceMatcher(keys.map { (sheet.options[$0] ?? []) + [$0] })
        switch matcher.match(tokens, shown: Array(keys.indices), isAsked: true) {
        case .none:
            // One option on offer is a question of yes or no.
            if keys.count == 1, Answers.verdict(Answers.words(tokens)) == .yes {
                return Answer(signal: keys[0], confidence: 0.9, isWhole: true)
            }
            return skip(tokens, sheet)
        case .one(let candidate):
            return Answer(signal: keys[candidate.index], confidence: candidate.score, isWhole: isAll(candidate.tokens, tokens))
        case .several(let candidates):
            return Answer(signal: "value", confidence: min(0.7, candidates[0].score), isWhole: isAll(candidates[0].tokens, tokens))
        }
    }

    private func isAll(_ range: Range<Int>, _ tokens: Tokens) -> Bool {
        tokens.all.indices.allSatisfy {
            range.contains($0) || tokens.all[$0].kind == .symbol || Words.fillers.contains(Words.bare(tokens.all[$0].text))
        }
    }

    /// `1 and 3`, `the first two`, `all of them`, `haircut, colour`.
    private func choices(_ tokens: Tokens, _ sheet: AnswerSheet) -> Answer? {
        let keys = Self.keys(sheet)
        guard !keys.isEmpty else { return nil }
        let matcher = ChoiceMatcher(keys.map { (sheet.options[$0] ?? []) + [$0] })
        let words = Answers.words(tokens)
        var chosen = Set(matcher.exact(tokens))
        if chosen.isEmpty { chosen = Set(group(words, count: keys.count)) }
        if chosen.isEmpty { chosen = Set(numbers(tokens, count: keys.count)) }
        if chosen.isEmpty { chosen = Set(matcher.contained(tokens).map(\.index)) }
        if chosen.isEmpty, case .one(let only) = matcher.match(tokens, shown: Array(keys.indices), isAsked: true) { chosen = [only.index] }
        guard !chosen.isEmpty else { return skip(tokens, sheet) }
        let isWithin = chosen.count >= (sheet.minSelections ?? 1) && chosen.count <= (sheet.maxSelections ?? keys.count)
        guard isWithin else { return nil }
        return Answer(signal: chosen.sorted().map { keys[$0] }.joined(separator: ","), confidence: 0.95, isWhole: true)
    }

    private func group(_ words: [String], count: Int) -> [Int] {
        let telling = Words.withoutFillers(words)
        if ["all", "everything", "both"].contains(telling.first ?? ""), telling.count <= 3 {
            return telling.first == "both" && count != 2 ? [] : Array(0..<count)
        }
        guard telling.count == 2, telling[0] == "first" || telling[0] == "last",
            let number = NumberWords.units[telling[1]] ?? Int(telling[1]),
            (1...count).contains(number)
        else { return [] }
        return telling[0] == "first" ? Array(0..<number) : Array(count - number..<count)
    }

    /// Only numbers and what joins them.
    private func numbers(_ tokens: Tokens, count: Int) -> [Int] {
        var found: [Int] = []
        var index = 0
        while index < min(tokens.count, 64) {
            if let number = NumberWords.ordinal(tokens, at: index) ?? NumberWords.small(tokens, at: index) {
                guard (1...count).contains(number.value) else { return [] }
                found.append(number.value - 1)
                index += number.length
            } else {
                let isJoint =
                    tokens[index]?.kind == .symbol || Words.fillers.contains(tokens.word(index))
                    || ["option", "options", "number", "numbers", "ones"].contains(tokens.word(index))
                guard isJoint else { return [] }
                index += 1
            }
        }
        return found
    }

    private func value(_ tokens: Tokens, _ sheet: AnswerSheet, locale: String) -> Answer? {
        if !sheet.options.isEmpty, let chosen = choice(tokens, sheet), chosen.signal != "skip" { return chosen }
        if let skip = skip(tokens, sheet) { return skip }
        let kind = sheet.type == .text ? .text : sheet.entityType ?? .text
        guard kind != .choice else { return Answer(signal: "value", confidence: 0.5, isWhole: false) }
        let parameter = ParameterDefinition(
            name: "value", entity: kind, pattern: kind == .text || kind == .url ? sheet.validation : nil,
            minimum: kind == .text ? sheet.minLength.map(Double.init) : nil, maximum: kind == .text ? sheet.maxLength.map(Double.init) : nil
        )
        // Whether it lies in the past is not asked here, so any reference will do.
        let request = SlotRequest(
            text: tokens.source, parameters: [parameter], reference: Timestamp(milliseconds: 0), timeZone: "UTC", locale: locale,
            expecting: "value")
        guard let entity = SlotExtractor().extract(request)["value"] else { return nil }
        // A value of the wrong form is still an answer to the question, as long as it is plainly meant for one.
        if entity.problem == .invalid { return kind == .text ? nil : Answer(signal: "value", confidence: 0.7, isWhole: false) }
        return Answer(signal: "value", confidence: kind == .text ? 0.8 : 0.93, isWhole: entity.raw.count * 2 >= tokens.source.count)
    }

    /// What need not be answered may be skipped.
    private func skip(_ tokens: Tokens, _ sheet: AnswerSheet) -> Answer? {
        guard !sheet.required, Answers.skip.contains(Answers.words(tokens)) || Answers.verdict(Answers.words(tokens)) == .no else {
            return nil
        }
        return Answer(signal: "skip", confidence: 0.9, isWhole: true)
    }
}

/// "no, make it 6pm": neither yes nor no, but something else instead.
enum Correction {
    private static let cues: Set<String> = [
        "make", "change", "instead", "actually", "rather", "meant", "mean", "move", "switch", "correction", "should", "not", "wrong", "but",
    ]

    /// "Change it to 4pm", "make it Friday": about what was just asked, whatever the brand's own actions are called.
    static func pointsBack(_ tokens: Tokens) -> Bool {
        let words = Answers.words(tokens)
        return words.indices.dropLast().contains { index in
            guard ["change", "make", "move", "switch", "set", "shift", "put"].contains(words[index]) else { return false }
            let next = words[index + 1]
            return ["it", "to"].contains(next) || ["this", "that"].contains(next) && words.dropFirst(index + 2).first == "to"
        }
    }

    static func isMeant(_ tokens: Tokens) -> Bool {
        let words = Answers.words(tokens)
        guard words.count <= 40 else { return false }
        let parser = TemporalParser(tokens: tokens, today: Day(number: 0), dayFirst: false, isAsked: true)
        let pieces = parser.pieces()
        let hasCue = words.contains { cues.contains($0) }
        let hasNumber = tokens.all.contains { $0.kind == .number }
        let first = words.first ?? ""
        if hasCue, !pieces.isEmpty || hasNumber { return true }
        let isNo = Answers.no.length(in: words, at: 0) > 0
        if isNo, !pieces.isEmpty || hasNumber { return true }
        if ["change", "actually", "instead"].contains(first) || words.last == "instead"
            || isNo && words.dropFirst().contains(where: cues.contains)
        {
            return true
        }
        // A bare "6pm" where yes or no was due.
        let spoken = pieces.reduce(0) { $0 + $1.tokens.count }
        return spoken > 0 && spoken * 2 >= words.count && Answers.yes.length(in: words, at: 0) == 0
    }
}
