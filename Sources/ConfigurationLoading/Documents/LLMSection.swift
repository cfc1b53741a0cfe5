import Conversation

/// `llm` of `brand.yaml`. Its form is checked; asking a model is not part of this version.
struct LLMSection {
    let entry: Entry

    func check() {
        guard let members = entry.members(["base_url", "api_key", "models", "prices", "timeout_s", "allow_private_addresses"]) else {
            return
        }
        if let models = members["models"] { for (_, model, _) in models.pairs() { check(model: model) } }
        if let prices = members["prices"] { for (_, price, _) in prices.pairs() { check(price: price) } }
        if let timeout = members["timeout_s"] { _ = timeout.seconds(upTo: 600) }
        if let key = members["api_key"] { _ = key.scalar() }
        if let addresses = members["allow_private_addresses"] { _ = addresses.addresses() }
        guard let url = members["base_url"], let value = url.scalar(), !value.text.isEmpty, url.url() != nil else { return }
        url.warning("this version understands messages without a model", "leave base_url empty until a version that uses it")
    }

    /// A model's name, or its name with settings.
    private func check(model: Entry) {
        guard model.isMapping else {
            _ = model.text()
            return
        }
        guard let members = model.members(["model", "temperature", "max_tokens", "template"]) else { return }
        _ = members.required("model", "…")?.text()
        _ = members["temperature"]?.number(0...2)
        _ = members["max_tokens"]?.integer(1...1_000_000)
        _ = members["template"]?.text()
    }

    private func check(price: Entry) {
        guard let members = price.members(["input_per_million", "output_per_million", "currency"]) else { return }
        _ = members.required("input_per_million", "0.15")?.number(0...1_000_000)
        _ = members.required("output_per_million", "0.60")?.number(0...1_000_000)
        guard let currency = members.required("currency", "USD"), let code = currency.scalar() else { return }
        let isCode = code.text.utf8.count == 3 && code.text.utf8.allSatisfy { (65...90).contains($0) }
        if !isCode { currency.problem("\"\(code.raw)\" is not a currency code", "write three capital letters such as USD") }
    }
}
