extension TemporalParser {
    struct TimeMatch {
        var reading: ClockReading
        var length: Int
        var isWeak = false
    }

    func time(at index: Int) -> TemporalPiece? {
        guard let match = range(at: index) ?? spoken(at: index) ?? single(at: index) else { return nil }
        var reading = match.reading
        if TemporalWords.vague.contains(tokens.word(index - 1)) || tokens.word(index + match.length) == "ish" { reading.isVague = true }
        return TemporalPiece(content: .time(reading), tokens: index..<index + match.length, isWeak: match.isWeak)
    }

    /// `between 2 and 4`, `from 2 to 4pm`, `2-4pm`: the beginning, as a wish.
    private func range(at index: Int) -> TimeMatch? {
        let isOpened = ["between", "from"].contains(tokens.word(index))
        let start = isOpened ? index + 1 : index
        guard let first = colonTime(at: start) ?? hour(at: start),
            ["and", "to", "-", "till", "until"].contains(tokens.word(start + first.length)),
            let second = colonTime(at: start + first.length + 1) ?? hour(at: start + first.length + 1)
        else { return nil }
        // Without an opening word both ends must look like times, or `2-4` of anything would be one.
        guard isOpened || second.reading.hasHalf && second.reading.minutes != 0 else { return nil }
        let end = start + first.length + 1 + second.length
        guard !TemporalWords.counted.contains(tokens.word(end)), tokens.word(end) != "-", tokens.word(end) != "/" else { return nil }
        var reading = first.reading
        if !reading.hasHalf, second.reading.hasHalf, second.reading.minutes >= 720 {
            let later = reading.minutes % 720 + 720
            reading = ClockReading(minutes: later < second.reading.minutes ? later : reading.minutes, hasHalf: true)
        }
        reading.isVague = true
        return TimeMatch(reading: reading, length: end - index, isWeak: !reading.hasHalf && !second.reading.hasHalf && !isOpened)
    }

    /// Noon and midnight, `half past four`, `quarter to 5`, `ten past six`, `five o'clock`.
    private func spoken(at index: Int) -> TimeMatch? {
        switch tokens.word(index) {
        case "noon", "midday", "lunchtime":
            return TimeMatch(reading: ClockReading(minutes: 720, hasHalf: true, isVague: tokens.word(index) == "lunchtime"), length: 1)
        case "midnight": return TimeMatch(reading: ClockReading(minutes: 0, hasHalf: true), length: 1)
        case "half": return halfPast(at: index)
        default: break
        }
        let start = tokens.word(index) == "a" ? index + 1 : index
        var amount: Int?
        var next = start
        if tokens.word(start) == "quarter" {
            (amount, next) = (15, start + 1)
        } else if let number = NumberWords.small(tokens, at: start), (1..<60).contains(number.value) {
            (amount, next) = (number.value, start + number.length)
            if ["minutes", "mins", "min"].contains(tokens.word(next)) { next += 1 }
        }
        guard let amount else { return nil }
        let sign: Int
        switch tokens.word(next) {
        case "past": sign = 1
        case "after": sign = tokens.word(start) == "quarter" ? 1 : 0
        case "to", "till", "of", "before": sign = tokens.word(start) == "quarter" || tokens.word(next) == "to" && amount % 5 == 0 ? -1 : 0
        default: sign = 0
        }
        guard sign != 0, let hour = hour(at: next + 1) ?? noonHour(at: next + 1), hour.reading.minutes % 60 == 0 else { return nil }
        // `10 to 12` is a span unless minutes are plainly meant.
        if sign < 0, tokens[start]?.kind == .number, tokens.word(next - 1) != "minutes", tokens.word(next - 1) != "mins", !isAfterAt(index)
        {
            return nil
        }
        return TimeMatch(reading: shifted(hour.reading, by: sign * amount), length: next + 1 + hour.length - index)
    }

    private func halfPast(at index: Int) -> TimeMatch? {
        let isPast = tokens.word(index + 1) == "past"
        guard let hour = hour(at: index + (isPast ? 2 : 1)), hour.reading.minutes % 60 == 0,
            isPast || tokens[index + 1]?.kind == .word || isAfterAt(index)
        else { return nil }
        return TimeMatch(reading: shifted(hour.reading, by: 30), length: hour.length + (isPast ? 2 : 1))
    }

