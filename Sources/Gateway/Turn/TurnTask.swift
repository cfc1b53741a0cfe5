internal import Conversation
internal import Storage

/// The kinds of turn tasks and their payloads.
enum TurnTask {
    static let message = NewTask.message
    static let toolResult = "tool_result"
    static let inlineWait = "inline_wait"
    static let handedBack = "handed_back"
    /// A message that the brand sends outside a turn.
    static let send = "send"
}

/// How an action's end travels from its task to the lane.
extension ActionReport {
    var payload: JSONValue {
        [
            "action": .string(id.description), "state": .object(state.fields), "result": .object(result), "body": body,
        ]
    }

    /// Nil when the payload was not written by `payload`.
    init?(payload: JSONValue, action: ActionID, taskID: UniqueID, intentID: IntentID, name: String, params: [String: Entity]) {
        guard let state = payload["state"].flatMap(State.init(fields:)) else { return nil }
        self.init(
            id: action, taskID: taskID, intentID: intentID, canonicalAction: name, params: params, state: state,
            result: payload["result"]?.object ?? [:], body: payload["body"] ?? .null)
    }
}

extension ActionReport.State {
    fileprivate var fields: [String: JSONValue] {
        switch self {
        case .done(let complete): ["is": "done", "complete": .bool(complete)]
        case .refused(let status, let detail): ["is": "refused", "status": .integer(Int64(status)), "detail": JSONValue(detail)]
        case .notDone(let reason): ["is": "not_done", "reason": .string(reason)]
        case .unknown(let reason): ["is": "unknown", "reason": .string(reason)]
        case .retrying(let attempt, let reason): ["is": "retrying", "attempt": .integer(Int64(attempt)), "reason": .string(reason)]
        case .cancelled: ["is": "cancelled"]
        }
    }

    fileprivate init?(fields: JSONValue) {
        let reason = fields["reason"]?.string ?? ""
        switch fields["is"]?.string {
        case "done": self = .done(complete: fields["complete"]?.bool ?? true)
        case "refused": self = .refused(status: Int(fields["status"]?.integer ?? 0), detail: fields["detail"]?.string)
        case "not_done": self = .notDone(reason: reason)
        case "unknown": self = .unknown(reason: reason)
        case "retrying": self = .retrying(attempt: Int(fields["attempt"]?.integer ?? 0), reason: reason)
        case "cancelled": self = .cancelled
        default: return nil
        }
    }
}
