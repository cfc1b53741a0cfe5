internal import CSimdjson
package import Conversation

extension JSONView {
    /// The whole value, copied out of the document; null when there is nothing here. Of members with one name the first counts.
    package var value: JSONValue {
        if let text = string { return .string(text) }
        if let members { return .object(Dictionary(members.map { ($0.key, $0.value.value) }) { first, _ in first }) }
        if let array { return .array(array.map(\.value)) }
        if let flag = bool { return .bool(flag) }
        if let whole = int { return .integer(Int64(whole)) }
        if let number = double { return .number(number) }
        return .null
    }
}

extension JSONValue {
    /// Reads one JSON text from outside. Throws `JSONError`.
    package init(parsing bytes: [UInt8]) throws { self = try JSONDocument.parse(bytes).root.value }
}