    private func noonHour(at index: Int) -> TimeMatch? {
        ["noon", "midday", "midnight"].contains(tokens.word(index)) ? spoken(at: index) : nil
    }

    private func isAfterAt(_ index: Int) -> Bool { ["at", "@", "by", "around", "about"].contains(tokens.word(index - 1)) }

    private func shifted(_ clock: ClockReading, by minutes: Int) -> ClockReading {
        // On the twelve-hour dial a quarter to one is a quarter past twelve's neighbour, still without a half of the day.
        let dial = clock.hasHalf ? 1440 : 720
        var value = (clock.minutes + minutes + dial) % dial
        if !clock.hasHalf, value < 60 { value += 720 }
        return ClockReading(minutes: value, hasHalf: clock.hasHalf)
    }

    private func single(at index: Int) -> TimeMatch? {
        if let colon = colonTime(at: index) { return colon }
        if let military = military(at: index) { return military }
        let previous = tokens.word(index - 1)
        guard let hour = hour(at: index) else { return nil }
        if !hour.isWeak { return hour }
        if let token = tokens[index], token.isGlued, token.kind == .number, previous != "@" { return nil }
        if let minutes = wordMinutes(at: index, hour: hour) { return minutes }
        guard isBareTime(index, length: hour.length) else { return nil }
        let isStrong = previous == "at" || previous == "@"
        return TimeMatch(reading: hour.reading, length: hour.length, isWeak: !isStrong)
    }

    /// A bare number counts as a time only where nothing else is counted with it.
    private func isBareTime(_ index: Int, length: Int) -> Bool {
        let next = tokens.word(index + length)
        if TemporalWords.counted.contains(next) || ["%", "$", "€", "£", "/", "-", "+", ":"].contains(next) { return false }
        if next == "." || next == ",", tokens[index + length]?.isGlued == true, tokens[index + length + 1]?.isGlued == true { return false }
        if ["$", "€", "£", "#", "+", "/", "-", ".", "number", "option", "no"].contains(tokens.word(index - 1)) { return false }
        if tokens[index]?.kind == .word, tokens.word(index) == "one", !isAfterAt(index) { return false }
        return isAsked || isAfterAt(index) || isLoneNumber(index, length: length)
    }

    /// `tomorrow 5`, `friday 10 please`: at the end of a phrase.
    private func isLoneNumber(_ index: Int, length: Int) -> Bool {
        let next = tokens[index + length]
        let isEnd =
            next == nil || next?.kind == .symbol
            || ["please", "pls", "plz", "thanks", "tomorrow", "on", "today", "in", "then", "instead"].contains(next?.text ?? "")
        let previous = tokens.word(index - 1)
        return isEnd
            && (TemporalWords.weekdays[previous] != nil || TemporalWords.relativeDays[previous] != nil
                || TemporalWords.vague.contains(previous)
                || previous == "it" || previous == "," || TemporalWords.relativeDays[next?.text ?? ""] != nil)
    }

    /// `5:30`, `17.30`, `5.30pm`, `17h30`.
    func colonTime(at index: Int) -> TimeMatch? {
        guard let token = tokens[index], token.kind == .number, token.text.count <= 2, let hour = token.value, hour <= 24,
            let separator = tokens[index + 1], separator.isGlued, [":", ".", "h"].contains(separator.text),
            let minuteToken = tokens[index + 2], minuteToken.isGlued, minuteToken.text.count == 2, let minute = minuteToken.value,
            minute < 60,
            hour < 24 || minute == 0
        else { return nil }
        var length = 3
        if tokens.word(index + 3) == ":", tokens[index + 4]?.text.count == 2 { length = 5 }
        if let half = half(at: index + length), (1...12).contains(hour) {
            let minutes = (hour % 12 + (half.isAfternoon ? 12 : 0)) * 60 + minute
            return TimeMatch(reading: ClockReading(minutes: minutes, hasHalf: true), length: length + half.length)
        }
        // A point is a time only where a time is due: `at 5.30`, or when it was asked for.
        if separator.text == "." {
            guard isAsked || isAfterAt(index), tokens.word(index + 3) != "." || tokens[index + 4] == nil else { return nil }
        }
        let isTwentyFour = hour == 0 || hour > 12 || token.text.count == 2 && token.text.hasPrefix("0")
        return TimeMatch(reading: ClockReading(minutes: hour % 24 * 60 + minute, hasHalf: isTwentyFour), length: length)
    }

