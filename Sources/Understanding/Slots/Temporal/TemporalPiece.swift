/// A part of the day as people name it.
enum DayPart: String, Sendable, Hashable {
    case morning, afternoon, evening, night

    /// Which reading of an hour on a twelve-hour clock the part means.
    func minutes(_ clock: ClockReading) -> Int {
        let hour = clock.minutes / 60 % 12
        let minute = clock.minutes % 60
        let isAfternoon: Bool =
            switch self {
            case .morning: false
            case .afternoon: true
            case .evening: hour != 0
            case .night: (6...11).contains(hour)
            }
        return (hour + (isAfternoon ? 12 : 0)) * 60 + minute
    }
}

/// A time on the clock, perhaps without saying which half of the day.
struct ClockReading: Sendable, Hashable {
    /// Since midnight; of an hour without am or pm its written form, so `5` is 300.
    var minutes: Int
    var hasHalf: Bool
    /// `around 5`, `after 5`: a wish, not an appointment.
    var isVague = false
}

struct DateReading: Sendable, Hashable {
    var day: Day
    /// The person may well mean another day: `3/4`, `next Tuesday` on a Monday.
    var isDoubtful = false
    /// Read from a day's name alone, so a fuller date beside it is the same day.
    var weekday: Int?
    /// Read from `3rd` alone: a date only in the right company.
    var isWeak = false
    /// Said to be in the past: `yesterday`, `last Friday`, a year gone by.
    var isPast = false
}

/// A span of days such as `next week`, of which one is still to be named.
struct DaySpan: Sendable, Hashable {
    var from: Day
    var to: Day
}

/// What a few words say about when.
struct TemporalPiece: Sendable, Hashable {
    enum Content: Sendable, Hashable {
        case date(DateReading)
        case span(DaySpan)
        case time(ClockReading)
        case part(DayPart)
        /// Seconds from the reference.
        case offset(Int)
        /// An instant with its zone, in seconds since 1970.
        case absolute(Int)
    }

    var content: Content
    var tokens: Range<Int>
    /// A time read from a bare number, valid only beside a date or when asked for.
    var isWeak = false
}
