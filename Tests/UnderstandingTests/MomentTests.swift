import Conversation
import Testing

@testable import Understanding

@Suite struct MomentTests {
    @Test(arguments: [
        ("tomorrow at 5pm", "2026-11-21 17:00"), ("tmrw 5 pm", "2026-11-21 17:00"), ("5 p.m. tomorrow please", "2026-11-21 17:00"),
        ("Next Tuesday 10:30", "2026-11-24 10:30"), ("tuesday at half past four", "2026-11-24 16:30"),
        ("quarter to 5 on wednesday", "2026-11-25 16:45"), ("on the 3rd at noon", "2026-12-03 12:00"),
        ("Nov 28 at noon", "2026-11-28 12:00"),
        ("28 November, 14:15", "2026-11-28 14:15"), ("the 28th of november at 9am", "2026-11-28 09:00"),
        ("11/28 at 3pm", "2026-11-28 15:00"),
        ("2026-12-01 17:30", "2026-12-01 17:30"), ("2026-12-01T17:30:00", "2026-12-01 17:30"), ("2026-12-01T17:30:00Z", "2026-12-01 12:30"),
        ("2026-12-01T17:30:00+01:00", "2026-12-01 11:30"), ("in two hours", "2026-11-20 12:00"), ("in half an hour", "2026-11-20 10:30"),
        ("in an hour and a half", "2026-11-20 11:30"), ("45 minutes from now", "2026-11-20 10:45"), ("tonight at 8", "2026-11-20 20:00"),
        ("this evening at seven", "2026-11-20 19:00"), ("tomorrow morning at 11", "2026-11-21 11:00"),
        ("day after tomorrow 1pm", "2026-11-22 13:00"),
        ("a week from tuesday at 10am", "2026-12-01 10:00"), ("tuesday week at 10am", "2026-12-01 10:00"),
        ("in 3 days at 4:30pm", "2026-11-23 16:30"),
        ("january 5th at 2 in the afternoon", "2027-01-05 14:00"), ("Jan 5, 2027 8pm", "2027-01-05 20:00"),
        ("sat at 11am", "2026-11-21 11:00"),
        ("thursday five thirty pm", "2026-11-26 17:30"), ("ten past six pm on thursday", "2026-11-26 18:10"),
        ("17h30 on thursday", "2026-11-26 17:30"),
        ("friday the 27th at 4pm", "2026-11-27 16:00"), ("next week on wednesday at 3pm", "2026-11-25 15:00"),
        ("midnight tomorrow", "2026-11-21 00:00"), ("at 1730 on thursday", "2026-11-26 17:30"), ("Feb 29 at 3pm", "2028-02-29 15:00"),
        ("tomorrow 5.30pm", "2026-11-21 17:30"), ("sunday at five o'clock in the afternoon", "2026-11-22 17:00"),
        ("christmas eve at 3pm", "2026-12-24 15:00"), ("not friday, saturday at 2pm", "2026-11-21 14:00"),
        ("move it from tuesday to thursday 2pm", "2026-11-26 14:00"), ("tomorrow at 5pm, no, make it 6pm", "2026-11-21 18:00"),
        ("can't do tuesday but wednesday at 3pm works", "2026-11-25 15:00"), ("٥pm tomorrow", "2026-11-21 17:00"),
        ("TOMORROW   AT\n5PM", "2026-11-21 17:00"), ("twenty first of december at 3pm", "2026-12-21 15:00"),
        ("monday the 7th at 9p", "2026-12-07 21:00"), ("friday 10 please", "2026-11-27 10:00"), ("friday 27 at 10", "2026-11-27 10:00"),
        ("October, 1st at 9:15 am", "2027-10-01 09:15"), ("2 weeks from Dec 1 at 3pm", "2026-12-15 15:00"),
        ("23/Dec at 15:00", "2026-12-23 15:00"),
        ("30 minutes later", "2026-11-20 10:30"), ("tuesday at five-thirty", "2026-11-24 17:30"),
        ("tomorrow between 2 and 4pm", "2026-11-21 14:00"),
        ("tuesday after 3", "2026-11-24 15:00"), ("how about thursday around 11ish", "2026-11-26 11:00"),
        ("in a fortnight at 3pm", "2026-12-04 15:00"), ("saturday at 12", "2026-11-21 12:00"), ("11:00 am tomorrow", "2026-11-21 11:00"),
    ])
    func momentsAreRead(text: String, expected: String) throws {
        #expect(Ask.wall(try Ask.one(text, Ask.start)) == expected)
    }

    @Test(
        arguments: [
            ("I am fine", nil), ("may I ask something", nil), ("good morning", nil), ("I have 2 kids", nil), ("room 5 please", nil),
            ("it takes 2 hours", nil), ("the second one", nil), ("sun cream", nil), ("she sat down", nil), ("version 2.5", nil),
            ("1/0", nil),
            ("99/99/9999", nil), ("25:61", nil), ("book a haircut for 2 people", nil), ("option 3", nil), ("50%", nil), ("", nil),
        ] as [(String, String?)])
    func whatIsNoMomentIsLeftAlone(text: String, expected: String?) throws {
        #expect(try Ask.one(text, Ask.start) == nil)
    }

