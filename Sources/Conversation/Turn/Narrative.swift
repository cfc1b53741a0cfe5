/// What the next words must say, whoever words them.
package struct Narrative: Sendable, Hashable, Codable {
    package enum Instruction: String, Sendable, Codable {
        case askForParams = "ask_for_params"
        case reportProgress = "report_progress"
        case reportCompletion = "report_completion"
        case handleBlocker = "handle_blocker"
        case reportError = "report_error"
        case clarify, confirm, choose, handover
        /// Greetings, thanks and the like.
        case converse
    }

    package var instruction: Instruction
    package var primary: String
    /// What must be said.
    package var must: [String]
    package var optional: [String]
    package var expectingResponse: Bool

    package init(instruction: Instruction, primary: String, must: [String] = [], optional: [String] = [], expectingResponse: Bool = false) {
        self.instruction = instruction
        self.primary = primary
        self.must = must
        self.optional = optional
        self.expectingResponse = expectingResponse
    }
}

/// Progress that programs and pages can follow while a turn and its actions run.
package struct StreamingUpdate: Sendable, Hashable {
    package enum Kind: String, Sendable, CaseIterable {
        case actionLookup = "action_lookup"
        case actionNotFound = "action_not_found"
        case intentLogged = "intent_logged"
        case fetchingSchemas = "fetching_schemas"
        case schemasFetched = "schemas_fetched"
        case checkingEligibility = "checking_eligibility"
        case eligibilityChecked = "eligibility_checked"
        case actionBlocked = "action_blocked"
        case collectingParams = "collecting_params"
        case actionQueued = "action_queued"
        case actionExecuting = "action_executing"
        case actionProgress = "action_progress"
        case actionCompleted = "action_completed"
        case actionFailed = "action_failed"
    }

    package var kind: Kind
    package var at: Timestamp
    /// The fields of that kind.
    package var fields: [String: JSONValue]

    package init(_ kind: Kind, at: Timestamp, _ fields: [String: JSONValue] = [:]) {
        self.kind = kind
        self.at = at
        self.fields = fields
    }

    package var json: JSONValue {
        .object(fields.merging(["update_type": .string(kind.rawValue), "timestamp": .string(at.description)]) { $1 })
    }
}
