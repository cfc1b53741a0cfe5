/// A brand's model endpoint: OpenAI-compatible chat completions.
package struct ModelConfiguration: Sendable {
    /// Such as `https://api.example.com/v1`.
    package var baseURL: String
    package var apiKey: Secret?
    /// Functions without an entry are done without a model.
    package var functions: [ModelFunction: ModelSettings]
    /// By the model's name.
    package var prices: [String: ModelPrice]
    /// Of one call.
    package var timeout: Duration
    /// Calls at once.
    package var maxConcurrent: Int
    /// Tokens a day (UTC), in and out together; nil for no limit.
    package var dailyTokens: Int?
    /// How long an endpoint that failed again and again is left alone; zero: it never is.
    package var pause: Duration
    package var allowPrivateAddresses: [AddressRule]

    package init(
        baseURL: String, apiKey: Secret? = nil, functions: [ModelFunction: ModelSettings] = [:], prices: [String: ModelPrice] = [:],
        timeout: Duration = .seconds(8), maxConcurrent: Int = 8, dailyTokens: Int? = nil, pause: Duration = .seconds(30),
        allowPrivateAddresses: [AddressRule] = []
    ) {
        self.baseURL = baseURL
        self.apiKey = apiKey
        self.functions = functions
        self.prices = prices
        self.timeout = timeout
        self.maxConcurrent = maxConcurrent
        self.dailyTokens = dailyTokens
        self.pause = pause
        self.allowPrivateAddresses = allowPrivateAddresses
    }
}

package struct ModelSettings: Sendable, Hashable {
    package var model: String
    /// `0...2`; nil leaves it to the endpoint.
    package var temperature: Double?
    /// Of the answer.
    package var maxTokens: Int?
    /// The name of the prompt; nil for the newest of ours.
    package var template: String?

    package init(model: String, temperature: Double? = nil, maxTokens: Int? = nil, template: String? = nil) {
        self.model = model
        self.temperature = temperature
        self.maxTokens = maxTokens
        self.template = template
    }
}

package struct ModelPrice: Sendable, Hashable, Codable {
    package var inputPerMillion: Double
    package var outputPerMillion: Double
    /// ISO 4217.
    package var currency: String

    package init(inputPerMillion: Double, outputPerMillion: Double, currency: String) {
        self.inputPerMillion = inputPerMillion
        self.outputPerMillion = outputPerMillion
        self.currency = currency
    }

    /// In billionths of the currency, rounded once.
    package func nanos(input: Int, output: Int) -> Int64 {
        Int64((1_000 * (Double(input) * inputPerMillion + Double(output) * outputPerMillion)).rounded())
    }
}
