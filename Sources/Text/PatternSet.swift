internal import CRE2

/// Many RE2 patterns matched in one pass over the text. Safe to share between threads.
package final class PatternSet: Sendable {
    package let patterns: [String]
    private let caseSensitive: Bool
    // An immutable C++ object once compiled: RE2 allows any number of threads to match with it.
    private nonisolated(unsafe) let compiled: OpaquePointer?

    /// Throws `PatternError` for the first pattern that does not compile, or when all together need more than 64 MiB.
    package init(_ patterns: [String], caseSensitive: Bool = false) throws(PatternError) {
        self.patterns = patterns
        self.caseSensitive = caseSensitive
        guard !patterns.isEmpty, let set = cre2_set_new(caseSensitive) else {
            compiled = nil
            return
        }
        compiled = set
        for pattern in patterns {
            if let reason = Self.add(pattern, to: set) { throw PatternError(pattern: pattern, reason: reason) }
        }
        guard cre2_set_compile(set) else {
            throw PatternError(pattern: patterns.joined(separator: " | "), reason: "the patterns together are too large")
        }
    }

    deinit {
        if let compiled { cre2_set_free(compiled) }
    }

    /// Indexes into `patterns` of those that occur in the text, ascending; empty when none does.
    package func matches(_ text: String) -> [Int] {
        guard let compiled else { return [] }
        var text = text
        var indexes = [Int32](repeating: 0, count: patterns.count)
        let count = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                cre2_set_match(compiled, $0.baseAddress, $0.count, &indexes, Int32(indexes.count))
            }
        }
        // Out of memory inside the automaton: fall back to one pattern after the other, slower and still linear.
        guard count >= 0 else { return oneByOne(text) }
        return indexes.prefix(Int(count)).map(Int.init).sorted()
    }

    private func oneByOne(_ text: String) -> [Int] {
        patterns.indices.filter { index in
            guard let pattern = try? Pattern(patterns[index], caseSensitive: caseSensitive) else { return false }
            return pattern.matches(text)
        }
    }

    private static func add(_ pattern: String, to set: OpaquePointer) -> String? {
        var text = pattern
        var reason = [CChar](repeating: 0, count: 256)
        let index = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { cre2_set_add(set, $0.baseAddress, $0.count, &reason, reason.count) }
        }
        return index < 0 ? CText.string(reason) : nil
    }
}
