import Conversation
import JSON

/// What the body of a message says: a text or the id of a button or row that was shown.
struct MessageRequest: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case text(String)
        case reply(id: String)
    }

    var requestID: String
    var kind: Kind

    /// A text of 4,096 characters, each escaped as a surrogate pair, and its envelope.
    static let maxBytes = 65_536

    /// Throws a 400, 413 or 422.
    init(_ body: [UInt8]) throws(Refusal) {
        var reader = BodyReader()
        let members = reader.members(
            of: try BodyReader.root(of: body, limit: Self.maxBytes), known: ["request_id", "text", "reply", "attachment"])
        let requestID = reader.text(
            members["request_id"], at: "/request_id", 1...64, where: { $0.consists(ofLettersDigitsAnd: "_-") },
            rule: "must be of letters, digits, _ and -")
        if members["request_id"] == nil { reader.wrong("/request_id", "is missing") }
        let kind = Self.kind(members, &reader)
        try reader.finish()
        // Whatever is missing has been reported and thrown above.
        guard let requestID, let kind else { throw Refusal(invalid: [BodyProblem(pointer: "", message: "says nothing")]) }
        self.requestID = requestID
        self.kind = kind
    }

    private static func kind(_ members: [String: JSONView], _ reader: inout BodyReader) -> Kind? {
        if members["attachment"] != nil {
            reader.wrong("/attachment", "is not taken yet; send a text with a link")
            return nil
        }
        guard (members["text"] == nil) != (members["reply"] == nil) else {
            reader.wrong("", "must have one of text and reply")
            return nil
        }
        if let reply = members["reply"] {
            let fields = reader.members(of: reply, at: "/reply", known: ["id"])
            if reply.isObject, fields["id"] == nil { reader.wrong("/reply/id", "is missing") }
            return reader.text(fields["id"], at: "/reply/id", 1...256).map(Kind.reply)
        }
        return reader.text(
            members["text"], at: "/text", 1...WebChannel.maxText, where: { !$0.allSatisfy(\.isWhitespace) }, rule: "has no words"
        ).map(Kind.text)
    }
}
