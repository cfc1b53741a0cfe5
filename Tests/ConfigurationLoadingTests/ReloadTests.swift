import Conversation
import Testing

@testable import ConfigurationLoading

@Suite struct ReloadTests {
    private let shop = "config/brands/shop/brand.yaml"
    private let gym = "config/brands/gym/brand.yaml"

    private func names(_ loaded: LoadedConfiguration) -> [String] { loaded.brands.map(\.name) }

    @Test func goodChangesAreTakenOver() throws {
        let fixture = try Fixture()
        let running = fixture.load()
        try fixture.replace(shop, "name: The shop", "name: New shop")
        #expect(names(fixture.reload(over: running)) == ["The gym", "New shop"])
    }

    @Test func aBrandWithErrorsStaysAsItWasAndTheOtherChanges() throws {
        let fixture = try Fixture()
        let running = fixture.load()
        try fixture.replace(shop, "name: The shop", "name: New shop\nlocal: x")
        try fixture.replace(gym, "name: The gym", "name: New gym")
        let loaded = fixture.reload(over: running)
        #expect(names(loaded) == ["New gym", "The shop"])
        #expect(loaded.stopped.map(\.folder) == ["shop"])
        #expect(loaded.errors.map(\.key) == ["local"])
    }

    @Test func anErrorOutsideTheBrandsKeepsEverything() throws {
        let fixture = try Fixture()
        let running = fixture.load()
        try fixture.replace("config/switchboard.yaml", "jitter: 0.2", "jitter: 2")
        try fixture.replace("config/switchboard.yaml", "turns: 16", "turns: 32")
        try fixture.replace(gym, "name: The gym", "name: New gym")
        let loaded = fixture.reload(over: running)
        #expect(names(loaded) == ["The gym", "The shop"])
        #expect(loaded.server.queue.turns == 16)
        #expect(loaded.fatalProblems.map(\.key) == ["queue.jitter"])
    }

    @Test func aRemovedBrandGoesAndANewOneThatIsBrokenDoesNotCome() throws {
        let fixture = try Fixture()
        let running = fixture.load()
        try fixture.remove("config/brands/gym")
        try fixture.write("config/brands/cafe/brand.yaml", "brand: cafe\n")
        let loaded = fixture.reload(over: running)
        #expect(names(loaded) == ["The shop"])
        #expect(loaded.stopped.map(\.folder) == ["cafe"])
    }

    @Test func nobodyTakesTheAccountOfABrandThatRunsOn() throws {
        let fixture = try Fixture()
        let running = fixture.load()
        try fixture.replace(shop, "locale: en-GB", "locale: \"?\"")
        try fixture.replace(gym, "account: \"1002\"", "account: \"1001\"")
        try fixture.replace(gym, "name: The gym", "name: New gym")
        let loaded = fixture.reload(over: running)
        #expect(names(loaded) == ["The gym", "The shop"])
        #expect(loaded.brands.flatMap(\.instances).map { $0.settings.text("account") } == ["1002", "1001"])
        #expect(loaded.stopped.map(\.folder) == ["shop", "gym"])
    }
}
