import Conversation
import Testing

@testable import Understanding

/// What a wish is about, when no rule knows the words.
@Suite struct RestTests {
    private static let query = ParameterDefinition(name: "query", entity: .text, required: false, pattern: "^.{2,40}$", takesRest: true)
    private static let job = ParameterDefinition(name: "job", entity: .choice)
    private static let search = ["search jobs", "find jobs", "open positions", "show openings", "are you hiring", "look for work", "query"]
    private static let apply = ["apply job", "send application", "job", "resume url", "Send an application for an open position"]
    private static let jobs = [
        ChoiceOption(id: "j1", label: "Warehouse operator at Gigantic Teapot Logistics", synonyms: ["packer"]),
        ChoiceOption(id: "j2", label: "Pastry cook at Moonlit Turnip Bakery"),
        ChoiceOption(id: "j3", label: "Delivery driver at Gigantic Teapot Logistics"),
    ]

    private func extract(
        _ text: String, _ parameters: [ParameterDefinition], _ vocabulary: [String], expecting: String? = nil
    ) throws -> [String: Entity] {
        SlotExtractor().extract(
            SlotRequest(
                text: text, parameters: parameters, options: ["job": Self.jobs], reference: try #require(Timestamp(friday)),
                timeZone: "America/New_York", expecting: expecting, vocabulary: vocabulary))
    }

    @Test(arguments: [
        ("any remote jobs", "remote"), ("find me something in logistics", "logistics"), ("jobs near Portland", "Portland"),
        ("do you have part-time work?", "part time"), ("I'm looking for driver positions in New York", "driver New York"),
        ("please show me all openings for nurses", "nurses"), ("any jobs, but not in sales", ""), ("are you hiring", ""),
        ("which positions are open right now", ""), ("what vacancies do you have", ""), ("I'm looking for work", ""),
    ])
    func aTextTakesWhatTheWishIsAbout(text: String, query: String) throws {
        let value = try extract(text, [Self.query], Self.search)["query"]?.value
        #expect(value == (query.isEmpty ? nil : .string(query)))
    }

    @Test func onlyATextThatSaysSoTakesTheRest() throws {
        var plain = Self.query
        plain.takesRest = false
        #expect(try extract("any remote jobs", [plain], Self.search).isEmpty)
    }

    @Test func whatDoesNotFitThePatternIsNotAskedAbout() throws {
        #expect(try extract("jobs x", [Self.query], Self.search).isEmpty)
        #expect(try extract("jobs " + String(repeating: "word ", count: 20), [Self.query], Self.search).isEmpty)
    }

    @Test func anAnswerIsNoWish() throws {
        #expect(try extract("remote", [Self.job, Self.query], Self.search, expecting: "job")["query"] == nil)
    }

    @Test(arguments: [
        ("apply for the warehouse job", "j1"), ("I want the bakery position", "j2"), ("send my application to moonlit", "j2"),
    ])
    func anOptionIsMeantByAPartOfItsNameWhenNothingElseIsSaid(text: String, id: String) throws {
        let entity = try extract(text, [Self.job], Self.apply)["job"]
        #expect(entity?.value == .string(id), "\(String(describing: entity))")
        #expect(entity?.needsConfirmation == true)
    }

    @Test func aPartThatFitsSeveralIsAsked() throws {
        guard case .ambiguous(let options)? = try extract("apply for the logistics job", [Self.job], Self.apply)["job"]?.problem else {
            Issue.record("not ambiguous")
            return
        }
        #expect(Set(options.map(\.id)) == ["j1", "j3"])
    }

    @Test(arguments: ["apply for the tattoo job", "apply for the cook of the warehouse", "apply"])
    func wordsThatFitNoOptionChooseNone(text: String) throws {
        #expect(try extract(text, [Self.job], Self.apply)["job"]?.value == nil)
    }

    @Test func twoSureWishesInASentenceOfAPatternAreTwo() throws {
        let actions = ["create_profile": "create my profile", "apply_job": "apply for the cook job"].map { name, example in
            ActionDefinition(
                canonicalName: name, displayName: example, examples: [example], request: RequestTemplate(method: "POST", path: "/x"))
        }
        let intents = [
            IntentDefinition(type: .action, action: "create_profile", patterns: [#"(?i)\b(create|make)\b.*\bprofile\b"#]),
            IntentDefinition(type: .action, action: "apply_job", patterns: [#"(?i)^\s*apply\b"#]),
        ]
        let classifier = try EmbeddedClassifier(actions: actions.sorted { $0.canonicalName < $1.canonicalName }, intents: intents)
        let found = classifier.detect(ClassificationRequest(text: "Create my profile and apply for the driver job"))
        #expect(found.map(\.candidates.first) == ["create_profile", "apply_job"])
        #expect(found.map(\.sequence) == [1, 2])
        let one = classifier.detect(ClassificationRequest(text: "make a nice and tidy profile"))
        #expect(one.map(\.candidates.first) == ["create_profile"])
    }
}
