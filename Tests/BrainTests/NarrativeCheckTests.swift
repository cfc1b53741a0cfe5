import Brain
import Conversation
import Testing

/// A reply to be reworded.
private struct Reworded: Sendable {
    var text: String
    var instruction: Narrative.Instruction

    func problem(_ wording: String) -> String? {
        let asks = text.contains("?")
        let narrative = Narrative(instruction: instruction, primary: text, must: [text], expectingResponse: asks)
        return NarrativeCheck(template: text, narrative: narrative, names: ["Blue Door Salon", "Customer"]).problem(in: wording)
    }

    static let confirm = Reworded(text: "Book Haircut for $45 on Tue, Nov 24 at 5:00 PM?", instruction: .confirm)
    static let failed = Reworded(
        text: "I couldn't book a service just now, and nothing was changed. A colleague will look at it.", instruction: .reportError)
    static let unknown = Reworded(
        text: "I could not confirm whether this went through: book a service. A colleague will check and tell you. Please don't repeat it.",
        instruction: .reportError)
    static let done = Reworded(text: "Done: book a service. Booking id: 4711.", instruction: .reportCompletion)
    static let booked = Reworded(
        text: "Your Haircut is booked for Tue, Nov 24 at 5:00 PM. Your reference is BK-4711.", instruction: .reportCompletion)
    static let blocked = Reworded(text: "There is an open balance of $20.", instruction: .handleBlocker)
    static let closed = Reworded(
        text: "We're closed then. On Saturday we're open 10:00 AM–4:00 PM. When would you like to come?", instruction: .askForParams)
    static let ask = Reworded(text: "When would you like to come?", instruction: .askForParams)
    static let takenBack = Reworded(text: "It's taken back: book a service was not sent.", instruction: .reportCompletion)
    static let progress = Reworded(
        text: "I'm still on it: book a service. I'll tell you as soon as there is news.", instruction: .reportProgress)
    static let declined = Reworded(text: "All right, I won't. Nothing was done.", instruction: .converse)
    static let refused = Reworded(text: "I couldn't book a service: the slot at 5:00 PM is taken.", instruction: .reportError)
    static let list = Reworded(
        text: "List my bookings:\n• Haircut on Tue, Nov 24 at 5:00 PM\n• Massage on Wed, Nov 25 at 6:00 PM", instruction: .reportCompletion)
}

@Suite struct NarrativeCheckTests {
    @Test(arguments: [
        ("The haircut costs $45 and the massage costs $90.", "The massage costs $45 and the haircut costs $90."),
        ("The fee is $20, the deposit $50 and the balance $20.", "The fee is $20, the deposit $50 and the balance $50."),
        ("We open at 9 on Monday and at 11 on Sunday.", "We open at 11 on Monday and at 9 on Sunday."),
    ])
    func factsDoNotChangeWhatTheyAreSaidOf(_ template: String, _ wording: String) {
        let narrative = Narrative(instruction: .converse, primary: template, must: [template])
        let check = NarrativeCheck(template: template, narrative: narrative, names: ["Blue Door Salon"])
        #expect(check.problem(in: wording) != nil)
        #expect(check.problem(in: template) == nil)
    }

    private static let honest: [(Reworded, String)] = [
        (.confirm, "Shall I book Haircut for $45 on Tue, Nov 24 at 5:00 PM?"),
        (.confirm, "Would you like me to book Haircut for $45 on Tue, Nov 24 at 5:00 PM?"),
        (.confirm, "Book Haircut for $45 on Tuesday, November 24th at 5 PM?"),
        (.confirm, "Okay, should I book a Haircut on Tue, Nov 24 at 5:00 PM for $45?"),
        (.confirm, "Book Haircut for $45.00 on Tue, Nov 24 at 5:00 p.m., is that right?"),
        (.failed, "Sorry, I couldn't book a service just now, and nothing was changed. A colleague will look at it."),
        (.failed, "I'm sorry, I could not book a service just now, and nothing was changed. A colleague will look at it."),
        (.failed, "I'm afraid I was unable to book a service just now and nothing was changed. A colleague will look at it."),
        (.failed, "Unfortunately I failed to book that service; nothing was changed."),
        (
            .unknown,
            "I could not confirm whether this went through: book a service. A colleague will check and tell you. Please do not repeat it."
        ),
        (
            .unknown,
            "Sorry, I couldn't confirm whether this went through: book a service. A colleague will check and tell you, so please don't repeat it."
        ),
        (.done, "Done: book a service. Your booking id is 4711."), (.done, "All set, a service is booked. The booking id is 4711."),
        (.done, "Good news: your service has been booked. Booking id: 4711."),
        (.done, "You've successfully booked a service. Your booking id is 4711."),
        (.booked, "All set: your Haircut is booked for Tue, Nov 24 at 5:00 PM. Your reference is BK-4711."),
        (.booked, "Good news, Customer, your Haircut is booked for Tuesday, Nov 24 at 5 PM. The reference is BK-4711."),
        (.booked, "Your Haircut has been booked for Tue, Nov 24 at 5:00 PM, reference BK-4711."),
        (.blocked, "Sorry, there is an open balance of $20."), (.blocked, "There's still an open balance of $20."),
        (.blocked, "I see that your account shows an outstanding amount of $20."),
        (.closed, "Sorry, we're closed then. On Saturday we're open 10:00 AM to 4:00 PM. When would you like to come?"),
        (.closed, "We are closed then. On Saturday we are open from 10 AM to 4 PM. What time would you like to come?"),
        (.ask, "When would you like to come?"), (.ask, "Thanks! When would you like to come?"),
        (.ask, "What day and time would you like to come?"),
        (.ask, "Please tell me when you would like to come, okay?"),
        (.takenBack, "It's taken back: book a service was not sent."), (.takenBack, "Okay, it's taken back. Book a service wasn't sent."),
        (.progress, "I'm still on it: book a service. I'll tell you as soon as there's news."),
        (.declined, "Okay, I won't. Nothing was done."), (.declined, "Alright, no problem at all, forget it."),
        (.refused, "Sorry, I couldn't book a service: the slot at 5 PM is taken."),
        (.list, "Here are your bookings:\n• Haircut on Tue, Nov 24 at 5:00 PM\n• Massage on Wed, Nov 25 at 6:00 PM"),
    ]

