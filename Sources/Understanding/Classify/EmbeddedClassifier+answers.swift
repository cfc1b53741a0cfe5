internal import Conversation

extension EmbeddedClassifier {
    /// What a text means while a question is open; nil when it has nothing to do with the question.
    func answered(_ tokens: Tokens, sheet: AnswerSheet, _ request: ClassificationRequest) -> [DetectedIntent]? {
        let locale = request.locale
        let words = Answers.words(tokens)
        let whole = matcher.match(tokens, to: sheet, locale: locale)
        if let whole, whole.isWhole, sheet.type != .entity, sheet.type != .text { return [response(whole, tokens.source)] }
        if Answers.stop.contains(words) {
            return [DetectedIntent(type: .response, confidence: 0.97, signal: "stop", text: tokens.source, source: .rule)]
        }
        switch sheet.type {
        case .confirmation: return confirmed(tokens, sheet: sheet, whole: whole, request)
        case .singleChoice, .multipleChoice: return chosen(tokens, sheet: sheet, whole: whole, request)
        case .entity, .text: return valued(tokens, sheet: sheet, whole: whole, request)
        }
    }

    func response(_ answer: AnswerSheetMatcher.Answer, _ text: String) -> DetectedIntent {
        DetectedIntent(type: .response, confidence: answer.confidence, signal: answer.signal, text: text, source: .answerSheet)
    }

    /// Yes or no with more behind it, a change of mind, or the same wish once more.
    private func confirmed(
        _ tokens: Tokens, sheet: AnswerSheet, whole: AnswerSheetMatcher.Answer?, _ request: ClassificationRequest
    ) -> [DetectedIntent]? {
        let other = wishes(tokens)
        let pointsBack = Correction.pointsBack(tokens)
        let hasOther = other.contains { isNew($0, request) && !(pointsBack && $0.source == .classifier) }
        if let whole, whole.signal == "correct", !hasOther { return [response(whole, tokens.source)] }
        guard let (verdict, end) = leadingVerdict(tokens) else {
            if let whole { return [response(whole, tokens.source)] + other.filter { isNew($0, request) } }
            return repeated(other, tokens, request)
        }
        let text = tokens.raw(0..<end)
        let answer = AnswerSheetMatcher.Answer(signal: verdict == .yes ? "yes" : "no", confidence: 0.92, isWhole: false)
        let rest = wishes(Tokens(tokens.raw(end..<tokens.count))).filter {
            isNew($0, request) || $0.type == .gratitude || $0.type == .goodbye
        }
        return [response(answer, text)] + rest
    }

    /// Something else than the action in hand.
    private func isNew(_ intent: DetectedIntent, _ request: ClassificationRequest) -> Bool {
        switch intent.type {
        case .action: intent.confidence >= 0.6 && intent.candidates.first != request.activeAction
        case .help: intent.confidence >= 0.5
        case .greeting, .goodbye, .gratitude, .chitchat, .response, .unknown: false
        }
    }

    /// "book it" as the answer to "Book it?".
    private func repeated(_ found: [DetectedIntent], _ tokens: Tokens, _ request: ClassificationRequest) -> [DetectedIntent]? {
        guard found.count == 1, let only = found.first else { return nil }
        if only.signal == "stop", only.source == .classifier {
            return [response(.init(signal: "no", confidence: 0.9, isWhole: true), tokens.source)]
        }
        guard only.type == .action, only.candidates.first == request.activeAction, only.confidence >= 0.7, tokens.count <= 5 else {
            return nil
        }
        return [response(.init(signal: "yes", confidence: 0.86, isWhole: true), tokens.source)]
    }

