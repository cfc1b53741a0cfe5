import Conversation

/// A refusal in the form in which the Graph API writes them.
struct GraphError: Error, Equatable {
    var status: Int
    var code: Int
    var subcode: Int?
    var type = "OAuthException"
    var message: String
    var details: String

    var json: JSONValue {
        var error: [String: JSONValue] = [
            "message": .string(message), "type": .string(type), "code": .integer(Int64(code)),
            "error_data": ["messaging_product": "whatsapp", "details": .string(details)],
            "fbtrace_id": .string("A" + Hex.encode((0..<11).map { _ in UInt8.random(in: 0...255) })),
        ]
        error["error_subcode"] = subcode.map { .integer(Int64($0)) }
        return ["error": .object(error)]
    }

    /// A field that is unknown, missing or not as it must be.
    static func invalid(_ error: FieldError) -> GraphError {
        GraphError(status: 400, code: 100, message: "(#100) Invalid parameter", details: "Parameter \(error.sentence)")
    }

    static let badToken = GraphError(
        status: 401, code: 190, message: "Invalid OAuth access token - Cannot parse access token",
        details: "The access token does not belong to this phone number.")

    static func unknownObject(_ id: String) -> GraphError {
        GraphError(
            status: 400, code: 100, subcode: 33, type: "GraphMethodException",
            message: "Unsupported request. The object with ID '\(id)' does not exist, or may not be used with this token.",
            details: "The stand-in knows two phone numbers: \(SandboxInstance.all.map(\.phoneNumberID).joined(separator: " and ")).")
    }

    /// Meta: more than 24 hours have passed since the customer last wrote; only templates may be sent.
    static let windowClosed = GraphError(
        status: 400, code: 131047, message: "(#131047) Re-engagement message",
        details: "More than 24 hours have passed since the recipient last wrote to this number.")
}
