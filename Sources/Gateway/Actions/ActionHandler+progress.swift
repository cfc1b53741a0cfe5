internal import Conversation
internal import Storage

/// Progress while a call runs: `action_executing` when it begins to be noticeable, then a step every three seconds.
extension ActionHandler {
    /// A call that ends sooner is not worth an update of its own.
    static let firstAfter = Duration.milliseconds(300)
    private static let step = Duration.seconds(3)

    func withProgress(
        _ action: ActionRecord, _ definition: ActionDefinition, _ context: TaskContext, _ work: @escaping @Sendable () async -> CallOutcome
    ) async -> CallOutcome {
        await withTaskGroup(of: CallOutcome?.self) { group in
            group.addTask { await work() }
            group.addTask {
                await report(action, definition, context)
                return nil
            }
            var outcome = CallOutcome.unknown(reason: "the call ended without an outcome")
            for await result in group {
                guard let result else { continue }
                outcome = result
                group.cancelAll()
            }
            return outcome
        }
    }

    private func report(_ action: ActionRecord, _ definition: ActionDefinition, _ context: TaskContext) async {
        let clock = context.store.clock
        var progress: Int64 = 0
        do {
            try await clock.sleep(until: clock.now + Self.firstAfter)
            try await append(
                StreamingUpdate(.actionExecuting, at: clock.now, ["progress": 0, "queue_id": .string(action.id.description)]), action,
                context)
            var steps = definition.progress[...]
            while true {
                try await clock.sleep(until: clock.now + Self.step)
                progress = min(progress + 20, 80)
                let current = steps.count > 1 ? steps.removeFirst() : steps.first ?? definition.displayName
                let fields: [String: JSONValue] = [
                    "progress": .integer(progress), "current_step": .string(current), "queue_id": .string(action.id.description),
                ]
                try await append(StreamingUpdate(.actionProgress, at: clock.now, fields), action, context)
            }
        } catch {
            // Cancelled because the call ended, or the store is in trouble: progress is no reason to disturb the call.
            return
        }
    }

    private func append(_ update: StreamingUpdate, _ action: ActionRecord, _ context: TaskContext) async throws {
        let screen = registry.screen(of: action.instance)
        try await context.note {
            try $0.show([update], session: action.session, instance: action.instance, user: action.user, on: screen)
        }
    }
}