    @Test func aDateAloneWaitsForItsTime() throws {
        let entity = try #require(try Ask.one("on tuesday please", Ask.start, hours: Ask.hours))
        #expect(entity.value == nil)
        #expect(entity.partial == ["date": "2026-11-24"])
        #expect(entity.problem == .incomplete(missing: "time"))
    }

    @Test func aPartOfTheDayIsKept() throws {
        let part = try #require(try Ask.one("friday morning", Ask.start, at: "2026-11-17T15:00:00Z"))
        #expect(part.partial == ["date": "2026-11-20", "part": "morning"])
        #expect(part.problem == .incomplete(missing: "time"))
        let whole = try Ask.one("at 11", Ask.start, at: "2026-11-17T15:00:00Z", expecting: true, collected: part)
        #expect(Ask.wall(whole) == "2026-11-20 11:00")
    }

    @Test func aTimeCompletesADateAndADateATime() throws {
        let date = try Ask.one("tomorrow", Ask.start)
        #expect(Ask.wall(try Ask.one("5pm", Ask.start, expecting: true, collected: date)) == "2026-11-21 17:00")
        let time = try #require(try Ask.one("at 5pm", Ask.start))
        #expect(time.partial == ["time": "17:00"])
        #expect(time.problem == .incomplete(missing: "date"))
        #expect(Ask.wall(try Ask.one("tomorrow", Ask.start, expecting: true, collected: time)) == "2026-11-21 17:00")
        #expect(Ask.wall(try Ask.one("28", Ask.start, expecting: true, collected: time)) == "2026-11-28 17:00")
    }

    @Test func openingHoursTellMorningFromAfternoon() throws {
        let date = try Ask.one("tuesday", Ask.start)
        let five = try #require(try Ask.one("5", Ask.start, hours: Ask.hours, expecting: true, collected: date))
        #expect(Ask.wall(five) == "2026-11-24 17:00")
        #expect(!five.needsConfirmation)
        let unknown = try #require(try Ask.one("5", Ask.start, expecting: true, collected: date))
        #expect(Ask.wall(unknown) == "2026-11-24 17:00")
        #expect(unknown.needsConfirmation, "without opening hours it is a guess")
        let time = try Ask.one("at 5", Ask.start, hours: Ask.hours)
        #expect(Ask.wall(try Ask.one("on tuesday", Ask.start, hours: Ask.hours, expecting: true, collected: time)) == "2026-11-24 17:00")
    }

    @Test func aCorrectionKeepsWhatItDoesNotTouch() throws {
        let known = try Ask.one("tomorrow at 5pm", Ask.start)
        #expect(Ask.wall(try Ask.one("no, make it 6pm", Ask.start, collected: known)) == "2026-11-21 18:00")
        #expect(Ask.wall(try Ask.one("actually on thursday instead", Ask.start, collected: known)) == "2026-11-26 17:00")
    }

    @Test func whatHasPassedIsNamed() throws {
        for text in ["yesterday at 5pm", "today at 9am", "Nov 2, 2025 at 5pm", "last friday at 4pm", "two days ago at 3pm"] {
            let entity = try #require(try Ask.one(text, Ask.start), "\(text)")
            #expect(entity.problem == .past, "\(text)")
            #expect(entity.value == nil)
        }
    }