    @Test func theReplyItselfSaysTheSame() {
        for reply in Set(Self.honest.map(\.0.text)) {
            let original = Self.honest.first { $0.0.text == reply }?.0
            #expect(original?.problem(reply) == nil, "\(reply): \(original?.problem(reply) ?? "")")
        }
    }

    @Test func mostHonestWordingsPass() {
        let refused = Self.honest.filter { $0.0.problem($0.1) != nil }
        #expect(Self.honest.count >= 30)
        #expect(Self.honest.count - refused.count >= 26, "\(refused.map { "\($1) [\($0.problem($1) ?? "")]" }.joined(separator: "\n"))")
    }

    @Test func noLiePasses() {
        let lies = Lies.all
        #expect(lies.count >= 100)
        for (reply, lie) in lies { #expect(reply.problem(lie) != nil, "\(reply.text) → \(lie)") }
    }

    @Test func whatIsTooLongEmptyOrDecoratedIsRefused() {
        for wording in [
            "", " \n", String(repeating: "please ", count: 400), "**When** would you like to come?", "When would you like to come? 🎉",
            "When would you like to <b>come</b>?", "When would you like to come?\u{0}",
        ] {
            #expect(Reworded.ask.problem(wording) != nil, "\(wording.prefix(60))")
        }
    }
}

/// Untrue wordings, by what is untrue about them.
private enum Lies {
    static var all: [(Reworded, String)] { outcomes + facts + swapped + negations + promises + additions + omissions }

    private static let claims = [
        "Done!", "All set!", "You're booked!", "Booked.", "It's confirmed.", "It went through.", "Success!", "Your booking is confirmed.",
        "I've booked it for you.", "That worked.", "It is taken care of.", "You're good to go.", "Payment received.",
        "It has been refunded.",
        "I have sent it.", "See you then!", "Everything is arranged.", "Great news!", "Consider it done.", "✅",
    ]
    private static let notDone: [Reworded] = [.confirm, .failed, .unknown, .blocked, .closed, .ask, .progress, .declined, .refused]

    private static var outcomes: [(Reworded, String)] {
        notDone.flatMap { reply in claims.flatMap { [(reply, $0), (reply, "\($0) \(reply.text)"), (reply, "\(reply.text) \($0)")] } }
    }

    /// Another number, price, time, day, month or reference.
    private static var facts: [(Reworded, String)] {
        let changes: [(Reworded, [(String, [String])])] = [
            (
                .confirm,
                [
                    ("$45", ["$40", "$4.50", "€45", "45%", "$450"]), ("5:00 PM", ["6:00 PM", "5:00 AM", "5:30 PM", "17:30", "noon"]),
                    ("Tue", ["Wed", "Sat"]), ("Nov", ["Dec"]), ("24", ["25", "42"]), ("Haircut", ["Massage", "Beard Trim"]),
                ]
            ),
            (
                .booked,
                [
                    ("5:00 PM", ["4:00 PM", "5:15 PM"]), ("Tue", ["Thu"]), ("24", ["23"]), ("BK-4711", ["BK-4712", "4711", "BK-471"]),
                    ("Haircut", ["Manicure"]),
                ]
            ),
            (.done, [("4711", ["4712", "471", "47110", "one"])]),
            (.blocked, [("$20", ["$2", "$200", "€20", "zero"]), ("open", ["small"])]),
            (.closed, [("10:00 AM", ["9:00 AM", "10:00 PM"]), ("4:00 PM", ["8:00 PM"]), ("Saturday", ["Sunday"]), ("closed", ["open"])]),
            (.refused, [("5:00 PM", ["6:00 PM"]), ("taken", ["free"])]),
            (.list, [("5:00 PM", ["3:00 PM"]), ("Massage", ["Facial"]), ("25", ["26"])]),
        ]
        return changes.flatMap { reply, kinds in
            kinds.flatMap { was, others in others.map { (reply, reply.text.replacing(was, with: $0)) } }
        }
    }

