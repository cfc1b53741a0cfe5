/// The names of days, months and times of day, with their usual short forms and slips.
enum TemporalWords {
    static let weekdays: [String: Int] = [
        "monday": 0, "mon": 0, "mondays": 0, "tuesday": 1, "tue": 1, "tues": 1, "teusday": 1, "tuseday": 1, "wednesday": 2, "wed": 2,
        "weds": 2, "wensday": 2, "wednsday": 2, "wedensday": 2, "thursday": 3, "thu": 3, "thur": 3, "thurs": 3, "thrusday": 3,
        "friday": 4, "fri": 4, "firday": 4, "saturday": 5, "sat": 5, "saterday": 5, "satruday": 5, "sunday": 6, "sun": 6,
    ]
    /// Short forms that are also ordinary words: dates only after `on`, `next` and the like, or beside another piece.
    static let doubtfulWeekdays: Set<String> = ["sun", "sat", "wed", "mon"]
    static let months: [String: Int] = [
        "january": 1, "jan": 1, "february": 2, "feb": 2, "febuary": 2, "march": 3, "mar": 3, "april": 4, "apr": 4, "may": 5, "june": 6,
        "jun": 6, "july": 7, "jul": 7, "august": 8, "aug": 8, "september": 9, "sep": 9, "sept": 9, "october": 10, "oct": 10,
        "november": 11, "nov": 11, "december": 12, "dec": 12,
    ]
    static let relativeDays: [String: Int] = [
        "today": 0, "tonight": 0, "tonite": 0, "tomorrow": 1, "tomorow": 1, "tommorow": 1, "tommorrow": 1, "tomorrrow": 1, "tmrw": 1,
        "tmr": 1,
        "tmw": 1, "tom": 1, "2morrow": 1, "yesterday": -1,
    ]
    static let holidays: [[String]: (month: Int, day: Int)] = [
        ["christmas", "eve"]: (12, 24), ["christmas", "day"]: (12, 25), ["christmas"]: (12, 25), ["boxing", "day"]: (12, 26),
        ["new", "year's", "eve"]: (12, 31), ["new", "years", "eve"]: (12, 31), ["new", "year's", "day"]: (1, 1),
        ["new", "years", "day"]: (1, 1), ["valentine's", "day"]: (2, 14), ["valentines", "day"]: (2, 14), ["halloween"]: (10, 31),
    ]
    static let parts: [String: DayPart] = [
        "morning": .morning, "mornin": .morning, "afternoon": .afternoon, "arvo": .afternoon, "evening": .evening, "eve": .evening,
        "night": .night, "tonight": .night, "tonite": .night,
    ]
    static let dayUnits: [String: Int] = ["day": 1, "days": 1, "week": 7, "weeks": 7, "wk": 7, "wks": 7, "fortnight": 14]
    static let clockUnits: [String: Int] = [
        "second": 1, "seconds": 1, "sec": 1, "secs": 1, "minute": 60, "minutes": 60, "min": 60, "mins": 60, "hour": 3600, "hours": 3600,
        "hr": 3600, "hrs": 3600, "h": 3600,
    ]
    /// Before a time that is only roughly meant.
    static let vague: Set<String> = [
        "around", "about", "after", "before", "by", "approximately", "roughly", "circa", "between", "from", "till", "until", "past", "ish",
    ]
    /// After a number: it counts something and is no time.
    static let counted: Set<String> = [
        "people", "persons", "person", "guests", "adults", "kids", "children", "percent", "dollars", "dollar", "bucks", "euros", "euro",
        "pounds", "quid", "minutes", "minute", "mins", "min", "hours", "hour", "hrs", "days", "day", "weeks", "week", "months", "month",
        "years", "year", "times", "time", "of", "more", "pieces", "tickets", "rooms", "tables", "seats", "street", "st", "avenue", "road",
        "x", "k", "kg", "km", "options", "haircuts", "services", "bookings", "appointments",
    ]
}
