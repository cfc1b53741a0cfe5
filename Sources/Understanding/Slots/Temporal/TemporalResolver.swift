internal import Conversation

/// Turns an expression and what was known before into a value of a parameter, or says what is wrong with it.
struct TemporalResolver {
    let kind: EntityKind
    let name: String
    let reference: Timestamp
    let clock: ZonedClock
    let hours: OpeningHours?
    /// What was collected for this parameter before.
    let prior: PriorMoment

    init(_ parameter: ParameterDefinition, request: SlotRequest, clock: ZonedClock) {
        kind = parameter.entity
        name = parameter.name
        reference = request.reference
        self.clock = clock
        hours = OpeningHours(request.openingHours[parameter.name])
        prior = PriorMoment(request.collected[parameter.name], kind: parameter.entity, clock: clock)
    }

    func entity(_ expression: TemporalExpression, raw: String) -> Entity {
        switch kind {
        case .date: date(expression, raw: raw)
        case .time: time(expression, raw: raw)
        case .choice, .datetime, .number, .money, .phone, .email, .text, .url: moment(expression, raw: raw)
        }
    }

    private var now: (day: Day, minutes: Int) { clock.local(reference) }

    private func made(
        _ raw: String, value: String? = nil, known: [String: JSONValue] = [:], problem: SlotProblem? = nil, isDoubtful: Bool = false
    ) -> Entity {
        Entity(
            name: name, kind: kind, value: value.map(JSONValue.string), partial: known.isEmpty ? JSONValue?.none : JSONValue.object(known),
            raw: raw,
            confidence: isDoubtful ? 0.75 : 0.95, needsConfirmation: isDoubtful, problem: problem)
    }

    private func moment(_ expression: TemporalExpression, raw: String) -> Entity {
        if let seconds = expression.absolute { return judged(Timestamp(seconds: Int64(seconds)), raw: raw, isDoubtful: false) }
        if let seconds = expression.offset {
            let minutes = (reference.milliseconds + Int64(seconds) * 1000) / 60_000
            return judged(Timestamp(seconds: minutes * 60), raw: raw, isDoubtful: false)
        }
        let date = prior.date(for: expression)
        let time = prior.time(for: expression)
        let part = expression.part ?? (expression.time == nil && expression.date != nil && expression.span == nil ? nil : prior.part)
        guard let date else { return withoutDay(expression, time: time, part: part, raw: raw) }
        guard let time else { return withoutTime(date, part: part, raw: raw) }
        return whole(date, time, part: part, raw: raw, isDoubtful: expression.isDoubtful)
    }

    private func withoutDay(_ expression: TemporalExpression, time: ClockReading?, part: DayPart?, raw: String) -> Entity {
        var known = span(expression.span ?? prior.span)
        if let time {
            known.merge(PriorMoment.partial(time, part: part)) { $1 }
        } else if let part {
            known["part"] = .string(part.rawValue)
        }
        return made(raw, known: known, problem: .incomplete(missing: "date"))
    }

    private func span(_ span: DaySpan?) -> [String: JSONValue] {
        guard let span else { return [:] }
        return ["from": .string(span.from.iso), "to": .string(span.to.iso)]
    }

    private func withoutTime(_ date: DateReading, part: DayPart?, raw: String) -> Entity {
        var known: [String: JSONValue] = ["date": .string(date.day.iso)]
        if let part { known["part"] = .string(part.rawValue) }
        if date.isPast || date.day < now.day { return made(raw, known: known, problem: .past) }
        if let hours, hours.hours(date.day).isEmpty {
            return made(raw, known: known, problem: .closed(day: OpeningHours.names[date.day.weekday], hours: []))
        }
        return made(raw, known: known, problem: .incomplete(missing: "time"), isDoubtful: date.isDoubtful)
    }

    private func whole(_ date: DateReading, _ time: ClockReading, part: DayPart?, raw: String, isDoubtful: Bool) -> Entity {
        let (minutes, isGuess) = minutes(time, part: part, day: date.day, isNamed: date.weekday != nil)
        var day = date.day
        // The small hours of a night belong to the next day; so does the midnight that today ends with.
        if minutes < 300, part == .night || minutes == 0 && day == now.day { day = day + 1 }
        // `Friday at 9` said on a Friday at ten means the next one.
        if date.weekday != nil, !date.isPast, day == now.day, minutes <= now.minutes { day = day + 7 }
        let known: [String: JSONValue] = ["date": .string(day.iso), "time": .string(Digits.clock(minutes))]
        if date.isPast { return made(raw, known: known, problem: .past) }
        let doubt = isDoubtful || isGuess || date.isDoubtful || time.isVague
        switch clock.instant(day, minutes: minutes) {
        case .never: return made(raw, known: known, problem: .nonexistent)
        case .twice(let instant): return judged(instant, raw: raw, isDoubtful: true)
        case .one(let instant): return judged(instant, raw: raw, isDoubtful: doubt)
        }
    }

    /// Refuses what is past or closed; what was understood is kept, so that a correction can build on it.
    private func judged(_ instant: Timestamp, raw: String, isDoubtful: Bool) -> Entity {
        let (day, minutes) = clock.local(instant)
        let known: [String: JSONValue] = ["date": .string(day.iso), "time": .string(Digits.clock(minutes))]
        if instant <= reference { return made(raw, known: known, problem: .past) }
        if let hours, !hours.isOpen(day, minutes: minutes) {
            return made(raw, known: known, problem: .closed(day: OpeningHours.names[day.weekday], hours: hours.hours(day)))
        }
        return made(raw, value: instant.description, isDoubtful: isDoubtful)
    }

