/// Fills `${NAME}` and `${NAME:-default}` from the environment. `:-` also replaces an empty value; `$${` stands for a literal `${`.
struct EnvironmentExpansion {
    enum Failure: Error, Equatable {
        case missing(String)
        case unclosed
        case badName(String)
    }

    let environment: [String: String]

    /// Whether anything came from outside the file. Throws `Failure`.
    func expand(_ text: String) throws(Failure) -> (text: String, changed: Bool) {
        guard text.contains("${") else { return (text, false) }
        var output = ""
        var changed = false
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            output += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("$${") {
                output += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${") {
                let inner = try Self.inside(rest.dropFirst(2))
                output += try value(of: inner)
                rest = rest[inner.endIndex...].dropFirst()
                changed = true
            } else {
                output += "$"
                rest = rest.dropFirst()
            }
        }
        return (output + rest, changed)
    }

    private func value(of reference: Substring) throws(Failure) -> String {
        let name = reference.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        let tail = reference[name.endIndex...]
        guard let first = name.first, !first.isNumber, tail.isEmpty || tail.hasPrefix(":-") else { throw .badName(String(reference)) }
        let found = environment[String(name)]
        guard tail.hasPrefix(":-") else {
            guard let found else { throw .missing(String(name)) }
            return found
        }
        if let found, !found.isEmpty { return found }
        return try expand(String(tail.dropFirst(2))).text
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
