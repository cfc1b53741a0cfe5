import Brain
import Conversation
import Signing
import Storage
import TestKit
import Testing

@testable import Gateway

/// What is held of a customer when a brand's API answers, has nothing, or does not answer.
@Suite struct SchemaFetcherTests {
    private static let brand = BrandID(rawValue: "salon")
    private static let away = HTTPResult.answer(HTTPAnswer(status: 503))
    private static let nothing = HTTPResult.answer(HTTPAnswer(status: 404))
    private static let held = HTTPResult.failed(HTTPFailure(kind: .breakerOpen, mayHaveBeenSent: false, detail: "held"))

    private struct World {
        let clock: ControlledClock
        let store: Store
        let fetcher: SchemaFetcher
        let runtime: BrandRuntime
        let remote: ScriptedBrand
        let user = User(id: UserID(UniqueID(high: 1, low: 1)), tier: "guest", isVerified: false)

        func fetch(_ name: String = "profile") async -> SchemaState {
            await fetcher.fetch(SchemaNeed(name: name, mayBeCached: false), user: user, brand: runtime)
        }

        func expire() async throws {
            try await store.brand(SchemaFetcherTests.brand).write { try $0.expireSchemas(of: user.id.description) }
        }
    }

    /// A brand that answers these, one after the other.
    private func with(_ answers: [HTTPResult], _ body: (World) async throws -> Void) async throws {
        let clock = ControlledClock()
        try await TemporaryStore.with(clock: clock) { store in
            let secret = Secret("whsec_" + Base64.encode(Array(repeating: 7, count: 32)))
            let configuration = BrandConfiguration(
                id: Self.brand, name: "Salon", api: BrandAPI(baseURL: "http://salon.invalid", signingSecrets: [secret]),
                schemas: [
                    SchemaDefinition(name: "profile", request: RequestTemplate(method: "GET", path: "/customers/{user.id}")),
                    SchemaDefinition(name: "catalog", request: RequestTemplate(method: "GET", path: "/catalog")),
                ])
            let runtime = try BrandRuntime.bare(configuration)
            let remote = ScriptedBrand(answers, clock: clock)
            try await body(
                World(
                    clock: clock, store: store, fetcher: SchemaFetcher(store: store, http: remote), runtime: runtime, remote: remote))
        }
    }

    private static func known(_ text: String) -> HTTPResult { .answer(HTTPAnswer(status: 200, body: Array(text.utf8))) }

    @Test(arguments: [away, held]) func aCustomerWhoWasNotKnownIsNotKnownWhileTheBrandIsSilent(silence: HTTPResult) async throws {
        try await with([Self.nothing, silence, Self.nothing, silence]) { world in
            let asked = world.clock.now
            #expect(await world.fetch().source == .absent)
            world.clock.advance(by: .seconds(1700))
            #expect(await world.fetch() == SchemaState(name: "profile", source: .absent, fetchedAt: asked))
            world.clock.advance(by: .seconds(200))
            #expect(await world.fetch().source == .absent)
            world.clock.advance(by: .seconds(1800))
            #expect(await world.fetch().source == .absent, "the hour counts from the second 404")
            #expect(world.remote.calls.count == 4, "it is asked each time")
        }
    }

    @Test func afterAnHourNobodyKnowsAnyMore() async throws {
        try await with([Self.nothing, Self.away]) { world in
            #expect(await world.fetch().source == .absent)
            world.clock.advance(by: .seconds(3600))
            #expect(await world.fetch().source == .unavailable)
        }
    }

    @Test func whatWeDidOurselvesEndsThatACustomerIsNotKnown() async throws {
        try await with([Self.nothing, Self.away, Self.nothing, Self.away]) { world in
            #expect(await world.fetch().source == .absent)
            try await world.expire()
            #expect(await world.fetch().source == .unavailable)
            #expect(await world.fetch().source == .absent)
            #expect(await world.fetch().source == .absent, "asked again since")
        }
    }

    @Test func anAnswerThatIsOfNoUseIsNoSilence() async throws {
        let large = HTTPResult.failed(HTTPFailure(kind: .tooLarge, mayHaveBeenSent: true, detail: "too large"))
        try await with([Self.nothing, Self.known("<html>"), large, .answer(HTTPAnswer(status: 403))]) { world in
            #expect(await world.fetch().source == .absent)
            for _ in 1...3 { #expect(await world.fetch().source == .unavailable) }
        }
    }

    @Test func nothingNeverTakesThePlaceOfWhatIsKnown() async throws {
        try await with([Self.known(#"{"balance":5}"#), Self.nothing, Self.away]) { world in
            let asked = world.clock.now
            #expect(await world.fetch().source == .fetched)
            world.clock.advance(by: .seconds(60))
            #expect(await world.fetch().source == .absent)
            try await world.expire()
            #expect(
                await world.fetch() == SchemaState(name: "profile", source: .stale, body: ["balance": 5], fetchedAt: asked),
                "with the moment when it was said")
        }
    }

    @Test func whatIsEverybodysIsNotGoneForA404() async throws {
        try await with([Self.nothing, Self.away, Self.known(#"{"services":[]}"#), Self.nothing, Self.away]) { world in
            #expect(await world.fetch("catalog").source == .absent)
            #expect(await world.fetch("catalog").source == .unavailable)
            #expect(await world.fetch("catalog").source == .fetched)
            #expect(await world.fetch("catalog").source == .absent)
            #expect(await world.fetch("catalog").source == .stale)
        }
    }
}
