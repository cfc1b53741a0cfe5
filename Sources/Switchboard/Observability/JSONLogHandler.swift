import Conversation
import Foundation
import Logging
import Synchronization

/// One JSON object a line on standard error. Phone numbers and e-mail addresses are masked wherever they stand; ids are left alone.
struct JSONLogHandler: LogHandler {
    private static let output = Mutex(FileHandle.standardError)

    let label: String
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    init(label: String, level: Logger.Level) {
        self.label = label
        logLevel = level
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var fields: [String: JSONValue] = [
            "time": .string(SystemClock().now.description), "level": .string(event.level.rawValue), "logger": .string(label),
            "message": .string(Masking.mask("\(event.message)")),
        ]
        for (key, value) in metadata.merging(event.metadata ?? [:], uniquingKeysWith: { $1 }) where fields[key] == nil {
            fields[key] = .string(Masking.mask("\(value)"))
        }
        let line = CanonicalJSON.bytes(.object(fields)) + [UInt8(ascii: "\n")]
        Self.output.withLock { $0.write(Data(line)) }
    }
}

/// Hides what identifies a person in texts that are not meant for persons.
enum Masking {
    /// Runs of seven or more digits (with the usual separators) that are not part of an id, and everything around an `@`.
    static func mask(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == UInt8(ascii: "@") || (48...57).contains($0) }) else { return text }
        return text.split(separator: " ", omittingEmptySubsequences: false).map { maskWord(String($0)) }.joined(separator: " ")
    }

    private static func maskWord(_ word: String) -> String {
        if let at = word.firstIndex(of: "@"), at != word.startIndex, word[at...].contains(".") { return "•••@•••" }
        if isIdentifier(word) { return word }
        var output = ""
        var digits = ""
        func flush() { output += digits.count >= 7 ? "•••" + digits.suffix(2) : digits }
        for character in word {
            if character.isASCII, character.isNumber {
                digits.append(character)
            } else {
                flush()
                digits = ""
                output.append(character)
            }
        }
        flush()
        return output
    }

    /// Ids of ours (and lanes made of them), times and plain fractions identify nobody.
    private static func isIdentifier(_ word: String) -> Bool {
        let parts = word.split(whereSeparator: { ":,/\"".contains($0) })
        return !parts.isEmpty && parts.contains { UniqueID($0) != nil } || Double(word) != nil && word.contains(".")
            || Timestamp(word) != nil
    }
}
