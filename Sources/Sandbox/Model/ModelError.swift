import Conversation

/// A refusal in the form in which OpenAI-compatible endpoints write them.
struct ModelError: Error, Equatable {
    var status = 400
    var message: String
    var type = "invalid_request_error"
    /// The field concerned.
    var parameter: String?
    /// Stable, for programs.
    var code: String?

    var answer: StandInAnswer { .json(status, json) }

    var json: JSONValue {
        [
            "error": [
                "message": .string(message), "type": .string(type), "param": JSONValue(parameter), "code": JSONValue(code),
            ]
        ]
    }

    /// A field that is unknown, missing or not as it must be.
    init(_ error: FieldError) {
        parameter = error.field
        if error.problem.hasSuffix("is required") || error.problem.hasPrefix("is missing") {
            message = "Missing required parameter: '\(error.field)'."
            code = "missing_required_parameter"
        } else if error.problem.hasPrefix("is not a known field") {
            message = "Unknown parameter: '\(error.field)'."
            code = "unknown_parameter"
        } else {
            message = "Invalid '\(error.field)': it \(error.problem)."
            code = "invalid_value"
        }
    }

    init(_ message: String, parameter: String? = nil, code: String? = nil, status: Int = 400) {
        self.message = message
        self.parameter = parameter
        self.code = code
        self.status = status
    }

    static let noKey = ModelError("You did not provide an API key: send it as Authorization: Bearer.", status: 401)
    static let wrongKey = ModelError("Incorrect API key provided.", code: "invalid_api_key", status: 401)

    /// What a bare status that a test asked for looks like.
    static func onDemand(status: Int) -> ModelError {
        switch status {
        case 429:
            var error = ModelError("Rate limit reached, as a test asked for.", code: "rate_limit_exceeded", status: status)
            error.type = "requests"
            return error
        case 500...:
            var error = ModelError("The server had an error, as a test asked for.", status: status)
            error.type = "server_error"
            return error
        default: return ModelError("A fault that was asked for.", status: status)
        }
    }
}
