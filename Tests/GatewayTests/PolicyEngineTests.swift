import Conversation
import Testing

@testable import Gateway

@Suite struct PolicyFilterTests {
    private static func filter(
        _ name: String, _ pattern: String, _ verdict: ContentFilter.Verdict, _ side: ContentFilter.Side = .inbound, say: String? = nil
    ) -> ContentFilter {
        ContentFilter(name: name, pattern: pattern, side: side, verdict: verdict, say: say)
    }

    @Test func theFilterThatStandsFirstDecides() throws {
        let engine = try PolicyWorld.engine(
            Policies(filters: [
                Self.filter("greetings", "knock 'em dead", .allow), Self.filter("threats", "dead|kill", .handover),
                Self.filter("rude", "kill|damn", .deny, say: "Please stay polite."),
            ]))
        let exempt = engine.inbound("Knock 'em DEAD!")
        #expect(exempt == PolicyVerdict(result: .allow, rule: "filter:greetings"))
        #expect(exempt?.filter == "greetings" && exempt?.isRefusal == false)
        #expect(engine.inbound("you are dead")?.result == .handover)
        #expect(engine.inbound("I'll kill it")?.rule == "filter:threats")
        #expect(engine.inbound("damn")?.text == "Please stay polite.")
        #expect(engine.inbound("good morning") == nil)
        #expect(engine.inbound("") == nil)
    }

    @Test func sidesAreKeptApart() throws {
        let engine = try PolicyWorld.engine(
            Policies(filters: [
                Self.filter("in", "alpha", .deny), Self.filter("out", "beta", .deny, .outbound), Self.filter("each", "gamma", .deny, .both),
            ]))
        #expect(engine.inbound("alpha beta")?.filter == "in")
        #expect(engine.inbound("beta") == nil)
        #expect(engine.outbound(.text("alpha beta"))?.filter == "out")
        #expect(engine.outbound(.text("alpha")) == nil)
        #expect(engine.inbound("gamma")?.filter == "each" && engine.outbound(.text("gamma"))?.filter == "each")
    }

    @Test(arguments: [
        "card 4111 1111 1111 1111", "CARD 4111\u{200B}1111\u{200B}1111\u{200B}1111", "４１１１１１１１１１１１１１１１", "4111\n1111\t1111  1111",
        "\u{202E}4111111111111111",
    ])
    func nothingHidesBehindSpacesAndLookalikes(_ text: String) throws {
        let engine = try PolicyWorld.engine(Policies(filters: [Self.filter("card", "[3-6](?:[ -]?[0-9]){15}", .deny)]))
        #expect(engine.inbound(text)?.filter == "card")
    }

    @Test func withoutWordsThereAreOurOwnAndTheBrandsTemplatesComeFirst() throws {
        let filters = [
            Self.filter("no", "aaa", .deny, .both), Self.filter("careful", "bbb", .warn, .both),
            Self.filter("people", "ccc", .handover, .both),
        ]
        let plain = try PolicyWorld.engine(Policies(filters: filters))
        for text in ["aaa", "bbb", "ccc"] {
            #expect(plain.inbound(text)?.text.isEmpty == false)
            #expect(plain.outbound(.text(text))?.text.isEmpty == false)
        }
        #expect(plain.inbound("aaa")?.text != plain.outbound(.text("aaa"))?.text)
        let own = try PolicyWorld.engine(Policies(filters: filters), templates: ["filtered": "Not here.", "handover": "One moment."])
        #expect(own.inbound("aaa")?.text == "Not here.")
        #expect(own.inbound("ccc")?.text == "One moment.")
    }

    @Test func optionsAreWordsOfAReply() throws {
        let engine = try PolicyWorld.engine(Policies(filters: [Self.filter("secret", "backroom", .deny, .outbound)]))
        let prompt = ChoicePrompt(
            text: "Which one?", options: [ChoicePrompt.Option(id: "1", title: "Front", description: "not the Backroom")])
        #expect(engine.outbound(.choices(prompt))?.filter == "secret")
        let titled = ChoicePrompt(text: "Which?", options: [ChoicePrompt.Option(id: "1", title: "A")], listTitle: "Backroom")
        #expect(engine.outbound(.choices(titled))?.filter == "secret")
    }

