import Conversation
import Foundation
import Logging
import Synchronization
import Text

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
