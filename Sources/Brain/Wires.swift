package import Conversation

extension Wires {
    /// The eight wires with their outside names.
    package var json: JSONValue {
        [
            "expecting_response": .bool(state.expectingResponse),
            "answer_sheet": state.answerSheet?.json ?? .null,
            "active_task": state.activeTask?.json ?? .null,
            "previous_intents": .array(state.previousIntents.suffix(5).map(\.json)),
            "available_signals": .array((state.answerSheet?.availableSignals ?? []).map(JSONValue.string)),
            "conversation_context": state.context.json,
            "popular_actions": .array(popularActions.prefix(7).map(Self.popular)),
            "session_summary": JSONValue(state.sessionSummary),
        ]
    }

    private static func popular(_ action: ActionDefinition) -> JSONValue {
        [
            "canonical_action": .string(action.canonicalName), "display_name": .string(action.displayName),
            "description": .string(action.description), "category": .string(action.category),
        ]
    }
}

extension AnswerSheet {
    var json: JSONValue {
        var fields: [String: JSONValue] = [
            "type": .string(type.rawValue), "context": .string(context), "required": .bool(required),
            "options": .object(options.mapValues { .array($0.map(JSONValue.string)) }),
        ]
        if let entityType { fields["entity_type"] = .string(entityType.rawValue) }
        if let validation { fields["validation"] = .string(validation) }
        let limits = [
            "min_selections": minSelections, "max_selections": maxSelections, "min_length": minLength, "max_length": maxLength,
        ]
        for (name, limit) in limits { if let limit { fields[name] = .integer(Int64(limit)) } }
        return .object(fields)
    }
}

extension ActiveTask {
    var json: JSONValue {
        [
            "task_id": .string(taskID.description), "canonical_action": .string(canonicalAction),
            "action_type": .string(actionType.rawValue),
            "params_required": .array(paramsRequired.map(JSONValue.string)),
            "params_collected": .object(paramsCollected.compactMapValues { $0.isUsable ? $0.value : nil }),
            "params_missing": .array(paramsMissing.map(JSONValue.string)), "status": .string(status.rawValue),
            "created_at": .string(createdAt.description), "updated_at": .string(updatedAt.description),
        ]
    }
}

extension PreviousIntent {
    var json: JSONValue {
        var fields: [String: JSONValue] = [
            "intent_type": .string(intentType.rawValue), "confidence": .number(confidence), "timestamp": .string(timestamp.description),
            "turn": .integer(Int64(turn)),
        ]
        if let canonicalAction { fields["canonical_action"] = .string(canonicalAction) }
        if let matchedSignal { fields["matched_signal"] = .string(matchedSignal) }
        return .object(fields)
    }
}

extension ConversationContext {
    var json: JSONValue {
        [
            "domain": .string(domain), "user_state": .string(userState.rawValue), "last_action": JSONValue(lastAction),
            "pending_confirmation": .bool(pendingConfirmation), "awaiting": JSONValue(awaiting),
        ]
    }
}
