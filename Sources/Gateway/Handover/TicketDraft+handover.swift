internal import Conversation
internal import Storage

extension TicketDraft {
    /// The ticket of a handover, from what was frozen when it was opened.
    init(_ handover: HandoverRecord, brand: String) {
        let payload = handover.payload
        let customer = payload["customer"]
        self.init(
            reference: handover.id, subject: "\(brand): \(handover.reason.words)", priority: handover.priority, reason: handover.reason,
            customer: TicketCustomer(
                user: handover.user, name: customer?["name"]?.string, email: customer?["email"]?.string,
                phone: customer?["phone"]?.string, locale: customer?["locale"]?.string),
            summary: Self.summary(payload, handover), history: (payload["history"]?.array ?? []).compactMap(TicketEntry.init(json:)),
            payload: payload)
    }

    private static func summary(_ payload: JSONValue, _ handover: HandoverRecord) -> String {
        var lines = [
            "Reason: \(handover.reason.words)", "Priority: \(handover.priority.rawValue)", "Offered as: \(handover.channel.rawValue)",
            "Opened: \(handover.createdAt)",
        ]
        lines += list("Summary", [payload["summary"]?.string ?? ""])
        lines += list("Last message", [payload["last_message"]?.string ?? ""])
        lines += list(
            "Tried",
            (payload["attempted_actions"]?.array ?? []).map {
                "\($0["action"]?.string ?? "") (\($0["state"]?.string ?? "")) \(CanonicalJSON.text($0["params"] ?? .null))"
            })
        lines += list(
            "Results",
            (payload["tool_results"]?.array ?? []).map { "\($0["action"]?.string ?? ""): \(CanonicalJSON.text($0["result"] ?? .null))" })
        lines += list("Errors", (payload["errors"]?.array ?? []).compactMap(\.string))
        if let task = payload["flow_state"]?["active_task"], !task.isNull {
            lines += list(
                "In the middle of",
                [
                    "\(task["canonical_action"]?.string ?? "") (\(task["status"]?.string ?? "")) \(CanonicalJSON.text(task["params_collected"] ?? .null))"
                ])
        }
        return lines.joined(separator: "\n")
    }

    /// Nothing at all when there is nothing to list.
    private static func list(_ title: String, _ items: [String]) -> [String] {
        let items = items.filter { !$0.isEmpty }
        return items.isEmpty ? [] : ["\(title):"] + items.map { "- \($0)" }
    }
}

extension HandoverRequest.Trigger {
    /// For people.
    var words: String {
        switch self {
        case .policyViolation: "a policy wants a person to decide"
        case .repeatedFailure: "something failed repeatedly"
        case .userRequest: "the customer asks for a person"
        case .complexity: "too complex for the assistant"
        case .unknownIntent: "the assistant does not understand the customer"
        case .sensitiveTopic: "a topic for people"
        case .systemError: "something went wrong"
        }
    }
}
