internal import Conversation

extension SlotReading {
    /// Finds what is said about days and times, wanted or not: its digits are no numbers and no phone.
    mutating func markMoments() {
        let wanted = !parameters(.datetime, .date, .time).isEmpty
        guard wanted || !parameters(.number, .money, .phone).isEmpty else { return }
        let parser = TemporalParser(
            tokens: tokens, today: clock.local(request.reference).day, dayFirst: isDayFirst,
            isAsked: isAsked(.datetime, .date, .time) || isCorrected)
        pieces = parser.pieces().filter { isFree($0.tokens) }
        for piece in pieces where !piece.isWeak { take(piece.tokens) }
    }

    /// "no, make it 4" where only a moment is there to be corrected.
    private var isCorrected: Bool {
        guard request.expecting == nil, parameters(.number, .money).isEmpty, tokens.count <= 12 else { return false }
        let isKnown = parameters(.datetime, .date, .time).contains { request.collected[$0.name] != nil }
        return isKnown && tokens.all.contains { ["make", "change", "instead", "actually", "rather"].contains($0.text) }
    }

    private var clock: ZonedClock { ZonedClock(request.timeZone) }

    /// Month before day only in the United States and where its habit is followed.
    private var isDayFirst: Bool { !["US", "PH", "FM", "PW", "MH", "AS", "GU", "PR", "VI"].contains(region) }

    mutating func readMoments() {
        // A choice that was asked for may have taken words ("the second one") that looked like a day.
        let usable = pieces.filter { piece in !piece.tokens.contains { choiceTokens.contains($0) } }
        let wanted = receivers(.datetime, .date, .time)
        guard !wanted.isEmpty else { return }
        let expressions = TemporalExpression.all(reinterpreted(usable), in: tokens)
        guard let last = expressions.last else {
            if let bare = bareDay() { place(bare, wanted[0], raw: tokens.source) }
            return
        }
        let alternatives = expressions.filter { $0.isAlternative }
        if !alternatives.isEmpty {
            let first = expressions.firstIndex { $0.isAlternative }.map { max(0, $0 - 1) } ?? 0
            return offer(Array(expressions[first...]), to: receiver(of: last, among: wanted))
        }
        let inOrder = expressions.filter { $0.isDoubtful }.count == expressions.count - 1 ? expressions : [last]
        let sameKind = wanted.filter { $0.entity != .time }
        if inOrder.count > 1, sameKind.count > 1, request.expecting == nil {
            for (parameter, var expression) in zip(sameKind, inOrder) {
                expression.isDoubtful = false
                place(expression, parameter, raw: tokens.raw(expression.tokens))
            }
            return
        }
        settle(last, wanted)
    }

    /// One expression fills a moment, or a date and a time of their own.
    private mutating func settle(_ expression: TemporalExpression, _ wanted: [ParameterDefinition]) {
        let raw = tokens.raw(expression.tokens)
        let hasTime = expression.time != nil || expression.part != nil
        let hasDate = expression.date != nil || expression.span != nil
        let isExact = expression.offset != nil || expression.absolute != nil
        if !wanted.contains(where: { $0.entity == .datetime }) {
            if hasDate || isExact, let date = wanted.first(where: { $0.entity == .date }) { place(expression, date, raw: raw) }
            if hasTime || isExact, let time = wanted.first(where: { $0.entity == .time }) { place(expression, time, raw: raw) }
            return
        }
        place(expression, receiver(of: expression, among: wanted), raw: raw)
    }

    private func receiver(of expression: TemporalExpression, among wanted: [ParameterDefinition]) -> ParameterDefinition {
        if let first = wanted.first, first.name == request.expecting { return first }
        let hasTime = expression.time != nil || expression.part != nil || expression.offset != nil
        let kind: EntityKind = hasTime ? (expression.date == nil ? .time : .datetime) : .date
        return wanted.first { $0.entity == .datetime } ?? wanted.first { $0.entity == kind } ?? wanted[0]
    }

    private mutating func place(_ expression: TemporalExpression, _ parameter: ParameterDefinition, raw: String) {
        take(expression.tokens)
        found[parameter.name] = TemporalResolver(parameter, request: request, clock: clock).entity(expression, raw: raw)
    }

    /// Several readings by the person's own "or": all that can be had, as options.
    private mutating func offer(_ expressions: [TemporalExpression], to parameter: ParameterDefinition) {
        let resolver = TemporalResolver(parameter, request: request, clock: clock)
        let range = (expressions.first?.tokens.lowerBound ?? 0)..<(expressions.last?.tokens.upperBound ?? 0)
        take(range)
        let entities = expressions.prefix(5).map { resolver.entity($0, raw: tokens.raw($0.tokens)) }
        let options = entities.compactMap { entity -> ChoiceOption? in
            if let value = entity.value?.string { return ChoiceOption(id: value, label: entity.raw) }
            guard case .incomplete? = entity.problem, let partial = entity.partial?["date"]?.string else { return nil }
            return ChoiceOption(id: partial, label: entity.raw)
        }
        if options.count < 2, let only = entities.first(where: { $0.value != nil }) ?? entities.first {
            found[parameter.name] = only
            return
        }
        found[parameter.name] = Entity(
            name: parameter.name, kind: parameter.entity, raw: tokens.raw(range), confidence: 0.6, problem: .ambiguous(options))
    }

    /// What was asked for decides what a lone number is: a day of the month for a date, and for a moment whose time is known already.
    private func reinterpreted(_ pieces: [TemporalPiece]) -> [TemporalPiece] {
        guard pieces.count == 1, pieces[0].isWeak, case .time = pieces[0].content else { return pieces }
        return bareDay() == nil ? pieces : []
    }

    private func bareDay() -> TemporalExpression? {
        guard let parameter = request.parameters.first(where: { $0.name == request.expecting }) else { return nil }
        let words = tokens.all.enumerated().filter {
            $0.element.kind == .number || !Words.fillers.contains($0.element.text) && $0.element.kind == .word
        }
        guard words.count == 1, let index = words.first?.offset, let value = tokens[index]?.value, (1...31).contains(value),
            isFree(index..<index + 1)
        else { return nil }
        let prior = PriorMoment(request.collected[parameter.name], kind: parameter.entity, clock: clock)
        let isMissingDay = prior.day == nil && prior.clock != nil
        guard parameter.entity == .date || parameter.entity == .datetime && (isMissingDay || value > 24 && prior.day == nil) else {
            return nil
        }
        let today = clock.local(request.reference).day
        for later in 0...3 {
            let (year, month, _) = today.adding(months: later).civil
            guard let day = Day(year: year, month: month, day: value), day >= today else { continue }
            return TemporalExpression(TemporalPiece(content: .date(DateReading(day: day)), tokens: index..<index + 1))
        }
        return nil
    }
}
