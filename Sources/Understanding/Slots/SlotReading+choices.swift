internal import Conversation

extension SlotReading {
    /// Choices, the one asked for first.
    mutating func readChoices() {
        // The file name of a resume must not choose the job.
        let words = addressTokens.isEmpty ? tokens : tokens.hiding(addressTokens.contains)
        for parameter in receivers(.choice) {
            let options = request.options[parameter.name] ?? parameter.options
            guard !options.isEmpty else { continue }
            let isAsked = parameter.name == request.expecting
            let shown = shownIndexes(options)
            // Ids are for machines: one counts only when it is all that was said.
            if isAsked, let index = options.firstIndex(where: { $0.id == tokens.source }) {
                choose(parameter, options[index], .init(index: index, score: 1, tokens: 0..<tokens.count))
                continue
            }
            let matcher = ChoiceMatcher(options.map { [$0.label] + $0.synonyms })
            switch matcher.match(words, shown: isAsked || !request.shown.isEmpty ? shown : [], isAsked: isAsked) {
            case .none:
                if !isAsked { chooseByRest(parameter, options, matcher) }
            case .one(let candidate): choose(parameter, options[candidate.index], candidate)
            case .several(let candidates): offer(parameter, candidates.map { (options[$0.index], $0) })
            }
        }
    }

    /// "Apply for the warehouse job": everything that is said besides the wish itself stands in the names of an option.
    private mutating func chooseByRest(_ parameter: ParameterDefinition, _ options: [ChoiceOption], _ matcher: ChoiceMatcher) {
        let rest = restTokens().filter { !addressTokens.contains($0) }
        guard let first = rest.first, let last = rest.last, rest.count <= 4 else { return }
        let holders = matcher.holders(of: rest.map { Words.stem(tokens.word($0)) })
        let candidates = holders.map { ChoiceMatcher.Candidate(index: $0, score: 0.7, tokens: first..<last + 1) }
        if candidates.count == 1 { return choose(parameter, options[candidates[0].index], candidates[0]) }
        if (2...5).contains(candidates.count) { offer(parameter, candidates.map { (options[$0.index], $0) }) }
    }

    /// Tokens by which a choice was made.
    var choiceTokens: Set<Int> {
        Set(choiceRanges.flatMap { Array($0) })
    }

    /// Those shown last when they belong to this parameter, else the options in their own order.
    private func shownIndexes(_ options: [ChoiceOption]) -> [Int] {
        let indexes = request.shown.compactMap { shown in options.firstIndex { $0.id == shown.id } }
        return indexes.isEmpty ? Array(options.indices) : indexes
    }

    private mutating func choose(_ parameter: ParameterDefinition, _ option: ChoiceOption, _ candidate: ChoiceMatcher.Candidate) {
        guard !isMoment(candidate) else { return }
        note(candidate.tokens)
        found[parameter.name] = Entity(
            name: parameter.name, kind: .choice, value: .string(option.id), raw: tokens.raw(candidate.tokens), label: option.label,
            item: option.item.isNull ? JSONValue?.none : option.item, confidence: candidate.score, needsConfirmation: candidate.score < 0.75
        )
    }

    private mutating func offer(_ parameter: ParameterDefinition, _ candidates: [(ChoiceOption, ChoiceMatcher.Candidate)]) {
        guard let best = candidates.first?.1, !isMoment(best) else { return }
        for (_, candidate) in candidates { note(candidate.tokens) }
        found[parameter.name] = Entity(
            name: parameter.name, kind: .choice, raw: tokens.raw(best.tokens), confidence: best.score,
            problem: .ambiguous(candidates.prefix(5).map(\.0)))
    }

    /// All its words are those of a day or time that was plainly said.
    private func isMoment(_ candidate: ChoiceMatcher.Candidate) -> Bool {
        candidate.score < 1 && candidate.tokens.allSatisfy { index in pieces.contains { !$0.isWeak && $0.tokens.contains(index) } }
            && !isAsked(.choice)
    }

    private mutating func note(_ range: Range<Int>) {
        choiceRanges.append(range)
        take(range)
    }
}
