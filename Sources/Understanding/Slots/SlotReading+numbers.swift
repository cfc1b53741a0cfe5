internal import Conversation

extension SlotReading {
    private static let currencies: Set<String> = [
        "$", "€", "£", "¥", "₹", "₽", "₩", "r$", "usd", "eur", "gbp", "jpy", "inr", "mxn", "brl", "chf", "cad", "aud", "dollar", "dollars",
        "buck",
        "bucks", "euro", "euros", "pound", "pounds", "quid", "yen", "rupee", "rupees", "peso", "pesos", "real", "reais", "francs", "cents",
    ]

    /// Amounts of money: a number beside a currency, or the bare number that was asked for.
    mutating func readMoney() {
        guard !parameters(.money).isEmpty else { return }
        var index = 0
        while index < tokens.count {
            guard isFree(index..<index + 1), let number = number(at: index) else {
                index += 1
                continue
            }
            let end = index + number.length
            let hasSign = Self.currencies.contains(tokens.word(index - 1)) || Self.currencies.contains(tokens.word(end))
            if hasSign || isAsked(.money), let parameter = receivers(.money).first {
                let from = Self.currencies.contains(tokens.word(index - 1)) ? index - 1 : index
                let to = Self.currencies.contains(tokens.word(end)) ? end + 1 : end
                take(from..<to)
                found[parameter.name] = bounded(parameter, number.value, raw: tokens.raw(from..<to))
            }
            index = end
        }
    }

    /// Numbers that are part of nothing else.
    mutating func readNumbers() {
        var index = 0
        while index < tokens.count, let parameter = receivers(.number).first {
            guard isFree(index..<index + 1), let number = number(at: index), isFree(index..<index + number.length) else {
                index += 1
                continue
            }
            let end = index + number.length
            // `one` is mostly a pronoun: a number only when a number was asked for.
            if tokens.word(index) == "one", number.length == 1, !isAsked(.number) {
                index = end
                continue
            }
            if !Self.currencies.contains(tokens.word(index - 1)), !Self.currencies.contains(tokens.word(end)) {
                take(index..<end)
                found[parameter.name] = bounded(parameter, number.value, raw: tokens.raw(index..<end))
            }
            index = end
        }
    }

    private func bounded(_ parameter: ParameterDefinition, _ value: Double, raw: String) -> Entity {
        let isLow = parameter.minimum.map { value < $0 } ?? false
        let isHigh = parameter.maximum.map { value > $0 } ?? false
        let json: JSONValue = Int64(exactly: value).map(JSONValue.integer) ?? .number(value)
        return Entity(
            name: parameter.name, kind: parameter.entity, value: isLow || isHigh ? JSONValue?.none : json, raw: raw,
            confidence: parameter.name == request.expecting ? 0.97 : 0.9, problem: isLow || isHigh ? .invalid : nil)
    }

    /// `3`, `-3`, `1,250.50`, `2.5`, `1.5k`, `two hundred`; no ordinals and no parts of words such as `B12`.
    private func number(at index: Int) -> (value: Double, length: Int)? {
        guard let token = tokens[index] else { return nil }
        if token.kind == .word { return NumberWords.spelled(tokens, at: index).map { (Double($0.value), $0.length) } }
        guard token.kind == .number, token.text.count <= 15, NumberWords.ordinal(tokens, at: index) == nil else { return nil }
        if token.isGlued, tokens[index - 1]?.kind == .word { return nil }
        var digits = token.text
        var next = index + 1
        // Groups of three after a comma.
        while tokens.word(next) == ",", tokens[next]?.isGlued == true, let group = tokens[next + 1], group.isGlued, group.kind == .number,
            group.text.count == 3, digits.count <= 15
        {
            digits += group.text
            next += 2
        }
        if tokens.word(next) == "." || tokens.word(next) == ",", tokens[next]?.isGlued == true, let fraction = tokens[next + 1],
            fraction.isGlued,
            fraction.kind == .number, fraction.text.count <= 6
        {
            digits += "." + fraction.text
            next += 2
        }
        guard var value = Double(digits) else { return nil }
        if tokens.word(next) == "k", tokens[next]?.isGlued == true { (value, next) = (value * 1000, next + 1) }
        // `5x` and `5th` are no plain numbers; `5kg` is five of something.
        let isNegative = tokens.word(index - 1) == "-" && tokens[index]?.isGlued == true && tokens[index - 1]?.isGlued == false
        return (isNegative ? -value : value, next - index)
    }
}
