import Conversation

/// How a decided call relates to calls that are under way or were done lately.
enum Duplicate {
    case none
    /// The same call is on its way.
    case running
    /// The same call was given up with an unknown outcome.
    case unsettled
    /// The same call was done lately.
    case done
}

extension Turn {
    /// The parameters as they are signed: names and normalized values, ids and never labels.
    func signedParams(_ task: ActiveTask, _ action: ActionDefinition) -> JSONValue {
        let names = Set(action.params.map(\.name))
        return .object(task.paramsCollected.filter { names.contains($0.key) && $0.value.isUsable }.compactMapValues(\.value))
    }

    func fingerprint(_ task: ActiveTask, _ action: ActionDefinition) -> [UInt8] {
        brain.signer.fingerprint(
            brand: configuration.id, user: input.user.id, action: action.canonicalName, params: signedParams(task, action))
    }

    func duplicate(of task: ActiveTask, _ action: ActionDefinition) -> Duplicate {
        let own = fingerprint(task, action)
        for open in input.openActions where open.canonicalAction == action.canonicalName {
            if open.taskID == task.taskID { return open.state == .unknown ? .unsettled : .running }
            // A call whose parameters are still remembered is compared by them; of any other the name is all that is known.
            let other = ([state.activeTask].compactMap { $0 } + state.pausedTasks).first { $0.taskID == open.taskID }
            if let other, fingerprint(other, action) != own { continue }
            return open.state == .unknown ? .unsettled : .running
        }
        return action.isWrite && input.recentFingerprints[own] != nil ? .done : .none
    }

    /// Decides the call of the active task: bytes, key and fingerprint are fixed here, once.
    mutating func decide(_ task: ActiveTask, _ action: ActionDefinition) throws(SchemasMissing) {
        if let refusal = input.refusedActions[action.canonicalName] { return try refuse(task, action, refusal) }
        let optional = Set(action.params.filter { !$0.required }.map(\.name))
        let request: FilledRequest
        do throws(MissingValues) {
            request = try RequestFilling.fill(
                action.request, params: task.paramsCollected, user: input.user, schemas: input.schemas, definitions: configuration.schemas,
                extra: ["task_id": .string(task.taskID.description)], optional: optional)
        } catch {
            return try recover(from: error, task, action)
        }
        let params = signedParams(task, action)
        let id = ActionID(brain.ids.next())
        let key = brain.signer.idempotencyKey(
            brand: configuration.id, user: input.user.id, action: action.canonicalName, params: params, taskID: task.taskID)
        // Every write has a body that names what it depends on, so that the signature covers it.
        let body: JSONValue? = request.body ?? (action.isWrite ? params : Optional.none)
        let decision = ActionDecision(
            id: id, taskID: task.taskID, intentID: task.intentID, canonicalAction: action.canonicalName, params: task.paramsCollected,
            method: request.method, target: request.target, body: body.map(CanonicalJSON.bytes), idempotencyKey: key,
            fingerprint: fingerprint(task, action), priority: action.priority)
        effects += [.queue(decision), .timer(Timer(kind: .inlineWait, after: brain.inlineWait, action: id))]
        setStatus(.executing)
        state.activeTask?.actionID = id
        state.activeTask?.interimSaid = false
        state.activeTask?.stopRequested = false
        forgetTries()
        closeQuestion()
        log(state.activeTask ?? task, .queued)
        update(.actionQueued, ["queue_id": .string(id.description)])
    }

    /// A missing value is a missing parameter: asked for when it is one, else the action cannot be done for this customer.
    private mutating func recover(from error: MissingValues, _ task: ActiveTask, _ action: ActionDefinition) throws(SchemasMissing) {
        let roots = error.names.map { $0.split(separator: ".").first.map(String.init) ?? $0 }
        if let parameter = action.params.first(where: { roots.contains($0.name) && !(task.paramsCollected[$0.name]?.isUsable ?? false) }) {
            return try ask(for: parameter, action)
        }
        try block(task, action, error.names.map { "missing:\($0)" }, flipped: false)
    }
}
