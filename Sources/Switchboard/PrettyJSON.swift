import Conversation
import Foundation

/// JSON for eyes: indented, members sorted.
enum PrettyJSON {
    static func text(_ value: JSONValue) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self)
        } catch {
            return CanonicalJSON.text(value)
        }
    }
}
