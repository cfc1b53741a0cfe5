/// The pieces that together name one moment, as far as they were said.
struct TemporalExpression: Sendable, Hashable {
    var date: DateReading?
    var span: DaySpan?
    var time: ClockReading?
    var part: DayPart?
    var offset: Int?
    var absolute: Int?
    var tokens: Range<Int>
    /// `or` stands before it: an alternative to the one before.
    var isAlternative = false
    /// Several were said and nothing tells which one holds.
    var isDoubtful = false

    init(_ piece: TemporalPiece) {
        tokens = piece.tokens
        _ = add(piece)
    }

    /// False when its place is taken by something that contradicts.
    mutating func add(_ piece: TemporalPiece) -> Bool {
        switch piece.content {
        case .date(let reading): guard addDate(reading) else { return false }
        case .span(let span):
            guard self.span == nil, offset == nil, absolute == nil else { return false }
            if let date { self.date = Self.within(span, date) ?? date } else { self.span = span }
        case .time(let clock):
            guard time == nil, offset == nil, absolute == nil else { return false }
            time = clock
        case .part(let part):
            guard self.part == nil || self.part == part || self.part == .night && part == .evening else { return false }
            self.part = part
        case .offset(let seconds):
            guard date == nil, time == nil, offset == nil else { return false }
            offset = seconds
        case .absolute(let seconds):
            guard date == nil, time == nil, absolute == nil else { return false }
            absolute = seconds
        }
        tokens = min(tokens.lowerBound, piece.tokens.lowerBound)..<max(tokens.upperBound, piece.tokens.upperBound)
        return true
    }

    private mutating func addDate(_ reading: DateReading) -> Bool {
        guard offset == nil, absolute == nil else { return false }
        if let span {
            date = Self.within(span, reading) ?? reading
            self.span = nil
            return true
        }
        guard let known = date else {
            date = reading
            return true
        }
        // `Friday the 27th`: one day said twice.
        guard (known.weekday == nil) != (reading.weekday == nil) || known.day == reading.day else { return false }
        var fuller = known.weekday == nil ? known : reading
        let weekday = known.weekday ?? reading.weekday
        fuller.isDoubtful = weekday.map { $0 != fuller.day.weekday } ?? fuller.isDoubtful
        fuller.isWeak = false
        date = fuller
        return true
    }

    /// The weekday inside the span: `next week on Tuesday`.
    static func within(_ span: DaySpan, _ reading: DateReading) -> DateReading? {
        guard let weekday = reading.weekday else { return nil }
        let first = span.from + (weekday - span.from.weekday + 7) % 7
        return first <= span.to ? DateReading(day: first, weekday: nil) : nil
    }

    /// Takes over what it lacks itself.
    mutating func inherit(_ other: TemporalExpression) {
        guard offset == nil, absolute == nil else { return }
        if date == nil, span == nil { (date, span) = (other.date, other.span) }
        if time == nil, part == nil { (time, part) = (other.time, other.part) }
    }
}

extension TemporalExpression {
    /// Reads expressions in order. What is refused ("not Friday") or moved away from ("from Tuesday to Friday") is left out.
    static func all(_ pieces: [TemporalPiece], in tokens: Tokens) -> [TemporalExpression] {
        let kept = pieces.filter { !isRefused($0, tokens) }
        var found: [TemporalExpression] = []
        var isCorrected = false
        for piece in kept {
            let between = found.last.map { words(tokens, from: $0.tokens.upperBound, to: piece.tokens.lowerBound) } ?? []
            let isAlternative = between.contains("or")
            isCorrected = isCorrected || !corrections.isDisjoint(with: between)
            if !isAlternative, corrections.isDisjoint(with: between), var last = found.last, last.add(piece) {
                found[found.count - 1] = last
                continue
            }
            var next = TemporalExpression(piece)
            next.isAlternative = isAlternative
            found.append(next)
        }
        return inherited(found, isCorrected: isCorrected || kept.count < pieces.count)
    }

    private static let corrections: Set<String> = [
        "no", "actually", "instead", "sorry", "rather", "wait", "mean", "meant", "make", "oops", "correction",
    ]

    private static func words(_ tokens: Tokens, from: Int, to: Int) -> Set<String> {
        from < to ? Set((from..<to).map { tokens.word($0) }) : []
    }

    private static func inherited(_ found: [TemporalExpression], isCorrected: Bool) -> [TemporalExpression] {
        var result = found
        for index in result.indices.dropFirst() {
            result[index].inherit(result[index - 1])
            result[index].isDoubtful = !result[index].isAlternative && !isCorrected
        }
        // `Friday or Saturday at 5`: the time belongs to both.
        for index in result.indices.dropLast().reversed() where result[index + 1].isAlternative { result[index].inherit(result[index + 1]) }
        return result
    }

    private static func isRefused(_ piece: TemporalPiece, _ tokens: Tokens) -> Bool {
        var index = piece.tokens.lowerBound - 1
        while ["on", "at", "the", "for", "this", "next"].contains(tokens.word(index)) { index -= 1 }
        let (last, previous) = (tokens.word(index), tokens.word(index - 1))
        if last == "not" || last == "isn't" || last == "except" { return true }
        if last == "of" && previous == "instead" || last == "than" && previous == "rather" { return true }
        if ["do", "make"].contains(last), ["can't", "cannot", "cant", "won't"].contains(previous) { return true }
        if last == "from", previous != "away" {
            let after = (0..<4).map { tokens.word(piece.tokens.upperBound + $0) }
            if case .date = piece.content, after.contains("to") { return true }
        }
        let (next, second) = (tokens.word(piece.tokens.upperBound), tokens.word(piece.tokens.upperBound + 1))
        return ["doesn't", "doesnt", "won't", "wont", "isn't", "isnt"].contains(next)
            && ["work", "suit", "good", "possible", "ok", "fit"].contains(second)
    }
}