    @Test func closedDaysAndHoursAreNamedWithWhatIsOffered() throws {
        let sunday = try #require(try Ask.one("sunday at 3pm", Ask.start, hours: Ask.hours))
        #expect(sunday.problem == .closed(day: "Sunday", hours: []))
        let late = try #require(try Ask.one("tuesday at 9pm", Ask.start, hours: Ask.hours))
        #expect(late.problem == .closed(day: "Tuesday", hours: ["09:00-18:00"]))
        #expect(Ask.wall(try Ask.one("at 5pm then", Ask.start, hours: Ask.hours, collected: late)) == "2026-11-24 17:00")
        #expect(
            try Ask.one("friday nov 27 at 1pm", Ask.start, hours: Ask.hours)?.problem
                == .closed(day: "Friday", hours: ["09:00-12:30", "13:30-18:00"]))
        #expect(try Ask.one("tuesday at 18:00", Ask.start, hours: Ask.hours)?.problem == .closed(day: "Tuesday", hours: ["09:00-18:00"]))
        #expect(try Ask.one("on monday", Ask.start, hours: Ask.hours)?.problem == .closed(day: "Monday", hours: []))
        #expect(try Ask.one("christmas day at noon", Ask.start, hours: Ask.hours)?.problem == .closed(day: "Friday", hours: []))
    }

    @Test func hoursPastMidnightAreOpen() throws {
        let hours: JSONValue = ["sat": ["18:00-02:00"]]
        #expect(Ask.wall(try Ask.one("sunday nov 22 at 1am", Ask.start, hours: hours)) == "2026-11-22 01:00")
        #expect(try Ask.one("sunday nov 22 at 2am", Ask.start, hours: hours)?.problem == .closed(day: "Sunday", hours: []))
    }

    @Test func theClockThatSkipsAnHourIsRespected() throws {
        let skipped = try #require(try Ask.one("march 14 2027 at 2:30am", Ask.start))
        #expect(skipped.problem == .nonexistent)
        #expect(skipped.value == nil)
        #expect(Ask.wall(try Ask.one("march 14 2027 at 3:30am", Ask.start)) == "2027-03-14 03:30")
    }

    @Test func theHourThatComesTwiceIsTheEarlierOneAndConfirmed() throws {
        let twice = try #require(try Ask.one("nov 7 2027 at 1:30am", Ask.start))
        #expect(twice.value == "2027-11-07T05:30:00.000Z")
        #expect(twice.needsConfirmation)
        let berlin = try #require(try Ask.one("31 october 2027 2:30am", Ask.start, zone: "Europe/Berlin", locale: "en-GB"))
        #expect(berlin.value == "2027-10-31T00:30:00.000Z")
        #expect(try Ask.one("28 march 2027 2:30am", Ask.start, zone: "Europe/Berlin", locale: "en-GB")?.problem == .nonexistent)
    }

    @Test func tomorrowCountsFromTheMessageInTheZoneOfTheBrand() throws {
        let late = "2026-11-20T23:30:00.000Z"
        #expect(try Ask.one("tomorrow at 5pm", Ask.start, at: late, zone: "Asia/Tokyo")?.value == "2026-11-22T08:00:00.000Z")
        #expect(try Ask.one("tomorrow at 5pm", Ask.start, at: late, zone: "America/Los_Angeles")?.value == "2026-11-22T01:00:00.000Z")
    }

    @Test func theLocaleOrdersDayAndMonth() throws {
        let british = try #require(try Ask.one("3/4 at 3pm", Ask.start, locale: "en-GB"))
        let american = try #require(try Ask.one("3/4 at 3pm", Ask.start, locale: "en-US"))
        #expect(Ask.wall(british) == "2027-04-03 15:00")
        #expect(Ask.wall(american) == "2027-03-04 15:00")
        #expect(british.needsConfirmation && american.needsConfirmation)
        let plain = try #require(try Ask.one("28/11 at 3pm", Ask.start, locale: "en-US"))
        #expect(Ask.wall(plain) == "2026-11-28 15:00")
        #expect(!plain.needsConfirmation)
    }

    @Test func severalDaysJoinedByOrAreAsked() throws {
        let entity = try #require(try Ask.one("saturday or tuesday at 3pm", Ask.start))
        guard case .ambiguous(let options) = entity.problem else {
            Issue.record("not ambiguous: \(entity)")
            return
        }
        #expect(options.map(\.id) == ["2026-11-21T20:00:00.000Z", "2026-11-24T20:00:00.000Z"])
    }

    @Test func theNextSuchDayThisWeekIsConfirmed() throws {
        let monday = "2026-11-16T15:00:00.000Z"
        let next = try #require(try Ask.one("next thursday at 3pm", Ask.start, at: monday))
        #expect(Ask.wall(next) == "2026-11-26 15:00")
        #expect(next.needsConfirmation)
    }

    @Test func weeksAreNarrowedByTheirDay() throws {
        let week = try #require(try Ask.one("sometime next week", Ask.start))
        #expect(week.partial == ["from": "2026-11-23", "to": "2026-11-29"])
        #expect(week.problem == .incomplete(missing: "date"))
        #expect(Ask.wall(try Ask.one("thursday 3pm", Ask.start, expecting: true, collected: week)) == "2026-11-26 15:00")
    }

    @Test func datesAndTimesOfTheirOwnAreReadFromOneSentence() throws {
        let request = SlotRequest(
            text: "tomorrow at quarter past nine am", parameters: [.init(name: "day", entity: .date), .init(name: "time", entity: .time)],
            reference: try #require(Timestamp(friday)), timeZone: "America/New_York")
        let found = SlotExtractor().extract(request)
        #expect(found["day"]?.value == "2026-11-21")
        #expect(found["time"]?.value == "09:15")
    }

    @Test func twoMomentsFillTwoParametersInOrder() throws {
        let request = SlotRequest(
            text: "from december 3 until december 7",
            parameters: [.init(name: "arrival", entity: .date), .init(name: "departure", entity: .date)],
            reference: try #require(Timestamp(friday)), timeZone: "America/New_York")
        let found = SlotExtractor().extract(request)
        #expect(found["arrival"]?.value == "2026-12-03")
        #expect(found["departure"]?.value == "2026-12-07")
    }
}