    /// `5`, `five`, `5pm`, `5 p.m.`, `five o'clock`, `17h`.
    private func hour(at index: Int) -> TimeMatch? {
        guard let number = NumberWords.small(tokens, at: index), (0...24).contains(number.value),
            tokens.word(index).count <= 2 || tokens[index]?.kind == .word
        else { return nil }
        var length = number.length
        if ["o'clock", "oclock"].contains(tokens.word(index + length)) {
            length += 1
        } else if tokens.word(index + length) == "o", tokens.word(index + length + 1) == "clock" {
            length += 2
        }
        let isClock = length > number.length
        if (1...12).contains(number.value), let half = half(at: index + length) {
            let minutes = (number.value % 12 + (half.isAfternoon ? 12 : 0)) * 60
            return TimeMatch(reading: ClockReading(minutes: minutes, hasHalf: true), length: length + half.length)
        }
        let hasUnit = tokens.word(index + length) == "h" && tokens[index + length]?.isGlued == true
        if hasUnit { length += 1 }
        let hasHalf = number.value == 0 || number.value > 12
        if isClock, let part = TemporalWords.parts[tokens.word(index + length)] {
            let minutes = part.minutes(ClockReading(minutes: number.value * 60, hasHalf: false))
            return TimeMatch(reading: ClockReading(minutes: minutes, hasHalf: true), length: length)
        }
        return TimeMatch(
            reading: ClockReading(minutes: number.value % 24 * 60, hasHalf: hasHalf), length: length,
            isWeak: !isClock && !(hasUnit && hasHalf))
    }

    /// `am`, `p.m.`, `in the evening` is read as a part of the day instead.
    private func half(at index: Int) -> (isAfternoon: Bool, length: Int)? {
        switch tokens.word(index) {
        case "am": return (false, 1)
        case "pm": return (true, 1)
        case "a", "p":
            let isAfternoon = tokens.word(index) == "p"
            if tokens.word(index + 1) == ".", tokens.word(index + 2) == "m" { return (isAfternoon, tokens.word(index + 3) == "." ? 4 : 3) }
            if tokens.word(index + 1) == "m" { return (isAfternoon, 2) }
            // `9p`, written in one.
            return tokens[index]?.isGlued == true && tokens[index - 1]?.kind == .number ? (isAfternoon, 1) : nil
        default: return nil
        }
    }

    /// `five thirty`, `ten fifteen pm`.
    private func wordMinutes(at index: Int, hour: TimeMatch) -> TimeMatch? {
        let start = index + hour.length + (tokens.word(index + hour.length) == "-" ? 1 : 0)
        guard tokens[index]?.kind == .word, let minute = NumberWords.small(tokens, at: start), tokens[start]?.kind == .word,
            (10..<60).contains(minute.value), (1...12).contains(hour.reading.minutes / 60)
        else { return nil }
        let length = start - index + minute.length
        let base = hour.reading.minutes / 60
        if let half = half(at: index + length) {
            let minutes = (base % 12 + (half.isAfternoon ? 12 : 0)) * 60 + minute.value
            return TimeMatch(reading: ClockReading(minutes: minutes, hasHalf: true), length: length + half.length)
        }
        return TimeMatch(
            reading: ClockReading(minutes: base * 60 + minute.value, hasHalf: false), length: length, isWeak: !isAfterAt(index))
    }

    /// `1730 hrs`, `at 0915`.
    private func military(at index: Int) -> TimeMatch? {
        guard let token = tokens[index], token.text.count == 4, let value = token.value, value / 100 < 24, value % 100 < 60 else {
            return nil
        }
        let hasUnit = ["hrs", "hours", "h"].contains(tokens.word(index + 1))
        guard hasUnit || isAfterAt(index) else { return nil }
        return TimeMatch(reading: ClockReading(minutes: value / 100 * 60 + value % 100, hasHalf: true), length: hasUnit ? 2 : 1)
    }
}
