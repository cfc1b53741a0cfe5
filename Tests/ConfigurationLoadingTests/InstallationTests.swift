import Conversation
import Testing

@testable import ConfigurationLoading

@Suite struct InstallationTests {
    private func expectStopped(
        _ folder: String, by what: String, in loaded: LoadedConfiguration, location: SourceLocation = #_sourceLocation
    ) throws {
        #expect(loaded.stopped.map(\.folder) == [folder], sourceLocation: location)
        let problem = try #require(loaded.stopped.first?.problems.first, sourceLocation: location)
        #expect(problem.what.contains(what), "\(problem)", sourceLocation: location)
        #expect(problem.remedy.contains("brand gym comes first by name"), "\(problem)", sourceLocation: location)
        #expect(loaded.brands.map(\.id.rawValue) == ["gym"], sourceLocation: location)
    }

    @Test func theLaterOfTwoBrandsWithOneAccountStops() throws {
        let fixture = try Fixture()
        try fixture.replace("config/brands/shop/brand.yaml", "account: \"1001\"", "account: \"1002\"")
        let loaded = fixture.load()
        try expectStopped("shop", by: "messenger/main/1002 already belongs to an instance", in: loaded)
        #expect(loaded.stopped.first?.problems.first?.line == 21)
    }

    @Test func theLaterOfTwoBrandsWithOneInstanceIDStops() throws {
        let fixture = try Fixture()
        try fixture.replace("config/brands/shop/brand.yaml", "id: shop-chat", "id: gym-chat")
        try expectStopped("shop", by: "instance \"gym-chat\" is already defined", in: fixture.load())
    }

    @Test func theLaterOfTwoBrandsWithOneKeyStopsAndTheKeyStaysSecret() throws {
        var fixture = try Fixture()
        fixture.environment["SHOP_KEY"] = fixture.environment["GYM_KEY"]
        let loaded = fixture.load()
        try expectStopped("shop", by: "the same key already opens brand gym", in: loaded)
        #expect(!ConfigurationReport(loaded).description.contains("gym-key"))
    }

    @Test func aBrokenBrandClaimsNothing() throws {
        let fixture = try Fixture()
        try fixture.replace("config/brands/shop/brand.yaml", "account: \"1001\"", "account: \"1002\"")
        try fixture.replace("config/brands/gym/brand.yaml", "locale: en-GB", "locale: \"???\"")
        let loaded = fixture.load()
        #expect(loaded.brands.map(\.id.rawValue) == ["shop"])
        #expect(loaded.stopped.map(\.folder) == ["gym"])
    }

    @Test func aBrandWithTheOperatorsKeyStops() throws {
        var fixture = try Fixture()
        fixture.environment["GYM_KEY"] = fixture.environment["OPERATOR_KEY"]
        let loaded = fixture.load()
        #expect(loaded.stopped.map(\.folder) == ["gym"])
        #expect(loaded.errors.map(\.key) == ["keys[0].key"])
    }

    @Test func twoInstancesOfOneBrandCannotShareAnAccount() throws {
        let fixture = try Fixture()
        let second = "\n  - { id: shop-two, channel: messenger, app: main, account: \"1001\", access_token: t }\n"
        try fixture.replace("config/brands/shop/brand.yaml", "    session_timeout_min: 10\n", "    session_timeout_min: 10" + second)
        let problem = try #require(fixture.load().errors.first)
        #expect(
            problem.description.hasSuffix(
                "brand.yaml:28: instances[1]: a second instance for messenger/main/1001; give each instance its own account"))
    }

    @Test func problemsOutsideTheBrandsAreFatal() throws {
        let fixture = try Fixture()
        try fixture.replace("channels/Messenger/channel.yaml", "channel: messenger", "channel: mesenger")
        let loaded = fixture.load()
        #expect(loaded.fatalProblems.map(\.scope) == [.channel("Messenger")])
        #expect(loaded.fatalProblems.map(\.remedy) == ["did you mean \"messenger\"?"])
        #expect(loaded.stopped.isEmpty)
    }

    @Test func anInstallationWithoutFilesSaysWhatIsMissing() throws {
        let loaded = ConfigurationLoader(
            root: "/nowhere/config/", channelsRoot: "/nowhere/channels", environment: [:], channels: [], parseAddressRule: parseAddress,
            validatePattern: checkPattern
        ).load()
        #expect(loaded.fatalProblems.map(\.file) == ["/nowhere/config/switchboard.yaml"])
        #expect(loaded.warnings.map(\.file) == ["/nowhere/config/brands"])
    }

    @Test func theReportListsProblemsAndCounts() throws {
        let fixture = try Fixture()
        #expect(ConfigurationReport(fixture.load()).description == "2 brands, 2 instances, 4 actions: ok")
        try fixture.write("config/brands/gym/handover.yaml", "desk: none\n")
        let warned = ConfigurationReport(fixture.load())
        #expect(warned.isOK)
        #expect(warned.description.contains("handover.yaml:1: handover.yaml: warning: is not read by this version; "))
        #expect(warned.summary == "2 brands, 2 instances, 4 actions: ok, 1 warning")
        try fixture.replace("config/brands/shop/brand.yaml", "name: The shop", "nam: The shop")
        let broken = ConfigurationReport(fixture.load())
        #expect(!broken.isOK)
        #expect(broken.summary == "1 brand, 1 instance, 1 action: 2 problems, 1 warning; stopped: shop")
        #expect(broken.description.contains("config/brands/shop/brand.yaml:2: nam: unknown key \"nam\"; did you mean \"name\"?\n"))
    }

    @Test func unknownTemplatesAreWarningsWithASuggestion() throws {
        let fixture = try Fixture()
        try fixture.replace("config/brands/shop/templates.yaml", "greeting:", "greting:")
        let loaded = fixture.load()
        #expect(loaded.brands.count == 2)
        #expect(loaded.warnings.map(\.remedy) == ["did you mean \"greeting\"?"])
    }

    @Test(arguments: [("parms", "params"), ("acton", "action"), ("TTL_s", "ttl_s"), ("nmae", "name")])
    func suggestionsFindSlipsOfTheFingers(_ typed: String, _ meant: String) {
        #expect(Suggestion.nearest(to: typed, in: ["params", "action", "ttl_s", "name", "entity"]) == meant)
    }

    @Test func suggestionsDoNotGuessWildly() {
        #expect(Suggestion.nearest(to: "zzz", in: ["params", "action"]) == nil)
        #expect(Suggestion.distance("", "abc") == 3)
        #expect(Suggestion.distance("ab", "ba") == 1)
    }
}
