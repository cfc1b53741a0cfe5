import Conversation
import Testing

@testable import Understanding

@Suite struct SlotTests {
    private func extract(
        _ text: String, _ parameters: [ParameterDefinition], options: [String: [ChoiceOption]] = [:], expecting: String? = nil,
        locale: String = "en-US",
        collected: [String: Entity] = [:], shown: [ChoiceOption] = []
    ) throws -> [String: Entity] {
        SlotExtractor().extract(
            SlotRequest(
                text: text, parameters: parameters, options: options, reference: try #require(Timestamp(friday)),
                timeZone: "America/New_York",
                locale: locale, expecting: expecting, collected: collected, shown: shown))
    }

    private func service(_ text: String, expecting: Bool = false, shown: [ChoiceOption] = []) throws -> Entity? {
        try extract(text, [Salon.service], options: ["service": Salon.services], expecting: expecting ? "service" : nil, shown: shown)[
            "service"]
    }

    @Test(arguments: [
        ("I'd like a balayage tomorrow", "balayage"), ("book the deep tissue massage", "massage"), ("a masage please", "massage"),
        ("cut and colour on friday", "colour"),
        ("cut & color", "colour"), ("womens haircut", "cut-w"), ("a men's haircut at 5", "cut-m"), ("my nails", "manicure"),
        ("beard trimm", "beard"), ("Manicure", "manicure"),
        ("not the manicure but the express facial", "facial"), ("HIGHLIGHTS!!", "balayage"), ("ladies cut", "cut-w"),
    ])
    func choicesAreReadFromSentences(text: String, id: String) throws {
        let entity = try #require(try service(text))
        #expect(entity.value == .string(id))
        #expect(entity.label != nil)
        #expect(entity.problem == nil)
    }

    @Test func theChosenItemComesAlong() throws {
        #expect(try service("women's haircut")?.item == ["price": 55])
        #expect(try service("manicure")?.item == nil)
    }

    @Test func whatFitsSeveralIsAskedWithAtMostFive() throws {
        let entity = try #require(try service("I want a haircut"))
        #expect(entity.value == nil)
        guard case .ambiguous(let options) = entity.problem else {
            Issue.record("\(entity)")
            return
        }
        #expect(Set(options.map(\.id)) == ["cut-w", "cut-m"])
        let kinds = ["Sports", "Thai", "Swedish", "Shiatsu", "Hotstone", "Foot"]
        let many = kinds.map { ChoiceOption(id: $0, label: "\($0) massage") } + Salon.services
        let found = try extract("massage", [Salon.service], options: ["service": many])["service"]
        guard case .ambiguous(let five) = found?.problem else {
            Issue.record("not ambiguous")
            return
        }
        #expect(five.count == 5)
    }

    @Test(arguments: ["I want to book something", "hello", "tomorrow at 5pm", "an appointment please", "thanks", "2", ""])
    func nothingIsChosenByChance(text: String) throws {
        #expect(try service(text) == nil)
    }

    @Test func placesCountInTheListThatWasShown() throws {
        let shown = [Salon.services[4], Salon.services[7], Salon.services[0]]
        #expect(try service("the second one", shown: shown)?.value == "beard")
        #expect(try service("2", expecting: true, shown: shown)?.value == "beard")
        #expect(try service("last", expecting: true, shown: shown)?.value == "cut-w")
        #expect(try service("#1", expecting: true, shown: shown)?.value == "manicure")
        #expect(try service("4", expecting: true, shown: shown) == nil)
        #expect(try service("at 2", shown: shown) == nil)
    }

    @Test(arguments: ["my photo is at https://example.com/manicure.jpg", "https://example.com/2.pdf", "write to facial@example.com"])
    func wordsOfAnAddressChooseNothing(text: String) throws {
        #expect(try service(text) == nil)
        #expect(try service("a beard trim please, \(text)")?.value == "beard")
    }

    @Test func fixedOptionsServeToo() throws {
        let size = ParameterDefinition(
            name: "size", entity: .choice, options: [.init(id: "s", label: "Small"), .init(id: "l", label: "Large", synonyms: ["big"])])
        #expect(try extract("a big one", [size])["size"]?.value == "l")
    }

