/// Everyday words that mean the same in a request, so that a few examples cover many ways of saying it. Opposites never share a concept.
enum Concepts {
    private static let groups: [String: [String]] = [
        "book": ["book", "reserve", "schedule", "arrange", "rebook", "prebook"],
        "appointment": ["appointment", "appt", "booking", "reservation", "visit", "slot", "bookings", "session"],
        "cancel": ["cancel", "cancellation", "scrap", "revoke", "withdraw", "canceling", "cancelling", "cancelled", "canceled"],
        "change": [
            "change", "move", "reschedule", "shift", "postpone", "rearrange", "modify", "alter", "amend", "delay", "edit", "update",
            "correct", "push",
        ],
        "show": ["show", "list", "see", "view", "display", "check", "review", "browse"],
        "find": ["find", "search", "look", "looking", "seek", "seeking", "hunt"],
        "price": ["price", "cost", "fee", "charge", "pricing", "pricelist", "tariff", "much", "expensive", "cheap", "costs"],
        "pay": ["pay", "payment", "settle", "paying"], "refund": ["refund", "reimburse", "reimbursement", "moneyback"],
        "buy": ["buy", "order", "purchase", "ordering", "buying"], "status": ["status", "track", "tracking", "progress", "whereabouts"],
        "send": ["send", "transfer", "wire", "remit"], "hours": ["hour", "open", "opening", "close", "closing", "closed"],
        "place": ["where", "address", "location", "located", "direction", "parking"], "help": ["help", "assist", "assistance", "support"],
        "job": ["job", "vacancy", "position", "role", "opening", "career", "employment"],
        "apply": ["apply", "application", "applying", "candidate"],
        "free": ["available", "availability", "free", "vacant"], "delete": ["delete", "remove", "erase", "drop"],
        "add": ["add", "create", "register", "include"], "start": ["start", "begin", "activate", "enable", "launch", "switch"],
        "bill": ["bill", "invoice", "receipt", "statement"], "play": ["play", "listen", "hear"], "picture": ["picture", "photo", "image"],
        "weather": ["weather", "forecast", "rain", "sunny", "temperature", "snow"], "alarm": ["alarm", "wake"],
        "remind": ["remind", "reminder", "remember"], "mail": ["email", "mail", "inbox", "emails"], "news": ["news", "headline"],
        "like": ["like", "love", "enjoy"], "tell": ["tell", "say", "explain", "describe"],
    ]

    /// Stem → concept.
    static let byStem: [String: String] = {
        var result: [String: String] = [:]
        for (concept, words) in groups {
            for word in words { result[Words.stem(word)] = concept }
        }
        return result
    }()

    /// Words without a subject of their own; they weigh little.
    static let functionWords: Set<String> = Set(
        """
        a an the i you he she it we they me my your his her our their us them this that these those is am are was were be been being do does did
        have has had can could will would shall should may might must to of in on at for from with by about as into and or but if then so than
        too very just please pls thanks thank ok okay hi hello hey want wanna need like id ill im ive youd get got some any all also more not no
        yes there here now what which who how when where why let lets up out off over again one
        """.split(whereSeparator: \.isWhitespace).map { Words.stem(String($0)) })
}
