import Conversation
import Foundation
import Testing

@testable import ConfigurationLoading

@Suite struct PoliciesTests {
    private static let file = "config/brands/shop/policies.yaml"

    private func policies(_ text: String) throws -> (policies: Policies?, problems: [Problem]) {
        let fixture = try Fixture()
        try fixture.write(Self.file, text)
        let loaded = fixture.load()
        return (loaded.brands.first { $0.id.rawValue == "shop" }?.policies, loaded.problems)
    }

    @Test func everythingIsMapped() throws {
        let loaded = try Fixture().load()
        #expect(loaded.problems.map(\.description) == [])
        let policies = try #require(loaded.brands.first { $0.id.rawValue == "shop" }?.policies)
        #expect(policies.limits == RateLimits(userPerMinute: 12, toolPerMinute: ["order_item": 3]))
        #expect(
            policies.filters == [
                ContentFilter(name: "exempt", pattern: "carding wool", side: .inbound, verdict: .allow),
                ContentFilter(name: "card", pattern: "[0-9]{16}", side: .both, verdict: .deny, say: "No cards."),
                ContentFilter(name: "care", pattern: "glass", side: .inbound, verdict: .warn),
            ])
        let week = [540..<720, 780..<1080]
        #expect(
            policies.rules == [
                BusinessRule(
                    name: "opening", actions: ["order_item"],
                    condition: .hours([1: week, 2: week, 3: week, 4: week, 5: week, 6: [1320..<1440], 7: [0..<120]]), verdict: .deny,
                    say: "In {retry_after}."),
                BusinessRule(
                    name: "most", actions: ["order_item"], condition: .atMost(parameter: "count", path: nil, amount: 5), verdict: .handover),
                BusinessRule(
                    name: "members", actions: [], condition: .tier("verified"), verdict: .warn,
                    say: "{display_name} is for {tier} customers."),
            ])
    }

    @Test func withoutTheFileThereAreTheUsualLimits() throws {
        let fixture = try Fixture()
        try fixture.remove(Self.file)
        let policies = try #require(fixture.load().brands.first { $0.id.rawValue == "shop" }?.policies)
        #expect(policies.limits == RateLimits() && policies.filters.isEmpty && policies.rules.isEmpty)
    }

    @Test func hoursReachOverTheEndOfTheWeek() throws {
        let loaded = try policies("rules: [{ name: late, hours: { fri-mon: \"20:00-24:00\", sun: \"23:00 - 1:30\" } }]\n")
        #expect(loaded.problems.map(\.what).contains { $0.contains("overlaps") })
        let fine = try policies("rules: [{ name: late, hours: { sat-mon: \"20:00-24:00\", thu: \"23:00 - 1:30\" } }]\n")
        #expect(fine.problems.map(\.description) == [])
        let night = [1200..<1440]
        #expect(fine.policies?.rules.first?.condition == .hours([4: [1380..<1440], 5: [0..<90], 6: night, 7: night, 1: night]))
    }

    @Test func touchingHoursDoNotOverlap() throws {
        let loaded = try policies("rules: [{ name: all, hours: { mon-sun: [\"00:00-12:00\", \"12:00-24:00\"] } }]\n")
        #expect(loaded.problems.isEmpty)
    }

    @Test func oneRunFindsEveryMistakeOfAFile() throws {
        let loaded = try policies(
            """
            limits: { tool_per_minute: { ordr_item: 0 } }
            filters:
              - { name: a, pattern: '(', verdict: deny }
              - { name: b, pattern: 'b', verdict: block }
            rules:
              - { name: c, hours: { mon: "9-18" }, verdict: deny }
              - { name: d, tier: gold }
            """)
        #expect(
            Set(loaded.problems.map(\.key)) == [
                "limits.tool_per_minute.ordr_item", "filters[0].pattern", "filters[1].verdict", "rules[0].hours.mon", "rules[1].tier",
            ])
        #expect(loaded.policies == nil)
    }

    @Test func patternsThatAreTooLargeTogetherAreFoundBeforeTheyStopAProcess() throws {
        let lines = (1...11).map { "  - { name: f\($0), pattern: '\(String(repeating: "a", count: 990))', verdict: deny }\n" }
        #expect(try policies("filters:\n" + lines.prefix(9).joined()).problems.isEmpty)
        let problems = try policies("filters:\n" + lines.joined()).problems
        #expect(problems.map(\.key) == ["filters"] && problems.first?.what == "the patterns together are too large")
    }

    /// The page's example, on the brand that the guide to brands builds.
    @Test func theExampleOfThePageLoads() throws {
        let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        func block(_ number: Int, of page: String) throws -> String {
            let text = try String(contentsOf: package.appending(path: "docs/\(page)"), encoding: .utf8)
            let blocks = text.components(separatedBy: "```yaml\n").dropFirst().compactMap { $0.components(separatedBy: "```").first }
            return try #require(blocks.dropFirst(number).first)
        }
        var fixture = try Fixture()
        let folder = "config/brands/gym"
        let brand = try String(contentsOfFile: "\(fixture.root)/\(folder)/brand.yaml", encoding: .utf8)
        try fixture.write("config/brands/bakery/brand.yaml", brand.replacing("gym", with: "bakery").replacing("1002", with: "1003"))
        fixture.environment["GYM_KEY"] = "gym-key-9876543210"
        try fixture.remove(folder)
        try fixture.write("config/brands/bakery/schemas.yaml", block(1, of: "adding-a-brand.md"))
        try fixture.write("config/brands/bakery/actions.yaml", block(2, of: "adding-a-brand.md"))
        try fixture.write("config/brands/bakery/policies.yaml", block(0, of: "policies.md"))
        let loaded = fixture.load()
        #expect(loaded.problems.map(\.description) == [])
        let policies = try #require(loaded.brands.first { $0.id.rawValue == "bakery" }?.policies)
        #expect(policies.limits.toolPerMinute == ["order_cake": 5])
        #expect(policies.filters.map(\.verdict) == [.allow, .deny, .handover, .warn])
        #expect(policies.rules.map(\.name) == ["baking_hours", "large_orders", "no_guests"])
    }
}