    /// Yes or no at the beginning, followed by a break or a new clause.
    private func leadingVerdict(_ tokens: Tokens) -> (Answers.Verdict, Int)? {
        let words = (0..<min(tokens.count, 12)).map { Words.bare(tokens.word($0)) }
        let (yes, no) = (Answers.yes.length(in: words, at: 0), Answers.no.length(in: words, at: 0))
        var end = max(yes, no)
        guard end > 0 else { return nil }
        while end < words.count, Answers.padding.length(in: words, at: end) == 1, ["please", "thanks", "thx", "pls"].contains(words[end]) {
            end += 1
        }
        // A bare "no" before a noun ("no fringe") is no answer, before a break or a pronoun it is.
        let next = tokens.word(end)
        if no >= yes, !next.isEmpty, tokens[end]?.kind != .symbol,
            ![
                "i", "i'm", "i'd", "but", "and", "cancel", "that's", "thats", "it", "the", "we", "don't", "dont", "what", "can", "how",
                "thanks",
            ].contains(next)
        {
            return nil
        }
        return (no >= yes ? .no : .yes, end)
    }

    private func chosen(
        _ tokens: Tokens, sheet: AnswerSheet, whole: AnswerSheetMatcher.Answer?, _ request: ClassificationRequest
    ) -> [DetectedIntent]? {
        let found = wishes(tokens)
        let others = found.filter { isNew($0, request) }
        if others.isEmpty, let both = answerAndMore(tokens, sheet, request) { return both }
        if others.contains(where: { $0.type == .action && $0.confidence >= 0.75 }) && !startsWithOption(tokens, sheet, request) {
            return nil
        }
        if others.isEmpty { return whole.map { [response($0, tokens.source)] } }
        if let both = answerAndMore(tokens, sheet, request) { return both }
        guard let whole, whole.confidence >= 0.9, !others.contains(where: { $0.confidence > 0.8 }) else { return nil }
        return [response(whole, tokens.source)]
    }

    private func startsWithOption(_ tokens: Tokens, _ sheet: AnswerSheet, _ request: ClassificationRequest) -> Bool {
        answerAndMore(tokens, sheet, request) != nil
    }

    /// One part answers, another asks: "the second one, and what does it cost?"
    private func answerAndMore(_ tokens: Tokens, _ sheet: AnswerSheet, _ request: ClassificationRequest) -> [DetectedIntent]? {
        let sentences = splitter.sentences(tokens)
        let ends = sentences.dropLast().map { $0.upperBound..<$0.upperBound + 1 }
        let cuts = sentences.prefix(2).flatMap { splitter.cuts(tokens, in: $0) }.prefix(4) + ends.prefix(2)
        for cut in cuts {
            let head = Tokens(tokens.raw(0..<cut.lowerBound))
            guard let answer = matcher.match(head, to: sheet, locale: request.locale), answer.isWhole, cut.upperBound < tokens.count else {
                continue
            }
            let more = wishes(Tokens(tokens.raw(cut.upperBound..<tokens.count))).filter { isNew($0, request) }
            if !more.isEmpty { return [response(answer, head.source)] + more }
        }
        return nil
    }

    /// A value, unless something plainly else was said: another action, a question, a wish for a person.
    private func valued(
        _ tokens: Tokens, sheet: AnswerSheet, whole: AnswerSheetMatcher.Answer?, _ request: ClassificationRequest
    ) -> [DetectedIntent]? {
        let found = wishes(tokens)
        let isText = sheet.type == .text || sheet.entityType == .text
        let strong = found.filter { intent in
            switch intent.type {
            case .action: intent.confidence >= (isText ? 0.85 : 0.7) && intent.candidates.first != request.activeAction
            case .help: intent.signal == "human" || intent.confidence >= (isText ? 0.8 : 0.55)
            case .greeting, .goodbye, .gratitude, .chitchat: isText && intent.source == .rule && found.count == 1
            case .response: intent.signal == "stop"
            case .unknown: false
            }
        }
        guard let whole else {
            let isCorrection = Correction.isMeant(tokens) && strong.isEmpty
            return isCorrection ? [response(.init(signal: "correct", confidence: 0.8, isWhole: false), tokens.source)] : nil
        }
        if strong.contains(where: { $0.type == .action || $0.signal != nil }) { return nil }
        guard let question = strong.last else { return [response(whole, tokens.source)] }
        if isText { return nil }
        return question.type == .help ? [response(whole, tokens.source), question] : [response(whole, tokens.source)]
    }
}
