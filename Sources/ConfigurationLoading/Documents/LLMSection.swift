import Conversation

/// `llm` of `brand.yaml`: the brand's model endpoint. Its form is checked also while `base_url` is empty, which means: no model.
struct LLMSection {
    let entry: Entry
    private static let keys = [
        "base_url", "api_key", "models", "prices", "timeout_s", "max_concurrent", "daily_tokens", "pause_s",
        "allow_private_addresses",
    ]

    /// Nil without a model, and when the section cannot be used: then that has been reported.
    func read() -> ModelConfiguration? {
        guard let members = entry.members(Self.keys) else { return nil }
        let functions = members["models"].map { models($0) } ?? [:]
        let prices = members["prices"].map { self.prices($0) } ?? [:]
        let timeout = members["timeout_s"].map { $0.seconds(upTo: 600) } ?? .seconds(8)
        let concurrent = members["max_concurrent"].map { $0.integer(1...1_000) } ?? 8
        let daily = members["daily_tokens"].map { $0.integer(0...1_000_000_000_000) }
        let pause = members["pause_s"].map { $0.number(0...3_600) } ?? 30
        let key = members["api_key"]?.scalar().map { Secret($0.text) }
        let addresses = members["allow_private_addresses"]?.addresses() ?? []
        guard let place = members["base_url"], let value = place.scalar(), !value.text.isEmpty, let url = place.url() else { return nil }
        guard let timeout, let concurrent, let pause, checkKey(key, members["api_key"]) else { return nil }
        if functions.isEmpty, members["models"].map({ $0.isMapping && $0.pairs().isEmpty }) ?? true {
            place.warning("an endpoint without models is not used", "add models: { intent: <name of a model>, response: <name> }")
        }
        return ModelConfiguration(
            baseURL: url, apiKey: key.flatMap { $0.isEmpty ? nil : $0 }, functions: functions, prices: prices, timeout: timeout,
            maxConcurrent: concurrent, dailyTokens: daily ?? nil, pause: .milliseconds(Int64(pause * 1000)),
            allowPrivateAddresses: addresses)
    }

    /// A line break at the end of a key would end up in a header.
    private func checkKey(_ key: Secret?, _ entry: Entry?) -> Bool {
        guard let key, key.reveal().utf8.contains(where: { $0 <= 32 || $0 >= 127 }) else { return true }
        entry?.problem("the key holds spaces or control characters", "check for a line break at its end")
        return false
    }

    private func models(_ entry: Entry) -> [ModelFunction: ModelSettings] {
        var functions: [ModelFunction: ModelSettings] = [:]
        let names = ModelFunction.allCases.map(\.rawValue)
        for (name, model, line) in entry.pairs() {
            guard let function = ModelFunction(rawValue: name) else {
                let remedy = Suggestion.remedy(for: name, in: names, noun: "function")
                model.document.report(line: line, key: model.path, "no function \"\(name)\" asks a model", remedy)
                continue
            }
            if let settings = settings(model, function) { functions[function] = settings }
        }
        return functions
    }

    /// A model's name, or its name with settings.
    private func settings(_ model: Entry, _ function: ModelFunction) -> ModelSettings? {
        guard model.isMapping else { return model.text().map { ModelSettings(model: $0) } }
        guard let members = model.members(["model", "temperature", "max_tokens", "template"]) else { return nil }
        let name = members.required("model", "…")?.text()
        let temperature = members["temperature"]?.number(0...2)
        let tokens = members["max_tokens"]?.integer(1...1_000_000)
        let template = members["template"].flatMap { self.template($0, function) }
        return name.map { ModelSettings(model: $0, temperature: temperature, maxTokens: tokens, template: template) }
    }

    private func template(_ entry: Entry, _ function: ModelFunction) -> String? {
        guard let name = entry.text() else { return nil }
        let known = PromptTemplate.builtIn[function] ?? []
        if known.contains(name) { return name }
        entry.problem("no prompt \"\(name)\" for \(function.rawValue)", Suggestion.remedy(for: name, in: known, noun: "prompt"))
        return nil
    }

    private func prices(_ entry: Entry) -> [String: ModelPrice] {
        var prices: [String: ModelPrice] = [:]
        for (model, price, _) in entry.pairs() { prices[model] = self.price(price) }
        return prices
    }

    private func price(_ entry: Entry) -> ModelPrice? {
        guard let members = entry.members(["input_per_million", "output_per_million", "currency"]) else { return nil }
        let input = members.required("input_per_million", "0.15")?.number(0...1_000_000)
        let output = members.required("output_per_million", "0.60")?.number(0...1_000_000)
        guard let currency = members.required("currency", "USD"), let code = currency.scalar() else { return nil }
        let isCode = code.text.utf8.count == 3 && code.text.utf8.allSatisfy { (65...90).contains($0) }
        if !isCode { currency.problem("\"\(code.raw)\" is not a currency code", "write three capital letters such as USD") }
        guard let input, let output, isCode else { return nil }
        return ModelPrice(inputPerMillion: input, outputPerMillion: output, currency: code.text)
    }
}
