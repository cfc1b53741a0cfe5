import Conversation
import Testing

@testable import ConfigurationLoading

@Suite struct ModelSectionTests {
    private static let brandFile = "config/brands/shop/brand.yaml"

    /// A fixture with an endpoint; `settings` replace the section's time-out.
    private static func loaded(_ settings: String = "timeout_s: 5", models: String? = nil, url: String = "http://127.0.0.1:9/v1") throws
        -> LoadedConfiguration
    {
        var fixture = try Fixture()
        fixture.environment["LLM_URL"] = url
        fixture.environment["MODEL_KEY"] = "model-key-0123456789"
        try fixture.replace(brandFile, "  timeout_s: 5", "  " + settings)
        if let models {
            try fixture.replace(
                brandFile, "models: { intent: { model: tiny, temperature: 0.2, max_tokens: 100 }, response: tiny }", "models: \(models)")
        }
        return fixture.load()
    }

    private static func section(_ loaded: LoadedConfiguration) throws -> ModelConfiguration {
        try #require(loaded.brands.first { $0.id.rawValue == "shop" }?.llm)
    }

    @Test func aModelArrivesComplete() throws {
        let loaded = try Self.loaded(
            "timeout_s: 5\n  api_key: \"${MODEL_KEY}\"\n  max_concurrent: 3\n  daily_tokens: 20000\n  pause_s: 0\n  allow_private_addresses: [\"127.0.0.1\"]"
        )
        #expect(loaded.problems == [])
        let model = try Self.section(loaded)
        #expect(model.baseURL == "http://127.0.0.1:9/v1")
        #expect(model.apiKey?.reveal() == "model-key-0123456789")
        #expect(
            model.functions == [
                .intent: ModelSettings(model: "tiny", temperature: 0.2, maxTokens: 100), .response: ModelSettings(model: "tiny"),
            ])
        #expect(model.prices == ["tiny": ModelPrice(inputPerMillion: 1, outputPerMillion: 2, currency: "USD")])
        #expect((model.timeout, model.maxConcurrent, model.dailyTokens, model.pause) == (.seconds(5), 3, 20_000, .zero))
        #expect(model.allowPrivateAddresses.map(\.description) == ["127.0.0.1"])
    }

    @Test func whatIsLeftOutHasTheDocumentedDefaults() throws {
        let model = try Self.section(try Self.loaded("api_key: \"\""))
        #expect(model.apiKey == nil)
        #expect((model.timeout, model.maxConcurrent, model.dailyTokens, model.pause) == (.seconds(8), 8, nil, .seconds(30)))
    }

    @Test func anEmptyAddressMeansNoModel() throws {
        let loaded = try Self.loaded(url: "")
        #expect(loaded.problems == [])
        #expect(loaded.brands.allSatisfy { $0.llm == nil })
    }

    @Test func anEndpointWithoutModelsIsAWarning() throws {
        let loaded = try Self.loaded(models: "{}")
        #expect(loaded.warnings.map(\.key) == ["llm.base_url"])
        #expect(!ConfigurationReport(loaded).description.contains("127.0.0.1:9"))
    }

    @Test(arguments: [
        ("{ intnt: tiny }", "llm.models.intnt", "intent"),
        ("{ intent: { model: tiny, template: intent_v9 } }", "llm.models.intent.template", "intent_v1"),
        ("{ response: { model: tiny, template: intent_v1 } }", "llm.models.response.template", "response_v1"),
        ("{ intent: { model: tiny, temperature: 3 } }", "llm.models.intent.temperature", "0 to 2"),
        ("{ intent: { model: tiny, max_tokens: 0 } }", "llm.models.intent.max_tokens", "from 1"),
        ("{ intent: { temperature: 1 } }", "llm.models.intent.model", "model:"),
    ])
    func aModelThatCannotBeUsedIsNamed(_ models: String, _ key: String, _ remedy: String) throws {
        let loaded = try Self.loaded(models: models)
        let problem = try #require(loaded.problems.first { $0.key == key }, "\(loaded.problems)")
        #expect(problem.remedy.contains(remedy), "\(problem)")
    }

    @Test(arguments: [
        ("max_concurrent: 0", "llm.max_concurrent"), ("daily_tokens: many", "llm.daily_tokens"), ("timeout_s: -1", "llm.timeout_s"),
        ("api_key: \"two words\"", "llm.api_key"), ("max_tokens: 5", "llm.max_tokens"),
    ])
    func aSettingThatCannotBeUsedIsNamed(_ setting: String, _ key: String) throws {
        #expect(try Self.loaded(setting).problems.map(\.key) == [key])
    }

    @Test func everyShippedPromptCanBeNamed() throws {
        for function in ModelFunction.allCases {
            for name in try #require(PromptTemplate.builtIn[function]) {
                let loaded = try Self.loaded(models: "{ \(function.rawValue): { model: tiny, template: \(name) } }")
                #expect(loaded.problems == [], "\(function) \(name)")
            }
        }
    }
}