extension BrokenConfiguration {
    private static let policiesFile = "config/brands/shop/policies.yaml"

    private static func policy(
        _ name: String, _ old: String, _ new: String, at: String? = nil, key: String, _ what: String, _ remedy: String
    ) -> BrokenConfiguration {
        BrokenConfiguration(name, policiesFile, old, new, at: at, key: key, what, remedy)
    }

    static let inPolicies: [BrokenConfiguration] = [
        policy(
            "limit of an unknown action", "{ order_item: 3 }", "{ order_itm: 3 }", key: "limits.tool_per_minute.order_itm",
            "no action \"order_itm\"", "did you mean \"order_item\"?"),
        policy(
            "no calls at all", "{ order_item: 3 }", "{ order_item: 0 }", key: "limits.tool_per_minute.order_item", "out of range",
            "from 1 to"),
        policy("misspelt section", "filters:", "filter:", key: "filter", "unknown key \"filter\"", "did you mean \"filters\"?"),
        policy("filter without a pattern", "pattern: 'glass', ", "", at: "name: care", key: "filters[2].pattern", "is missing", "pattern:"),
        policy("bad pattern", "'[0-9]{16}'", "'(?=x)'", key: "filters[1].pattern", "is not an RE2 pattern", "RE2 syntax"),
        policy("unknown verdict", "verdict: allow", "verdict: alow", key: "filters[0].verdict", "not allowed", "did you mean \"allow\"?"),
        policy("unknown side", "side: both", "side: outgoing", key: "filters[1].side", "not allowed", "one of inbound, outbound, both"),
        policy(
            "two filters of a name", "name: care", "name: card", at: "name: card, pattern: 'glass'", key: "filters[2].name",
            "is already defined in line 4", "choose another"),
        policy(
            "an exemption that talks", "verdict: allow }", "verdict: allow, say: \"Fine.\" }", key: "filters[0].say", "says nothing",
            "remove it"),
        policy(
            "placeholder in a filter", "\"No cards.\"", "\"No {thing}.\"", key: "filters[1].say", "{thing}: nothing has this name",
            "write it out"),
        policy(
            "rule of an unknown action", "most, actions: [order_item]", "most, actions: [order_itm]", key: "rules[1].actions[0]",
            "no action \"order_itm\"", "did you mean \"order_item\"?"),
        policy(
            "rule of no action", "most, actions: [order_item]", "most, actions: []", key: "rules[1].actions", "names no action",
            "every write"),
        policy("no condition", ", tier: verified", "", at: "name: members", key: "rules[2]", "has no condition", "hours, at_most, tier"),
        policy(
            "two conditions", "tier: verified,", "tier: verified, hours: { mon: \"09:00-10:00\" },", at: "name: members", key: "rules[2]",
            "has 2 conditions", "exactly one"),
        policy(
            "unknown tier", "tier: verified", "tier: verfied", key: "rules[2].tier", "no tier \"verfied\"", "did you mean \"verified\"?"),
        policy(
            "warning without words", "verdict: warn, say: \"{display_name} is for {tier} customers.\"", "verdict: warn",
            at: "name: members", key: "rules[2].verdict", "a warning without words", "say"),
        policy(
            "placeholder of another condition", "\"In {retry_after}.\"", "\"Up to {amount}.\"", key: "rules[0].say",
            "{amount}: nothing has this name", "known: display_name, retry_after"),
        policy("unknown day", "sat: ", "sut: ", key: "rules[0].hours.sut", "\"sut\" is no weekday", "did you mean"),
        policy("day in words", "sat: ", "weekend: ", key: "rules[0].hours.weekend", "is no weekday", "mon-fri"),
        policy(
            "hours without minutes", "\"22:00-02:00\"", "\"22-2\"", key: "rules[0].hours.sat", "no range of hours", "\"09:00-18:00\""),
        policy("hour 25", "\"22:00-02:00\"", "\"22:00-25:00\"", key: "rules[0].hours.sat", "no range of hours", "from 00:00 to 24:00"),
        policy(
            "hours of no length", "\"22:00-02:00\"", "\"22:00-22:00\"", key: "rules[0].hours.sat", "ends when it begins", "00:00-24:00"),
        policy(
            "overlapping hours", "\"13:00-18:00\"]", "\"11:30-18:00\"]", key: "rules[0].hours.mon-fri[1]",
            "overlaps \"09:00-12:00\" of line", "join the two"),
        policy(
            "overlap after midnight", "sat: \"22:00-02:00\"", "sat: \"22:00-02:00\", sun: \"01:00-03:00\"", key: "rules[0].hours.sun",
            "overlaps \"22:00-02:00\"", "join the two"),
        policy(
            "no hours at all", "{ mon-fri: [\"09:00-12:00\", \"13:00-18:00\"], sat: \"22:00-02:00\" }", "{}", key: "rules[0].hours",
            "lists no hours", "mon-fri"),
        policy(
            "unknown parameter", "parameter: count", "parameter: cuont", key: "rules[1].at_most.parameter",
            "order_item has no parameter \"cuont\"", "did you mean \"count\"?"),
        policy(
            "amount of a phone number", "parameter: count", "parameter: phone", key: "rules[1].at_most.parameter", "a phone is no amount",
            "a number, money or a choice"),
        policy(
            "choice without a path", "parameter: count", "parameter: item", key: "rules[1].at_most.parameter", "no amount of its own",
            "add \"path: /price\""),
        policy(
            "written options", "parameter: count", "parameter: size, path: /price", key: "rules[1].at_most.parameter",
            "written out hold no amount", "from a schema"),
        policy(
            "path into a number", "parameter: count", "parameter: count, path: /price", key: "rules[1].at_most.parameter",
            "a number has no fields", "remove path"),
        policy(
            "no amount", ", amount: 5 }", " }", at: "name: most", key: "rules[1].at_most.amount", "is missing", "add \"amount: 100\""),
    ]
}

@Suite struct BrokenPoliciesTests {
    @Test(arguments: BrokenConfiguration.inPolicies)
    func aMistakeInThePoliciesIsPlacedAndStopsThatBrandAlone(_ broken: BrokenConfiguration) throws {
        let fixture = try Fixture()
        let text = try fixture.replace(broken.file, try #require(broken.old), broken.new)
        let loaded = fixture.load()
        let place = text.range(of: broken.at.isEmpty ? broken.new : broken.at)?.lowerBound ?? text.startIndex
        let line = 1 + text[..<place].count { $0 == "\n" }
        let found = loaded.errors.contains {
            $0.line == line && $0.key == broken.key && $0.what.contains(broken.what) && $0.remedy.contains(broken.remedy)
        }
        #expect(found, "line \(line): \(loaded.errors.map(\.description))")
        #expect(loaded.stopped.map(\.folder) == ["shop"])
        #expect(loaded.brands.map(\.id.rawValue) == ["gym"])
    }
}
