internal import CRE2

/// Why a pattern was refused, in the words of RE2.
package struct PatternError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The pattern as written.
    package let pattern: String
    /// What is wrong with it, such as `missing ): (a`.
    package let reason: String
    package var description: String { "\(reason) in pattern \(pattern)" }
}

/// One RE2 regular expression: linear time on any text, however hostile pattern and text are. Safe to share between threads.
package final class Pattern: Sendable {
    /// The words of one match; groups that took no part are nil.
    package struct Match: Sendable, Hashable {
        package var range: Range<String.Index>
        /// The whole match first, then the groups in order.
        package var groups: [String?]
    }

    package let source: String
    // An immutable C++ object: RE2 allows any number of threads to match with one compiled pattern.
    private nonisolated(unsafe) let compiled: OpaquePointer
    private let groupCount: Int

    /// Throws `PatternError` when the pattern does not compile or would need more than 8 MiB.
    package init(_ source: String, caseSensitive: Bool = false) throws(PatternError) {
        var text = source
        var reason = [CChar](repeating: 0, count: 256)
        let pointer = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                cre2_pattern_new($0.baseAddress, $0.count, caseSensitive, &reason, reason.count)
            }
        }
        guard let pointer else { throw PatternError(pattern: source, reason: CText.string(reason)) }
        self.source = source
        compiled = pointer
        groupCount = Int(cre2_pattern_groups(pointer))
    }

    deinit { cre2_pattern_free(compiled) }

    /// Whether the pattern describes all of the text.
    package func matchesWhole(_ text: String) -> Bool { run(text, from: 0, full: true, groups: 0) != nil }

    /// Whether the pattern occurs in the text.
    package func matches(_ text: String) -> Bool { run(text, from: 0, full: false, groups: 0) != nil }

    /// The first occurrence with its groups.
    package func first(in text: String) -> Match? { match(text, from: 0, full: false) }

    /// A match of all the text with its groups.
    package func whole(_ text: String) -> Match? { match(text, from: 0, full: true) }

    /// Occurrences from left to right that do not overlap, at most `limit`.
    package func all(in text: String, limit: Int = 64) -> [Match] {
        var found: [Match] = []
        var from = 0
        let length = text.utf8.count
        while found.count < limit, from <= length, let spans = run(text, from: from, full: false, groups: groupCount + 1) {
            let (start, end) = (spans[0].start, spans[0].end)
            if let match = Self.describe(spans, in: text) { found.append(match) }
            // An empty match moves on by one byte; RE2 itself steps over the rest of a character.
            from = end > start ? end : end + 1
        }
        return found
    }

    private func match(_ text: String, from: Int, full: Bool) -> Match? {
        run(text, from: from, full: full, groups: groupCount + 1).flatMap { Self.describe($0, in: text) }
    }

    private func run(_ text: String, from: Int, full: Bool, groups: Int) -> [cre2_span]? {
        var text = text
        var spans = [cre2_span](repeating: cre2_span(start: -1, end: -1), count: groups)
        let isFound = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                cre2_pattern_match(compiled, $0.baseAddress, $0.count, from, full, &spans, Int32(groups))
            }
        }
        return isFound ? spans : nil
    }

    private static func describe(_ spans: [cre2_span], in text: String) -> Match? {
        let groups = spans.map { span -> String? in
            guard span.start >= 0 else { return nil }
            return String(text.utf8[range(span, in: text)])
        }
        return spans.first.map { Match(range: range($0, in: text), groups: groups) }
    }

    private static func range(_ span: cre2_span, in text: String) -> Range<String.Index> {
        let start = text.utf8.index(text.startIndex, offsetBy: span.start)
        return start..<text.utf8.index(start, offsetBy: span.end - span.start)
    }
}

enum CText {
    /// The text before the terminator, with broken UTF-8 replaced.
    static func string(_ characters: some Sequence<CChar>) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