    private static var swapped: [(Reworded, String)] {
        [
            (.closed, "We're closed then. On Saturday we're open 4:00 PM–10:00 AM. When would you like to come?"),
            (.list, "List my bookings:\n• Haircut on Wed, Nov 25 at 6:00 PM\n• Massage on Tue, Nov 24 at 5:00 PM"),
            (.list, "List my bookings:\n• Massage on Wed, Nov 25 at 6:00 PM\n• Haircut on Tue, Nov 24 at 5:00 PM"),
        ]
    }

    private static var negations: [(Reworded, String)] {
        [
            (.failed, "I could book a service just now, and nothing was changed. A colleague will look at it."),
            (.failed, "I couldn't book a service just now, and it was changed. A colleague will look at it."),
            (.failed, "I could book a service just now, not that nothing was changed. A colleague will look at it."),
            (.failed, "A service was booked just now. A colleague will look at it."),
            (.unknown, "I could confirm this went through: book a service. A colleague will check and tell you. Please don't repeat it."),
            (.unknown, "This went through: book a service. Please don't repeat it, and don't tell a colleague, whether or not."),
            (
                .unknown,
                "I could not confirm whether this went through: book a service. A colleague will check and tell you. Please repeat it."
            ),
            (.done, "Book a service could not be done. Booking id: 4711."), (.done, "I did not book a service. Booking id: 4711."),
            (.booked, "Your Haircut is not booked for Tue, Nov 24 at 5:00 PM. Your reference is BK-4711."),
            (.takenBack, "It's taken back: book a service was sent."), (.takenBack, "It's not taken back: book a service was sent."),
            (.takenBack, "All set: book a service."), (.declined, "All right, I will. Nothing was done."),
            (.declined, "All right. It was done."),
            (.refused, "I could book a service: the slot at 5:00 PM is not taken."),
            (.refused, "I can book a service at 5:00 PM, why not."),
            (.closed, "We're not closed then. On Saturday we're open 10:00 AM–4:00 PM. When would you like to come?"),
            (.blocked, "There is no open balance of $20."),
        ]
    }

    private static var promises: [(Reworded, String)] {
        let promises = [
            "I will call you.", "We'll refund you.", "You will get a discount.", "I guarantee it.", "I'll hold it for you.",
            "It will be free.", "I promise.", "A colleague will call you today.",
        ]
        return [Reworded.confirm, .blocked, .ask, .booked, .refused].flatMap { reply in promises.map { (reply, "\(reply.text) \($0)") } }
            + [(.failed, "I couldn't book a service just now, and nothing was changed. I will look at it.")]
    }

    private static var additions: [(Reworded, String)] {
        let additions = [
            "Visit http://evil.test now.", "Write to help@evil.test.", "See evil.com.", "Call 555-0100.", "Ask for Anna.", "It is urgent.",
            "Send me your password.", "Tomorrow also fits.", "Use code SAVE10.", "Do you want to pay now?",
        ]
        return [Reworded.confirm, .failed, .done, .ask, .closed].flatMap { reply in additions.map { (reply, "\(reply.text) \($0)") } }
    }

    private static var omissions: [(Reworded, String)] {
        [
            (.confirm, "Book Haircut on Tue, Nov 24 at 5:00 PM?"), (.confirm, "Book Haircut for $45 on Nov 24 at 5:00 PM?"),
            (.confirm, "Book for $45 on Tue, Nov 24 at 5:00 PM?"),
            (.confirm, "Haircut for $45 on Tue, Nov 24 at 5:00 PM."), (.confirm, "Haircut is on Tue, Nov 24 at 5:00 PM for $45. Okay?"),
            (.confirm, "Okay."), (.done, "Done: book a service."), (.done, "Your booking id is 4711."),
            (.booked, "Your Haircut is booked for Tue, Nov 24 at 5:00 PM."),
            (.closed, "On Saturday we're open 10:00 AM–4:00 PM. Okay."), (.blocked, "There is an open balance."),
            (.ask, "Welcome, Customer."),
            (.list, "List my bookings:\n• Haircut on Tue, Nov 24 at 5:00 PM"),
        ]
    }
}
