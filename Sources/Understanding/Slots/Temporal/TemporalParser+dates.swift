extension TemporalParser {
    func date(at index: Int) -> TemporalPiece? {
        let readings = [
            slashed(at: index), named(at: index), dayThenMonth(at: index), relative(at: index), counted(at: index), weekday(at: index),
            span(at: index), holiday(at: index), ordinal(at: index),
        ]
        return readings.compactMap { $0 }.max { $0.tokens.count < $1.tokens.count }
    }

    private func piece(_ reading: DateReading, _ range: Range<Int>) -> TemporalPiece {
        TemporalPiece(content: .date(reading), tokens: range)
    }

    /// `28/11`, `11/28/2026`, `28.11.2026`, `28-11-26`.
    private func slashed(at index: Int) -> TemporalPiece? {
        guard let first = tokens[index]?.value, let separator = tokens[index + 1], separator.isGlued,
            ["/", ".", "-"].contains(separator.text),
            let second = tokens[index + 2], second.isGlued, let other = second.value, !isGluedToMore(index)
        else { return nil }
        let hasYear = tokens.word(index + 3) == separator.text && tokens[index + 3]?.isGlued == true && tokens[index + 4]?.value != nil
        guard hasYear || separator.text == "/" else { return nil }
        let year = hasYear ? tokens[index + 4].flatMap(Self.year) : nil
        if hasYear && year == nil { return nil }
        let end = index + (hasYear ? 5 : 3)
        let (byLocale, swapped) = dayFirst || separator.text == "." ? ((other, first), (first, other)) : ((first, other), (other, first))
        let preferred = calendarDay(year: year, month: byLocale.0, day: byLocale.1)
        let alternative = calendarDay(year: year, month: swapped.0, day: swapped.1)
        guard var reading = preferred ?? alternative else { return nil }
        reading.isDoubtful = preferred != nil && alternative != nil && preferred?.day != alternative?.day
        return piece(reading, index..<end)
    }

    private func isGluedToMore(_ index: Int) -> Bool {
        guard tokens[index]?.isGlued == true else { return false }
        return ["/", ".", "-", ":", ","].contains(tokens.word(index - 1)) || tokens[index - 1]?.kind == .word
    }

    private static func year(_ token: Token) -> Int? {
        guard let value = token.value else { return nil }
        switch token.text.count {
        case 4: return (1900...2199).contains(value) ? value : nil
        case 2: return 2000 + value
        default: return nil
        }
    }

    /// `Nov 28`, `November the 28th, 2026`.
    private func named(at index: Int) -> TemporalPiece? {
        guard let month = TemporalWords.months[tokens.word(index)] else { return nil }
        var next = index + 1
        if [".", ",", "/", "-"].contains(tokens.word(next)) { next += 1 }
        if tokens.word(next) == "the" { next += 1 }
        guard let day = NumberWords.ordinal(tokens, at: next) ?? NumberWords.small(tokens, at: next), (1...31).contains(day.value) else {
            return nil
        }
        // `May 5:30` is a month only by accident.
        if tokens.word(next + day.length) == ":" { return nil }
        let (year, end) = trailingYear(at: next + day.length)
        return calendarDay(year: year, month: month, day: day.value).map { piece($0, index..<end) }
    }

    /// `28 Nov`, `the 28th of November 2026`.
    private func dayThenMonth(at index: Int) -> TemporalPiece? {
        var next = tokens.word(index) == "the" ? index + 1 : index
        guard let day = NumberWords.ordinal(tokens, at: next) ?? NumberWords.small(tokens, at: next), (1...31).contains(day.value) else {
            return nil
        }
        next += day.length
        if ["of", "-", ".", "/"].contains(tokens.word(next)) { next += 1 }
        guard !["$", "€", "£"].contains(tokens.word(index - 1)), let month = TemporalWords.months[tokens.word(next)] else { return nil }
        // `5 may I`: the verb, not the month.
        if tokens.word(next) == "may", ["i", "we", "be"].contains(tokens.word(next + 1)) { return nil }
        let (year, end) = trailingYear(at: next + 1)
        return calendarDay(year: year, month: month, day: day.value).map { piece($0, index..<end) }
    }

    private func trailingYear(at index: Int) -> (Int?, Int) {
        var next = index
        if [",", "-", ".", "/", "in"].contains(tokens.word(next)) { next += 1 }
        guard let token = tokens[next], token.text.count == 4, let year = Self.year(token), tokens.word(next + 1) != ":" else {
            return (nil, index)
        }
        return (year, next + 1)
    }

    /// Without a year: the next such day, today included.
    private func calendarDay(year: Int?, month: Int, day: Int) -> DateReading? {
        if let year {
            guard let found = Day(year: year, month: month, day: day) else { return nil }
            return DateReading(day: found, isPast: found < today)
        }
        let thisYear = today.civil.year
        // Four years on at most: February 29th.
        for year in thisYear...thisYear + 8 {
            guard let found = Day(year: year, month: month, day: day), found >= today else { continue }
            // Most of a year ahead, the person may have meant the day just gone.
            return DateReading(day: found, isDoubtful: found.number - today.number > 300)
        }
        return nil
    }

    private func relative(at index: Int) -> TemporalPiece? {
        let words = (0..<4).map { tokens.word(index + $0) }
        let start = words[0] == "the" ? 1 : 0
        if words[start] == "day", words[start + 1] == "after", TemporalWords.relativeDays[words[start + 2]] == 1 {
            return piece(DateReading(day: today + 2), index..<index + start + 3)
        }
        if words[0] == "day", words[1] == "before", words[2] == "yesterday" {
            return piece(DateReading(day: today + -2, isPast: true), index..<index + 3)
        }
        guard let days = TemporalWords.relativeDays[words[0]] else { return nil }
        return piece(DateReading(day: today + days, isPast: days < 0), index..<index + 1)
    }

    /// `in 3 days`, `two weeks from now`, `a week from Friday`, `a week tomorrow`, `3 days ago`.
    private func counted(at index: Int) -> TemporalPiece? {
        let hasIn = ["in", "within"].contains(tokens.word(index))
        let start = hasIn ? index + 1 : index
        guard let quantity = quantity(at: start), quantity.value <= 1000 else { return nil }
        let unitIndex = start + quantity.length
        let unit = tokens.word(unitIndex)
        let months = ["month": 1, "months": 1, "year": 12, "years": 12][unit]
        guard months != nil || TemporalWords.dayUnits[unit] != nil else { return nil }
        func moved(_ base: Day) -> Day {
            months.map { base.adding(months: quantity.value * $0) } ?? base + quantity.value * (TemporalWords.dayUnits[unit] ?? 1)
        }
        let end = unitIndex + 1
        // A number of weeks ahead of something named: "in two weeks from Friday" is rare, "in two weeks" is not.
        if hasIn, !["from", "after"].contains(tokens.word(end)) {
            return piece(DateReading(day: moved(today)), index..<end + (["time"].contains(tokens.word(end)) ? 1 : 0))
        }
        switch tokens.word(end) {
        case "ago": return piece(DateReading(day: today + (today.number - moved(today).number), isPast: true), index..<end + 1)
        case "from", "after", "on":
            if tokens.word(end + 1) == "now" { return piece(DateReading(day: moved(today)), index..<end + 2) }
            guard let base = base(at: end + 1) else { return nil }
            return piece(DateReading(day: moved(base.day)), index..<end + 1 + base.length)
        case "later": return piece(DateReading(day: moved(today)), index..<end + 1)
        default:
            guard let base = base(at: end) else { return nil }
            return piece(DateReading(day: moved(base.day)), index..<end + base.length)
        }
    }

    /// The day from which weeks are counted.
    private func base(at index: Int) -> (day: Day, length: Int)? {
        let readings = [
            slashed(at: index), named(at: index), dayThenMonth(at: index), relative(at: index), weekday(at: index), holiday(at: index),
        ]
        guard let best = readings.compactMap({ $0 }).max(by: { $0.tokens.count < $1.tokens.count }), case .date(let date) = best.content
        else { return nil }
        return (date.day, best.tokens.count)
    }

    /// The next such weekday, today included.
    private func coming(_ weekday: Int) -> Day { today + (weekday - today.weekday + 7) % 7 }

    /// `Friday`, `next Tuesday`, `this Sunday`, `last Monday`, `Tuesday week`, `Friday next week`.
    private func weekday(at index: Int) -> TemporalPiece? {
        let modifiers: Set<String> = ["next", "this", "coming", "last", "past", "following", "nxt"]
        let modifier = modifiers.contains(tokens.word(index)) ? tokens.word(index) : nil
        let place = modifier == nil ? index : index + 1
        guard let weekday = TemporalWords.weekdays[tokens.word(place)] else { return nil }
        let isProper =
            modifier != nil || !TemporalWords.doubtfulWeekdays.contains(tokens.word(place))
            || ["on", "for", "by"].contains(tokens.word(index - 1))
        let end = place + (tokens.word(place + 1) == "." && tokens[place + 2] != nil ? 2 : 1)
        if let dated = datedWeekday(weekday, at: end) { return piece(DateReading(day: dated.day), index..<end + dated.length) }
        let thisWeek = today + (weekday - today.weekday)
        switch modifier {
        case "last", "past": return piece(DateReading(day: coming(weekday) + -7, weekday: weekday, isPast: true), index..<end)
        case "next", "nxt", "following":
            // Of the next calendar week; doubtful while the one of this week is still to come.
            return piece(DateReading(day: thisWeek + 7, isDoubtful: thisWeek > today, weekday: weekday), index..<end)
        case "coming": return piece(DateReading(day: coming(weekday) == today ? today + 7 : coming(weekday), weekday: weekday), index..<end)
        default: break
        }
        if tokens.word(end) == "week" { return piece(DateReading(day: coming(weekday) + 7, weekday: weekday), index..<end + 1) }
        if tokens.word(end) == "next", ["week", "wk"].contains(tokens.word(end + 1)) {
            return piece(DateReading(day: thisWeek + 7, weekday: weekday), index..<end + 2)
        }
        // Said on that very weekday it is today or in a week.
        let isToday = coming(weekday) == today
        return piece(DateReading(day: coming(weekday), isDoubtful: isToday, weekday: weekday, isWeak: !isProper), index..<end)
    }

    /// `Monday the 27th`, `Friday 13`: the next day that is both. A bare number up to twelve is rather a time, unless it fits this
    /// very week.
    private func datedWeekday(_ weekday: Int, at index: Int) -> (day: Day, length: Int)? {
        let start = [",", "the"].contains(tokens.word(index)) ? index + 1 : index
        let ordinal = NumberWords.ordinal(tokens, at: start)
        guard let number = ordinal ?? NumberWords.small(tokens, at: start), (1...31).contains(number.value) else { return nil }
        let end = start + number.length
        let isMore =
            [":", ".", "/", "-", "h", "am", "pm", "a", "p", "of", "o'clock", "oclock", "%"].contains(tokens.word(end))
            || TemporalWords.months[tokens.word(end)] != nil || TemporalWords.counted.contains(tokens.word(end))
            || ["past", "to", "thirty", "fifteen"].contains(tokens.word(end))
        if isMore && ordinal == nil || TemporalWords.months[tokens.word(end)] != nil || tokens.word(end) == "of" { return nil }
        let nearest = coming(weekday)
        if ordinal == nil, number.value <= 12 || tokens.word(start).count > 2, nearest.civil.day != number.value { return nil }
        for week in 0..<60 where (nearest + week * 7).civil.day == number.value { return (nearest + week * 7, end - index) }
        return nil
    }

    /// `next week`, `this weekend`, `next month`.
    private func span(at index: Int) -> TemporalPiece? {
        let start = tokens.word(index) == "the" ? index + 1 : index
        let isNext = ["next", "nxt", "following", "coming"].contains(tokens.word(start))
        let hasModifier = isNext || ["this", "the"].contains(tokens.word(start))
        let place = hasModifier ? start + 1 : start
        let monday = today + -today.weekday
        let found: DaySpan? =
            switch tokens.word(place) {
            case "week", "wk":
                hasModifier ? (isNext ? DaySpan(from: monday + 7, to: monday + 13) : DaySpan(from: today, to: monday + 6)) : nil
            case "weekend":
                isNext ? DaySpan(from: monday + 12, to: monday + 13) : DaySpan(from: max(today, monday + 5), to: monday + 6)
            case "month": hasModifier ? month(isNext ? 1 : 0) : nil
            default: nil
            }
        return found.map { TemporalPiece(content: .span($0), tokens: index..<place + 1) }
    }

    private func month(_ later: Int) -> DaySpan? {
        let (year, month, _) = today.adding(months: later).civil
        guard let first = Day(year: year, month: month, day: 1) else { return nil }
        return DaySpan(from: max(first, today), to: first + (Day.length(ofMonth: month, year: year) - 1))
    }

    private func holiday(at index: Int) -> TemporalPiece? {
        for length in [3, 2, 1] {
            let words = (0..<length).map { tokens.word(index + $0) }
            guard let (month, day) = TemporalWords.holidays[words], let reading = calendarDay(year: nil, month: month, day: day) else {
                continue
            }
            return piece(DateReading(day: reading.day), index..<index + length)
        }
        return nil
    }

    /// `on the 3rd`, `the twenty-first`: the next such day of a month.
    private func ordinal(at index: Int) -> TemporalPiece? {
        let start = tokens.word(index) == "the" ? index + 1 : index
        guard let day = NumberWords.ordinal(tokens, at: start), (1...31).contains(day.value) else { return nil }
        let end = start + day.length
        let others: Set<String> = [
            "one", "option", "choice", "floor", "street", "avenue", "time", "half", "slot", "date", "of", "item", "person",
        ]
        guard !others.contains(tokens.word(end)) else { return nil }
        let isWord = tokens[start]?.kind == .word
        let isOn = tokens.word(index - 1) == "on" || tokens.word(index - 1) == "for"
        if isWord, !isOn, !isAsked { return nil }
        for later in 0...3 {
            let (year, month, _) = today.adding(months: later).civil
            guard let found = Day(year: year, month: month, day: day.value), found >= today else { continue }
            return piece(DateReading(day: found, isWeak: !isOn), index..<end)
        }
        return nil
    }
}
