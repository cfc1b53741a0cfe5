/// Finds what a text says about days and times. One pass from left to right; at each place the longest reading wins.
struct TemporalParser {
    let tokens: Tokens
    let today: Day
    /// `3/4` is April 3rd, as it is everywhere but in the United States.
    let dayFirst: Bool
    /// A day or time was asked for, so bare numbers may be one.
    let isAsked: Bool

    func pieces() -> [TemporalPiece] {
        var found: [TemporalPiece] = []
        var index = 0
        // Beyond a few hundred words nobody names a time any more.
        while index < tokens.count, found.count < 32 {
            let read = piece(at: index)
            found += read
            index = max(index + 1, read.map(\.tokens.upperBound).max() ?? 0)
        }
        return strengthened(found)
    }

    private func piece(at index: Int) -> [TemporalPiece] {
        if let (piece, time) = isoPiece(at: index) { return [piece] + (time.map { [$0] } ?? []) }
        if let piece = offset(at: index) { return [piece] }
        if let piece = date(at: index) { return [piece] + tonight(at: index) }
        if let piece = time(at: index) { return [piece] }
        if let piece = part(at: index) { return piece }
        return []
    }

    /// `tonight` is a day and a part of it.
    private func tonight(at index: Int) -> [TemporalPiece] {
        guard ["tonight", "tonite"].contains(tokens.word(index)) else { return [] }
        return [TemporalPiece(content: .part(.night), tokens: index..<index + 1)]
    }

    private func part(at index: Int) -> [TemporalPiece]? {
        guard let part = TemporalWords.parts[tokens.word(index)], tokens.word(index - 1) != "good", tokens.word(index) != "eve" else {
            return nil
        }
        let range = index..<index + 1
        let piece = TemporalPiece(content: .part(part), tokens: range)
        guard tokens.word(index - 1) == "this" else { return [piece] }
        return [TemporalPiece(content: .date(DateReading(day: today)), tokens: index - 1..<index + 1), piece]
    }

    /// Weak readings count when asked for or beside another piece; the others are dropped.
    private func strengthened(_ pieces: [TemporalPiece]) -> [TemporalPiece] {
        if isAsked { return pieces }
        return pieces.filter { piece in
            let isWeakDate = if case .date(let date) = piece.content { date.isWeak } else { false }
            guard piece.isWeak || isWeakDate else { return true }
            return pieces.contains { other in
                guard other.tokens != piece.tokens, !other.isWeak, kind(other) != kind(piece) || isWeakDate else { return false }
                return gap(piece.tokens, other.tokens) <= 2
            }
        }
    }

    private func kind(_ piece: TemporalPiece) -> Int {
        switch piece.content {
        case .date, .span: 0
        case .time: 1
        case .part: 2
        case .offset, .absolute: 3
        }
    }

    private func gap(_ left: Range<Int>, _ right: Range<Int>) -> Int {
        left.upperBound <= right.lowerBound ? right.lowerBound - left.upperBound : left.lowerBound - right.upperBound
    }
}

extension TemporalParser {
    /// `2026-11-28`, `2026-11-28T17:00`, `2026-11-28 17:00Z`.
    private func isoPiece(at index: Int) -> (TemporalPiece, TemporalPiece?)? {
        guard let year = tokens[index], year.kind == .number, year.text.count == 4, let separator = tokens[index + 1], separator.isGlued,
            ["-", "/", "."].contains(separator.text), tokens.word(index + 3) == separator.text,
            let day = Day(year: year.value ?? 0, month: tokens[index + 2]?.value ?? 0, day: tokens[index + 4]?.value ?? 0)
        else { return nil }
        let date = TemporalPiece(content: .date(DateReading(day: day)), tokens: index..<index + 5)
        let start = index + (tokens.word(index + 5) == "t" ? 6 : 5)
        guard start == index + 6, let clock = colonTime(at: start) else { return (date, nil) }
        let end = start + clock.length
        if let offset = zoneOffset(at: end) {
            let seconds = day.number * 86_400 + clock.reading.minutes * 60 - offset.seconds
            return (TemporalPiece(content: .absolute(seconds), tokens: index..<end + offset.length), nil)
        }
        return (date, TemporalPiece(content: .time(ClockReading(minutes: clock.reading.minutes, hasHalf: true)), tokens: start..<end))
    }

    private func zoneOffset(at index: Int) -> (seconds: Int, length: Int)? {
        let start = tokens.word(index) == "." ? index + 2 : index
        let extra = start - index
        switch tokens.word(start) {
        case "z": return (0, 1 + extra)
        case "+", "-":
            guard let hours = tokens[start + 1]?.value, hours < 24, tokens.word(start + 2) == ":", let minutes = tokens[start + 3]?.value,
                minutes < 60
            else { return nil }
            return ((tokens.word(start) == "-" ? -1 : 1) * (hours * 3600 + minutes * 60), 4 + extra)
        default: return nil
        }
    }

    /// `in two hours`, `half an hour from now`: an instant, not a time on the clock.
    private func offset(at index: Int) -> TemporalPiece? {
        let hasIn = ["in", "within"].contains(tokens.word(index))
        let start = hasIn ? index + 1 : index
        guard let (seconds, length) = duration(at: start) else { return nil }
        let end = start + length
        if hasIn { return TemporalPiece(content: .offset(seconds), tokens: index..<end) }
        if tokens.word(end) == "later" { return TemporalPiece(content: .offset(seconds), tokens: index..<end + 1) }
        if tokens.word(end) == "from", tokens.word(end + 1) == "now" {
            return TemporalPiece(content: .offset(seconds), tokens: index..<end + 2)
        }
        return nil
    }

    private func duration(at index: Int) -> (seconds: Int, length: Int)? {
        if tokens.word(index) == "half", ["an", "a"].contains(tokens.word(index + 1)), tokens.word(index + 2) == "hour" {
            return (1800, 3)
        }
        guard let quantity = quantity(at: index), let unit = TemporalWords.clockUnits[tokens.word(index + quantity.length)],
            quantity.value <= 100_000
        else { return nil }
        let end = index + quantity.length + 1
        if unit == 3600, tokens.word(end) == "and", tokens.word(end + 1) == "a", tokens.word(end + 2) == "half" {
            return (quantity.value * unit + 1800, quantity.length + 4)
        }
        return (quantity.value * unit, quantity.length + 1)
    }

    /// `two`, `2`, `a`, `a couple of`.
    func quantity(at index: Int) -> NumberWords.Reading? {
        if let number = NumberWords.small(tokens, at: index) { return number }
        guard ["a", "an"].contains(tokens.word(index)) else { return nil }
        return NumberWords.spelled(tokens, at: index) ?? NumberWords.Reading(value: 1, length: 1)
    }
}
