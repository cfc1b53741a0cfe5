import Conversation
import Foundation

/// A booking that somebody wants, and the words in which they ask for it.
struct Wish: CustomStringConvertible {
    var service: (id: String, name: String)
    var day: Date
    var hour: (hour: Int, minute: Int, words: String)
    var dayWords: String
    var text: String

    var instant: Timestamp { NewYork.instant(day, hour.hour, hour.minute) }
    var description: String { "\"\(text)\" (\(service.name), \(instant))" }

    /// `{s}` stands for the service, `{d}` for the day, `{h}` for the hour.
    static let paraphrases = [
        "book a {s} on {d} at {h}", "Book me a {s} on {d} at {h} please", "I'd like to book a {s} for {d} at {h}",
        "I would like a {s} on {d} at {h}", "can I get a {s} on {d} at {h}?", "could you book me in for a {s} on {d} at {h}",
        "please schedule a {s} for {d} at {h}", "schedule a {s} on {d}, {h}", "reserve a {s} for me on {d} at {h}",
        "I need a {s} on {d} at {h}", "I want a {s} on {d} at {h}", "I want to book a {s}, {d}, {h}",
        "make an appointment for a {s} on {d} at {h}", "I need an appointment for a {s} on {d} at {h}",
        "hi, I'd like an appointment for a {s} on {d} at {h}", "hey, any chance of a {s} on {d} at {h}",
        "hello! could I come in for a {s} on {d} at {h}?",
        "do you have a slot for a {s} on {d} at {h}?", "is {d} at {h} possible for a {s}?", "can you fit me in for a {s} on {d} at {h}",
        "can you squeeze me in for a {s} at {h} on {d}", "put me down for a {s} at {h} on {d}", "sign me up for a {s} on {d} at {h}",
        "set up a {s} for me, {d} at {h}", "please arrange a {s} for {d} at {h}", "get me in for a {s} on {d} at {h}",
        "I'd love to book a {s} on {d} at {h}", "{s} on {d} at {h} please", "{s}, {d}, {h}", "{d} at {h} for a {s}, please book it",
        "on {d} at {h} I'd like a {s}", "for {d} I need a {s} at {h}", "at {h} on {d} I want to come for a {s}",
        "BOOK A {s} ON {d} AT {h}", "could we do a {s} on {d} at {h}", "I was hoping to get a {s} on {d} at {h}",
        "new appointment: {s}, {d}, {h}", "would {h} on {d} work for a {s}?", "booking for a {s} on {d} at {h} please",
        "let me have a {s} on {d} at {h}", "I'm looking to book a {s} for {d} at {h}, thanks", "may I book a {s} on {d} at {h}",
        "one {s} please, on {d} at {h}", "please book {s} for {d} {h}", "bok a {s} on {d} at {h}",
        "I want to make an appontment for a {s} on {d} at {h}", "what about a {s} on {d} at {h}?", "book {s} {d} {h}",
    ]

    private static let services: [(id: String, name: String, words: [String])] = [
        ("svc-haircut", "Haircut", ["haircut", "trim", "cut"]), ("svc-colour", "Colour", ["colour", "color", "tint"]),
        ("svc-blow-dry", "Blow-dry", ["blow-dry", "blow dry", "blowout"]), ("svc-manicure", "Manicure", ["manicure"]),
        ("svc-pedicure", "Pedicure", ["pedicure"]), ("svc-beard-trim", "Beard trim", ["beard trim", "shave"]),
        ("svc-massage", "Massage", ["massage", "back massage"]), ("svc-facial", "Facial", ["facial", "face treatment"]),
    ]

    private static let dayFormats = [
        "MMMM d yyyy", "d MMMM yyyy", "yyyy-MM-dd", "M/d/yyyy", "EEEE, MMMM d yyyy", "MMM d, yyyy", "EEEE d MMMM yyyy",
    ]

    private static let hours: [(hour: Int, minute: Int, words: [String])] = [
        (9, 0, ["9am", "9 am", "nine am", "9 a.m."]), (10, 30, ["10:30am", "10:30 AM", "half past ten in the morning"]),
        (11, 15, ["11:15", "quarter past eleven in the morning"]), (12, 0, ["noon", "12pm", "midday"]),
        (13, 0, ["1pm", "13:00", "1 in the afternoon"]), (14, 0, ["2pm", "14:00", "two o'clock in the afternoon", "2 p.m."]),
        (15, 30, ["3:30pm", "15:30", "half past three in the afternoon"]),
        (15, 45, ["3:45 pm", "15:45", "quarter to four in the afternoon"]),
    ]

    /// One wish for each paraphrase, no two for the same service at the same time, on both sides of both clock changes.
    static func all(_ draw: inout Draw) -> [Wish] {
        let sides = NewYork.clockChanges.map(NewYork.openDays).flatMap { [$0.before, $0.after] }
        var taken: Set<String> = []
        return paraphrases.enumerated().map { number, paraphrase in
            while true {
                let wish = one(paraphrase, sides[number % sides.count], &draw)
                if taken.insert("\(wish.service.id) \(wish.instant)").inserted { return wish }
            }
        }
    }

    private static func one(_ paraphrase: String, _ days: [Date], _ draw: inout Draw) -> Wish {
        let service = services[Int.random(in: services.indices, using: &draw)]
        let day = days[Int.random(in: days.indices, using: &draw)]
        let hour = hours[Int.random(in: hours.indices, using: &draw)]
        let words = hour.words[Int.random(in: hour.words.indices, using: &draw)]
        let dayWords = NewYork.text(day, dayFormats[Int.random(in: dayFormats.indices, using: &draw)])
        let text = paraphrase.replacing("{s}", with: service.words[Int.random(in: service.words.indices, using: &draw)])
            .replacing("{d}", with: dayWords).replacing("{h}", with: words)
        return Wish(
            service: (service.id, service.name), day: day, hour: (hour.hour, hour.minute, words), dayWords: dayWords, text: text)
    }
}