    @Test func captionsAndNamesOfFilesAreWordsOfAReply() throws {
        let engine = try PolicyWorld.engine(Policies(filters: [Self.filter("secret", "backroom", .deny, .outbound)]))
        func verdict(_ caption: String?, _ filename: String?) -> String? {
            engine.outbound(.media(Media(kind: .document, url: "https://files.example/1", caption: caption, filename: filename)))?.filter
        }
        #expect(verdict("The backroom", nil) == "secret" && verdict(nil, "Backroom.pdf") == "secret")
        #expect(verdict("Your invoice", "backroom.pdf") == "secret" && verdict("Your invoice", "1.pdf") == nil)
    }

    @Test func hostileTextEndsInTime() throws {
        let engine = try PolicyWorld.engine(
            Policies(filters: [Self.filter("slow", "(a+)+$", .deny), Self.filter("other", "(x|xx)+y", .deny)]))
        let clock = ContinuousClock()
        let took = clock.measure {
            _ = engine.inbound(String(repeating: "a", count: 100_000) + "!")
            _ = engine.inbound(String(repeating: "x", count: 100_000))
        }
        #expect(took < .seconds(20))
    }

    @Test func aBadPatternStopsTheBrandAndNotTheProcess() {
        #expect(throws: (any Error).self) { try PolicyWorld.engine(Policies(filters: [Self.filter("bad", "(", .deny)])) }
    }
}

@Suite struct PolicyRuleTests {
    private static func rule(
        _ condition: BusinessRule.Condition, _ verdict: BusinessRule.Verdict = .deny, name: String = "test", actions: [String] = [],
        say: String? = nil
    ) -> BusinessRule {
        BusinessRule(name: name, actions: actions, condition: condition, verdict: verdict, say: say)
    }

    private func verdicts(
        _ rules: [BusinessRule], _ action: ActionDefinition = PolicyWorld.book, params: [String: Entity] = [:], tier: String = "verified",
        at now: Timestamp = PolicyWorld.monday
    ) throws -> [PolicyVerdict] {
        try PolicyWorld.engine(Policies(rules: rules)).call(of: action, params: params, tier: tier, now: now)
    }

