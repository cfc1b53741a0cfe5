import Conversation
import Yams

/// A scalar after the environment was filled in.
struct ScalarText {
    /// As it stands in the file: the only form that may be printed.
    let raw: String
    let text: String
    /// Written without quotes, or filled from the environment: may be read as a number or a flag.
    let isBare: Bool
}

extension Entry {
    func scalar() -> ScalarText? {
        guard case .scalar(let scalar) = node else {
            problem("is not a single value", "write one text, number, true or false")
            return nil
        }
        do {
            let expanded = try document.expansion.expand(scalar.string)
            document.note(expanded.names)
            return ScalarText(
                raw: scalar.string, text: expanded.text, isBare: expanded.changed || scalar.style == .plain || scalar.style == .any)
        } catch {
            switch error {
            case .missing(let name): problem("environment variable \(name) is not set", "set \(name), or give a default: ${\(name):-…}")
            case .unclosed: problem("\"${\" has no closing brace", "write ${NAME} or ${NAME:-default}; $${ for the characters themselves")
            case .badName(let text): problem("\"${\(text)}\" names no environment variable", "write ${NAME} or ${NAME:-default}")
            }
            return nil
        }
    }

    /// A text that is not empty.
    func text() -> String? {
        guard let value = scalar() else { return nil }
        if value.text.allSatisfy(\.isWhitespace) {
            problem("is empty", "write a text or leave the key out")
            return nil
        }
        return value.text
    }

    func texts() -> [String] { items().compactMap { $0.text() } }

    /// Texts of one form; those of another are reported and left out.
    func texts(_ form: SettingForm) -> [String] {
        items().compactMap { item in
            guard let value = item.scalar() else { return nil }
            if form.accepts(value.text) { return value.text }
            item.problem("\"\(value.raw)\" is not \(form.name)", form.remedy)
            return nil
        }
    }

    /// One of the values of a closed set.
    func oneOf<Value: RawRepresentable & CaseIterable>(_ type: Value.Type) -> Value? where Value.RawValue == String {
        guard let value = scalar() else { return nil }
        if let known = Value(rawValue: value.text) { return known }
        let names = Value.allCases.map(\.rawValue)
        let known = "one of " + names.joined(separator: ", ")
        let near = Suggestion.nearest(to: value.raw, in: names).map { "did you mean \"\($0)\"? It is " } ?? "write "
        problem("\"\(value.raw)\" is not allowed", near + known)
        return nil
    }

    func flag() -> Bool? {
        guard let value = scalar() else { return nil }
        switch (value.isBare, value.text) {
        case (true, "true"): return true
        case (true, "false"): return false
        case (true, _), (false, _):
            problem("\"\(value.raw)\" is not a truth value", "write true or false, without quotes")
            return nil
        }
    }

    func integer(_ range: ClosedRange<Int>) -> Int? {
        guard let value = scalar() else { return nil }
        guard value.isBare, let number = Int(value.text) else {
            problem(
                "\"\(value.raw)\" is not a whole number", "write a number from \(range.lowerBound) to \(range.upperBound), without quotes")
            return nil
        }
        guard range.contains(number) else {
            problem("\(value.raw) is out of range", "write a number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    func number(_ range: ClosedRange<Double>) -> Double? {
        guard let value = scalar() else { return nil }
        let bounds = "\(CanonicalJSON.number(range.lowerBound)) to \(CanonicalJSON.number(range.upperBound))"
        guard value.isBare, let number = Double(value.text), number.isFinite else {
            problem("\"\(value.raw)\" is not a number", "write a number from \(bounds), without quotes")
            return nil
        }
        guard range.contains(number) else {
            problem("\(value.raw) is out of range", "write a number from \(bounds)")
            return nil
        }
        return number
    }

    /// Seconds, to the millisecond, above zero and at most `maximum`.
    func seconds(upTo maximum: Double) -> Duration? {
        number(0.001...maximum).map { .milliseconds(Int64(($0 * 1000).rounded())) }
    }

    /// Waits in seconds; not empty.
    func waits() -> [Double]? {
        let waits = items().compactMap { $0.number(0.001...86_400) }
        if isSequence, items().isEmpty { problem("is empty", "write the waits in seconds, such as [2, 4, 8, 16]") }
        return waits.isEmpty ? nil : waits
    }

    /// The value as JSON: bare `true`, `false`, `null` and numbers keep their type.
    func json() -> JSONValue? {
        if isNull { return .null }
        switch node {
        case .sequence: return .array(items().compactMap { $0.json() })
        case .mapping: return .object(Dictionary(pairs().compactMap { pair in pair.value.json().map { (pair.key, $0) } }) { $1 })
        case .scalar:
            guard let value = scalar() else { return nil }
            return value.isBare ? Self.typed(value.text) : .string(value.text)
        case .alias:
            problem("is an alias that cannot be followed", "write the value out")
            return nil
        }
    }

    private static func typed(_ text: String) -> JSONValue {
        if text == "true" { return true }
        if text == "false" { return false }
        guard text.utf8.allSatisfy({ "+-.eE0123456789".utf8.contains($0) }) else { return .string(text) }
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        // A leading zero or plus is part of a code or a phone number, not of a number.
        guard let first = digits.first, first.isNumber, !(first == "0" && digits.dropFirst().first?.isNumber == true) else {
            return .string(text)
        }
        if let whole = Int64(text) { return .integer(whole) }
        return Double(text).map(JSONValue.number) ?? .string(text)
    }
}
