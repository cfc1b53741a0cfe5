package import Conversation

/// What streaming updates say to people who look at a screen: each with a line, and with how far things are where that is known. Text
/// channels hear nothing of them: there a person who waits is told once, and the result speaks for itself. Machines poll them as they are.
package struct UpdateTranslator: Sendable {
    private let templates: [String: String]

    /// The brand's own words stand under `status.<update type>`, such as `status.action_queued`.
    package init(templates: [String: String]) { self.templates = templates }

    /// The fields of an update as the customer may see them: why a call failed is the brand's business, so of an `error` only the outcome
    /// is left.
    package static func forCustomers(_ fields: [String: JSONValue]) -> [String: JSONValue] {
        guard let error = fields["error"] else { return fields }
        return fields.merging(["error": ["outcome": error["outcome"] ?? .null]]) { $1 }
    }

    /// The update as the customer may see it, with `status_line`, and with `progress` (0 to 100) for an action on its way.
    package func screen(_ update: StreamingUpdate) -> StreamingUpdate {
        var update = update
        update.fields = Self.forCustomers(update.fields)
        update.fields["status_line"] = .string(line(update))
        switch update.kind {
        case .actionQueued: update.fields["progress"] = 0
        case .actionCompleted: update.fields["progress"] = 100
        case .actionFailed, .actionExecuting, .actionProgress, .actionLookup, .actionNotFound, .intentLogged, .fetchingSchemas,
            .schemasFetched,
            .checkingEligibility, .eligibilityChecked, .actionBlocked, .collectingParams:
            break
        }
        return update
    }

    private func line(_ update: StreamingUpdate) -> String {
        if update.kind == .actionProgress, let step = update.fields["current_step"]?.string { return step }
        if let own = templates["status.\(update.kind.rawValue)"] { return own }
        // What a policy refuses is no lack that the customer could mend.
        let reasons = update.fields["reasons"]?.array?.compactMap(\.string) ?? []
        if reasons.contains(where: { reason in ["filter:", "rule:", "rate_limited:"].contains { reason.hasPrefix($0) } }) {
            return "That isn't possible"
        }
        return Self.line(update.kind)
    }

    private static func line(_ kind: StreamingUpdate.Kind) -> String {
        switch kind {
        case .actionLookup, .intentLogged: "Understanding your message"
        case .actionNotFound: "Nothing I can do here"
        case .fetchingSchemas, .schemasFetched: "Looking up your details"
        case .checkingEligibility, .eligibilityChecked: "Checking"
        case .actionBlocked: "Something is missing first"
        case .collectingParams: "Waiting for your answer"
        case .actionQueued: "Getting started"
        case .actionExecuting, .actionProgress: "Working on it"
        case .actionCompleted: "Done"
        case .actionFailed: "That did not work"
        }
    }
}