    private static func at(_ text: String) throws -> Timestamp { try #require(Timestamp(text)) }

    // MARK: Hours

    /// 09:00 to 18:00 in New York, five hours behind UTC in November.
    private static let office: BusinessRule.Condition = .hours([1: [540..<1080], 2: [540..<720, 780..<1080]])

    @Test(
        arguments: [
            ("2026-11-23T14:00:00Z", nil), ("2026-11-23T22:59:59Z", nil), ("2026-11-23T23:00:00Z", 15 * 3600), ("2026-11-23T13:59:00Z", 60),
            ("2026-11-24T17:00:00Z", 3600), ("2026-11-24T16:59:59Z", nil), ("2026-11-24T18:00:00Z", nil),
            ("2026-11-25T15:00:00Z", 5 * 86_400 - 3600), ("2026-11-23T04:59:00Z", 9 * 3600 + 60),
        ] as [(String, Int?)])
    func hoursHoldInTheBrandsTimeZone(_ moment: String, _ wait: Int?) throws {
        let found = try verdicts([Self.rule(Self.office)], at: Self.at(moment))
        #expect(found.first?.retryAfter == wait.map { .seconds($0) })
        #expect(found.map(\.result) == (wait == nil ? [] : [.deny]))
    }

    /// In 2026 New York sets its clocks forward on March 8 and back on November 1.
    @Test(arguments: [("2026-03-07T23:00:00Z", 38), ("2026-03-09T12:00:00Z", 1), ("2026-10-31T23:00:00Z", 39), ("2026-11-02T13:00:00Z", 1)])
    func theWaitKnowsThatClocksChange(_ moment: String, _ hours: Int) throws {
        let found = try verdicts([Self.rule(.hours([1: [540..<1080]]))], at: Self.at(moment))
        #expect(found.first?.retryAfter == .seconds(hours * 3600))
    }

    @Test func theWaitIsToldInWords() throws {
        let late = try Self.at("2026-11-23T23:00:00Z")
        #expect(try verdicts([Self.rule(Self.office)], at: late).first?.text.contains("15 hours") == true)
        let own = Self.rule(Self.office, say: "{display_name}: again in {retry_after}.")
        #expect(try verdicts([own], at: late).first?.text == "Book a service: again in 15 hours.")
    }

    @Test(
        arguments: [(0.2, "1 second"), (2, "2 seconds"), (90, "90 seconds"), (91, "2 minutes"), (5400, "90 minutes"), (5401, "2 hours")]
            as [(Double, String)])
    func waitsAreRoundedUp(_ seconds: Double, _ words: String) {
        #expect(PolicyWords.words(.milliseconds(Int64(seconds * 1000))) == words)
    }

    @Test func longWaitsAreDays() { #expect(PolicyWords.words(.seconds(5 * 86_400 - 3600)) == "5 days") }

    // MARK: Amounts

    private static let most = BusinessRule.Condition.atMost(parameter: "service", path: "/price", amount: 100)

    @Test(
        arguments: [
            (45, true), (100, true), (100.01, false), ("99.5", true), ("12 dollars", false), (["amount": 80, "currency": "USD"], true),
            (["amount": 180], false), (nil, false), (.null, false), (true, false),
        ] as [(JSONValue?, Bool)])
    func anAmountIsAtMostTheLimit(_ price: JSONValue?, _ isAllowed: Bool) throws {
        let found = try verdicts([Self.rule(Self.most)], params: ["service": PolicyWorld.service(price: price)])
        #expect(found.isEmpty == isAllowed)
        #expect(found.allSatisfy { $0.text.contains("100") && $0.retryAfter == nil })
    }

    @Test func aParameterThatWasNotGivenBreaksNothing() throws {
        let tip = BusinessRule.Condition.atMost(parameter: "tip", path: nil, amount: 10)
        #expect(try verdicts([Self.rule(tip)]).isEmpty)
        let unread = Entity(name: "tip", kind: .money, raw: "much", problem: .invalid)
        #expect(try verdicts([Self.rule(tip)], params: ["tip": unread]).isEmpty)
        let high = Entity(name: "tip", kind: .money, value: 11, raw: "11")
        #expect(try verdicts([Self.rule(tip)], params: ["tip": high]).map(\.rule) == ["rule:test"])
    }

    // MARK: Tiers and order

    @Test(arguments: [("guest", false), ("verified", true), ("premium", true), ("emperor", false), ("", false)])
    func aTierIsReachedFromBelow(_ tier: String, _ isAllowed: Bool) throws {
        #expect(try verdicts([Self.rule(.tier("verified"))], tier: tier).isEmpty == isAllowed)
    }

    @Test func aTierThatIsGoneIsReachedByNobody() throws {
        #expect(try verdicts([Self.rule(.tier("platinum"))], tier: "premium").map(\.result) == [.deny])
    }

    @Test func aRuleWithoutActionsIsForWritesOnly() throws {
        let rule = Self.rule(.tier("premium"))
        #expect(try verdicts([rule], PolicyWorld.book).count == 1)
        #expect(try verdicts([rule], PolicyWorld.list).isEmpty)
        #expect(try verdicts([Self.rule(.tier("premium"), actions: ["list_bookings"])], PolicyWorld.list).count == 1)
        #expect(try verdicts([Self.rule(.tier("premium"), actions: ["list_bookings"])], PolicyWorld.book).isEmpty)
    }

    @Test func warningsCountUpToTheFirstRefusal() throws {
        let rules = [
            Self.rule(.tier("premium"), .warn, name: "first", say: "One."), Self.rule(.tier("verified"), .handover, name: "kept"),
            Self.rule(.tier("premium"), .handover, name: "second"), Self.rule(.tier("premium"), .warn, name: "third", say: "Three."),
        ]
        let found = try verdicts(rules)
        #expect(found.map(\.rule) == ["rule:first", "rule:second"])
        #expect(found.map(\.isRefusal) == [false, true])
        #expect(found.last?.refusal?.handsOver == true && found.first?.refusal == nil)
    }
}
