/// Fills `${NAME}` and `${NAME:-default}` from the environment. `:-` also replaces an empty value; `$${` stands for a literal `${`.
struct EnvironmentExpansion {
    enum Failure: Error, Equatable {
        case missing(String)
        case unclosed
        case badName(String)
    }

    let environment: [String: String]

    struct Expanded {
        var text = ""
        /// Whether there was a reference, also one that its default answered.
        var changed = false
        /// The variables whose values went into the text.
        var names: Set<String> = []
    }

    func expand(_ text: String) throws(Failure) -> Expanded {
        guard text.contains("${") else { return Expanded(text: text) }
        var output = Expanded()
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            output.text += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("$${") {
                output.text += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${") {
                let inner = try Self.inside(rest.dropFirst(2))
                let value = try value(of: inner)
                output.text += value.text
                output.names.formUnion(value.names)
                output.changed = true
                rest = rest[inner.endIndex...].dropFirst()
            } else {
                output.text += "$"
                rest = rest.dropFirst()
            }
        }
        output.text += rest
        return output
    }

    private func value(of reference: Substring) throws(Failure) -> Expanded {
        let name = reference.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        let tail = reference[name.endIndex...]
        guard let first = name.first, !first.isNumber, tail.isEmpty || tail.hasPrefix(":-") else { throw .badName(String(reference)) }
        let found = environment[String(name)]
        guard tail.hasPrefix(":-") else {
            guard let found else { throw .missing(String(name)) }
            return Expanded(text: found, names: [String(name)])
        }
        if let found, !found.isEmpty { return Expanded(text: found, names: [String(name)]) }
        return try expand(String(tail.dropFirst(2)))
    }

    /// What stands before the brace that closes the reference; a default may hold references of its own.
    private static func inside(_ text: Substring) throws(Failure) -> Substring {
        var depth = 1
        for index in text.indices {
            if text[index] == "{" { depth += 1 }
            if text[index] == "}" { depth -= 1 }
            if depth == 0 { return text[..<index] }
        }
        throw .unclosed
    }
}
