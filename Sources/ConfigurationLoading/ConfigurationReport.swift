import Conversation

/// The text of `switchboard check`: one line per problem, then a summary.
package struct ConfigurationReport: Sendable, CustomStringConvertible {
    private let loaded: LoadedConfiguration

    /// A report of what `load()` or `reload(over:)` answered.
    package init(_ loaded: LoadedConfiguration) { self.loaded = loaded }

    /// Whether the command ends with exit code 0: warnings do not count.
    package var isOK: Bool { loaded.errors.isEmpty }

    /// Without a line break at the end.
    package var description: String { (loaded.problems.map(\.description) + [summary]).joined(separator: "\n") }

    /// Such as `2 brands, 2 instances, 10 actions: ok`; counts what would run.
    package var summary: String {
        let counts = [
            Self.count(loaded.brands.count, "brand"),
            Self.count(loaded.brands.reduce(0) { $0 + $1.instances.count }, "instance"),
            Self.count(loaded.brands.reduce(0) { $0 + $1.actions.count }, "action"),
        ].joined(separator: ", ")
        var verdict = isOK ? "ok" : Self.count(loaded.errors.count, "problem")
        if !loaded.warnings.isEmpty { verdict += ", " + Self.count(loaded.warnings.count, "warning") }
        if !loaded.stopped.isEmpty { verdict += "; stopped: " + loaded.stopped.map(\.folder).joined(separator: ", ") }
        return "\(counts): \(verdict)"
    }

    private static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}