    private func date(_ expression: TemporalExpression, raw: String) -> Entity {
        if let seconds = expression.absolute ?? expression.offset.map({ $0 + Int(reference.milliseconds / 1000) }) {
            return made(raw, value: clock.local(Timestamp(seconds: Int64(seconds))).day.iso)
        }
        guard let date = prior.date(for: expression) else {
            return made(raw, known: span(expression.span ?? prior.span), problem: .incomplete(missing: "date"))
        }
        let known: [String: JSONValue] = ["date": .string(date.day.iso)]
        if date.isPast || date.day < now.day { return made(raw, known: known, problem: .past) }
        if let hours, hours.hours(date.day).isEmpty {
            return made(raw, known: known, problem: .closed(day: OpeningHours.names[date.day.weekday], hours: []))
        }
        return made(raw, value: date.day.iso, isDoubtful: date.isDoubtful || expression.isDoubtful)
    }

    private func time(_ expression: TemporalExpression, raw: String) -> Entity {
        if let seconds = expression.absolute ?? expression.offset.map({ $0 + Int(reference.milliseconds / 1000) }) {
            return made(raw, value: Digits.clock(clock.local(Timestamp(seconds: Int64(seconds))).minutes))
        }
        guard let time = expression.time ?? prior.time(for: expression) else {
            let known: [String: JSONValue] = (expression.part ?? prior.part).map { ["part": .string($0.rawValue)] } ?? [:]
            return made(raw, known: known, problem: .incomplete(missing: "time"))
        }
        let (minutes, isGuess) = minutes(time, part: expression.part ?? prior.part, day: nil)
        return made(raw, value: Digits.clock(minutes), isDoubtful: isGuess || time.isVague || expression.isDoubtful)
    }

    /// The half of the day: said, or told by the part of the day, the opening hours or what is still to come today; else the usual
    /// one, in doubt.
    private func minutes(_ time: ClockReading, part: DayPart?, day: Day?, isNamed: Bool = false) -> (minutes: Int, isGuess: Bool) {
        if time.hasHalf { return (time.minutes, false) }
        if let part { return (part.minutes(time), false) }
        let morning = time.minutes % 720
        var candidates = [morning, morning + 720]
        if let day, let hours {
            let open = candidates.filter { hours.isOpen(day, minutes: $0) }
            if !open.isEmpty { candidates = open }
        }
        // A weekday's name may also mean the one in a week, so what is left of today decides nothing.
        if day == now.day, !isNamed {
            let coming = candidates.filter { $0 > now.minutes }
            if !coming.isEmpty { candidates = coming }
        }
        if candidates.count == 1 { return (candidates[0], false) }
        let isAfternoon = morning < 420
        return (isAfternoon ? morning + 720 : morning, true)
    }
}

/// What is known of a moment from earlier messages.
struct PriorMoment {
    var day: Day?
    var span: DaySpan?
    var clock: ClockReading?
    var part: DayPart?

    init(_ entity: Entity?, kind: EntityKind, clock zone: ZonedClock) {
        guard let entity else { return }
        if let value = entity.value?.string {
            if let instant = Timestamp(value) {
                let (day, minutes) = zone.local(instant)
                self.day = day
                clock = ClockReading(minutes: minutes, hasHalf: true)
            } else if let day = Day(iso: value) {
                self.day = day
            } else if let minutes = Digits.minutes(value) {
                clock = ClockReading(minutes: minutes, hasHalf: true)
            }
        }
        guard let partial = entity.partial else { return }
        day = day ?? partial["date"]?.string.flatMap { Day(iso: $0) }
        if clock == nil, let minutes = partial["time"]?.string.flatMap({ Digits.minutes($0) }) {
            clock = ClockReading(minutes: minutes, hasHalf: partial["half"]?.string != "unknown")
        }
        part = partial["part"]?.string.flatMap(DayPart.init(rawValue:))
        if let from = partial["from"]?.string.flatMap({ Day(iso: $0) }), let to = partial["to"]?.string.flatMap({ Day(iso: $0) }) {
            span = DaySpan(from: from, to: to)
        }
    }

    /// How a time without a day is kept: `{"time":"05:00","half":"unknown"}` as long as it may be morning or afternoon.
    static func partial(_ time: ClockReading, part: DayPart?) -> [String: JSONValue] {
        if time.hasHalf { return ["time": .string(Digits.clock(time.minutes))] }
        if let part { return ["time": .string(Digits.clock(part.minutes(time)))] }
        return ["time": .string(Digits.clock(time.minutes)), "half": "unknown"]
    }

    func date(for expression: TemporalExpression) -> DateReading? {
        if let date = expression.date {
            if let span, let inside = TemporalExpression.within(span, date) { return inside }
            return date
        }
        return expression.span == nil ? day.map { DateReading(day: $0) } : nil
    }

    func time(for expression: TemporalExpression) -> ClockReading? {
        if let time = expression.time { return time }
        // A new part of the day contradicts a time outside it.
        guard let clock, let part = expression.part else { return clock }
        return clock.hasHalf && part.minutes(ClockReading(minutes: clock.minutes, hasHalf: false)) != clock.minutes ? nil : clock
    }
}