    @Test(arguments: [
        ("3 people", 3), ("two", 2), ("twenty-five guests", 25), ("a dozen", 12), ("1,250", 1250), ("two hundred and fifty", 250),
        ("a couple of friends", 2), ("party of 6", 6),
        ("three thousand", 3000), ("for 4 at 7pm tomorrow", 4), ("we are 5, call 415 555 2671", 5),
    ])
    func numbersAreRead(text: String, value: Int64) throws {
        let number = ParameterDefinition(name: "guests", entity: .number)
        #expect(
            try extract(text, [number, ParameterDefinition(name: "phone", entity: .phone), Ask.start])["guests"]?.value == .integer(value))
    }

    @Test(arguments: [
        "at 5pm", "tomorrow at 17:30", "+1 415 555 2671", "on the 3rd", "28/11/2026", "the second one", "B12", "$50",
        "mail me at a1@b2.com", "nothing", "one moment",
    ])
    func numbersOfSomethingElseAreNoNumbers(text: String) throws {
        #expect(try extract(text, [ParameterDefinition(name: "guests", entity: .number), Ask.start])["guests"] == nil)
    }

    @Test func boundsAreKept() throws {
        let guests = ParameterDefinition(name: "guests", entity: .number, minimum: 1, maximum: 8)
        let many = try #require(try extract("12", [guests], expecting: "guests")["guests"])
        #expect(many.value == nil)
        #expect(many.problem == .invalid)
        #expect(try extract("8", [guests], expecting: "guests")["guests"]?.value == 8)
        #expect(try extract("2.5", [ParameterDefinition(name: "n", entity: .number)])["n"]?.value == 2.5)
        #expect(try extract("-3", [ParameterDefinition(name: "n", entity: .number)])["n"]?.value == -3)
    }

    @Test(arguments: [
        ("$50", 50.0), ("50 dollars", 50), ("£12.50", 12.5), ("EUR 30", 30), ("1,200 euros", 1200), ("about 20 bucks", 20),
        ("twenty pounds", 20), ("1.5k USD", 1500),
    ])
    func moneyIsReadWithItsCurrency(text: String, value: Double) throws {
        #expect(try extract(text, [ParameterDefinition(name: "amount", entity: .money)])["amount"]?.value?.double == value)
    }

    @Test func bareNumbersAreMoneyOnlyWhenAsked() throws {
        let amount = ParameterDefinition(name: "amount", entity: .money)
        #expect(try extract("50", [amount]).isEmpty)
        #expect(try extract("50", [amount], expecting: "amount")["amount"]?.value == 50)
    }

    @Test(arguments: [
        ("415 555 2671", "en-US", "+14155552671"), ("my number is (415) 555-2671 thanks", "en-US", "+14155552671"),
        ("020 7946 0958", "en-GB", "+442079460958"),
        ("+49 30 901820", "en-US", "+4930901820"), ("+52 1 55 1234 5678", "en-US", "+525512345678"),
        ("4 1 5 5 5 5 2 6 7 1", "en-US", "+14155552671"),
    ])
    func phonesAreRead(text: String, locale: String, value: String) throws {
        let phone = ParameterDefinition(name: "phone", entity: .phone)
        #expect(try extract(text, [phone], expecting: "phone", locale: locale)["phone"]?.value == .string(value))
    }

    @Test func aPhoneThatIsNoneIsSaidToBe() throws {
        let phone = ParameterDefinition(name: "phone", entity: .phone)
        #expect(try extract("12345", [phone], expecting: "phone")["phone"]?.problem == .invalid)
        #expect(try extract("no idea", [phone], expecting: "phone").isEmpty)
        #expect(try extract("12345", [phone]).isEmpty)
    }

    @Test func addressesAreRead() throws {
        let both = [ParameterDefinition(name: "mail", entity: .email), ParameterDefinition(name: "link", entity: .url)]
        let found = try extract("write to First.Last+tag@Example.co.uk or see www.example.com/cv?id=7.", both)
        #expect(found["mail"]?.value == "first.last+tag@example.co.uk")
        #expect(found["link"]?.value == "https://www.example.com/cv?id=7")
        #expect(try extract("me@@nowhere", both, expecting: "mail")["mail"]?.problem == .invalid)
    }

    @Test func textsCountOnlyWhenAsked() throws {
        let note = ParameterDefinition(name: "note", entity: .text, minimum: 3, maximum: 40)
        #expect(try extract("ring twice", [note]).isEmpty)
        #expect(try extract("  ring   twice ", [note], expecting: "note")["note"]?.value == "ring twice")
        #expect(try extract("hm", [note], expecting: "note")["note"]?.problem == .invalid)
        let code = ParameterDefinition(name: "code", entity: .text, pattern: "[A-Z]{2}[0-9]{2}")
        #expect(try extract("AB12", [code], expecting: "code")["code"]?.value == "AB12")
        #expect(try extract("ab12", [code], expecting: "code")["code"]?.problem == .invalid)
    }

    @Test func aSentenceFillsEverythingItNames() throws {
        let found = try extract(
            "Book a balayage next wednesday at 3pm, my number is 415 555 2671", Salon.params, options: ["service": Salon.services])
        #expect(found["service"]?.value == "balayage")
        #expect(Ask.wall(found["start"]) == "2026-11-25 15:00")
        #expect(found["phone"]?.value == "+14155552671")
    }

    @Test func theSameRequestGivesTheSameEntities() throws {
        let text = "haircut or massage on saturday or tuesday at 3"
        let first = try extract(text, Salon.params, options: ["service": Salon.services])
        for _ in 0..<5 { #expect(try extract(text, Salon.params, options: ["service": Salon.services]) == first) }
    }
}
