import Conversation

extension Turn {
    /// Takes what was read into the task. Returns the parameters whose usable value or partial knowledge really changed.
    mutating func merge(_ found: [String: Entity], expecting: String? = nil) -> Set<String> {
        var changed: Set<String> = []
        for (name, entity) in found.sorted(by: { $0.key < $1.key }) {
            let old = state.activeTask?.paramsCollected[name]
            if entity.isUsable {
                // The same value again is no news, but it settles a doubt.
                if old?.value != entity.value || !(old?.isUsable ?? false) { changed.insert(name) }
                state.activeTask?.paramsCollected[name] = entity
                continue
            }
            // A word that fits nothing must not cost a good value, unless it was the answer to just that question.
            if let old, old.isUsable, entity.problem == .invalid || entity.problem == nil, name != expecting { continue }
            var kept = entity
            // Partly known values are never lost to words that say less.
            if kept.partial == nil { kept.partial = old?.partial }
            if kept.partial != old?.partial { changed.insert(name) }
            if let problem = entity.problem { problems[name] = problem }
            state.activeTask?.paramsCollected[name] = kept
        }
        let now = input.now
        if !changed.isEmpty { state.activeTask?.updatedAt = now }
        return changed
    }

    /// Fills what was not said: defaults, and an option that is the only one where the customer is asked to confirm anyway.
    mutating func fillDefaults(_ action: ActionDefinition) throws(SchemasMissing) {
        for parameter in action.params where state.activeTask?.paramsCollected[parameter.name] == nil {
            if let value = parameter.defaultValue.flatMap(defaultValue) {
                state.activeTask?.paramsCollected[parameter.name] = Entity(
                    name: parameter.name, kind: parameter.entity, value: value, raw: value.plainText, source: .default)
                continue
            }
            guard parameter.required, action.confirm != nil, action.isWrite else { continue }
            let options = try list(of: parameter)
            if options.count == 1, let only = options.first {
                state.activeTask?.paramsCollected[parameter.name] = Self.entity(only, parameter, source: .schema)
            }
        }
        try refreshItems(action)
    }

    private func defaultValue(_ template: String) -> JSONValue? {
        let scope = PlaceholderScope(user: input.user, schemas: input.schemas, definitions: configuration.schemas)
        let parts = Placeholders.parts(template)
        if parts.count == 1, case .name(let name, _)? = parts.first { return scope.value(name) }
        let (text, missing) = scope.text(template, phrases)
        return missing.isEmpty && !text.isEmpty ? .string(text) : nil
    }

    /// A chosen id without its item (one that came from a result) gets label and item from the brand's list.
    private mutating func refreshItems(_ action: ActionDefinition) throws(SchemasMissing) {
        for parameter in action.params where parameter.entity == .choice {
            guard let entity = state.activeTask?.paramsCollected[parameter.name], entity.isUsable, entity.label == nil,
                let option = try list(of: parameter).first(where: { $0.id == entity.value?.plainText })
            else { continue }
            state.activeTask?.paramsCollected[parameter.name] = Self.entity(option, parameter, source: entity.source)
        }
    }

    /// Asks for one parameter, with what was wrong about the last try in front.
    mutating func ask(for parameter: ParameterDefinition, _ action: ActionDefinition) throws(SchemasMissing) {
        let entity = state.activeTask?.paramsCollected[parameter.name]
        let problem = problems[parameter.name] ?? entity?.problem?.lasting
        var options = try list(of: parameter)
        let readings = problem?.readings ?? []
        if !readings.isEmpty { options = readings }
        let context = QuestionContext(action.canonicalName, parameter.name).text
        var text = [problem.flatMap { problemText($0, parameter) }, asking(parameter, problem, entity)].compactMap { $0 }
            .filter { !$0.isEmpty }.joined(separator: " ")
        if let source = parameter.source { text += staleness(of: [source.schema]) }
        setStatus(.collectingParams)
        guard !options.isEmpty else {
            let sheet = AnswerSheet(
                type: parameter.entity == .text ? .text : .entity, entityType: parameter.entity, validation: parameter.pattern,
                context: context, required: parameter.required)
            question = Question(instruction: .askForParams, text: text, sheet: sheet, clarification: .awaitingSlot)
            return
        }
        question = choice(text, options, context: context, instruction: readings.isEmpty ? .askForParams : .choose)
    }

    /// A question with options: buttons up to ten, else numbered lines.
    func choice(_ text: String, _ options: [ChoiceOption], context: String, instruction: Narrative.Instruction) -> Question {
        let sheet = AnswerSheet(
            type: .singleChoice, options: Dictionary(options.map { ($0.id, [$0.label] + $0.synonyms) }) { first, _ in first },
            order: Self.unique(options.map(\.id)), context: context)
        var question = Question(instruction: instruction, text: text, sheet: sheet, shown: options, clarification: .awaitingSelection)
        if options.count <= 10 {
            question.options = options.map { ($0.id, $0.label, $0.description) }
        } else {
            var lines = options.prefix(30).enumerated().map { "\($0 + 1). \($1.label)" }
            if options.count > 30 { lines.append(responder.text(["options.more"], ["count": .integer(Int64(options.count - 30))])) }
            question.text = ([text] + lines).joined(separator: "\n")
        }
        return question
    }

    private func asking(_ parameter: ParameterDefinition, _ problem: SlotProblem?, _ entity: Entity?) -> String {
        let plain = parameter.ask.isEmpty ? responder.text(["ask"], ["name": .string(Responder.fieldName(parameter.name))]) : parameter.ask
        guard let problem else { return plain }
        switch problem {
        case .incomplete(let missing):
            guard let known = known(entity?.partial) else { return plain }
            let key = missing == "date" ? "incomplete.date" : "incomplete.time"
            return responder.text([key], ["known": .string(known)])
        case .ambiguous: return responder.text(["problem.ambiguous"])
        case .past, .closed, .invalid, .nonexistent: return plain
        }
    }

    private func known(_ partial: JSONValue?) -> String? {
        (partial?["date"]?.string).map(phrases.date) ?? (partial?["time"]?.string).map(phrases.time)
    }

    private func problemText(_ problem: SlotProblem, _ parameter: ParameterDefinition) -> String? {
        switch problem {
        case .incomplete, .ambiguous: return nil
        case .past: return responder.text(["problem.past"])
        case .nonexistent: return responder.text(["problem.nonexistent"])
        case .invalid: return responder.text([parameter.entity == .choice ? "problem.choice" : "problem.invalid"])
        case .closed(let day, let hours):
            let day = JSONValue.string(phrases.weekday(day))
            guard !hours.isEmpty else { return responder.text(["problem.closed_all_day"], ["day": day]) }
            let spans = hours.map { $0.split(separator: "-").map { phrases.time(String($0)) }.joined(separator: "–") }
            return responder.text(["problem.closed"], ["day": day, "hours": .string(spans.joined(separator: ", "))])
        }
    }

    /// Forgets fruitless tries; refusals by the brand are counted on until the action is done.
    mutating func forgetTries() {
        let refusals = state.clarification.attempts.filter { $0.key.hasPrefix(Self.refusalMark) }
        state.clarification = .init()
        state.clarification.attempts = refusals
    }

    static let refusalMark = "refused:"

    /// Counts a try that brought nothing. True when that was the last one: then a person takes over.
    mutating func isFruitless(_ subject: String) -> Bool {
        state.clarification.attempts[subject, default: 0] += 1
        state.clarification.total += 1
        guard state.clarification.attempts[subject, default: 0] >= 3 || state.clarification.total >= 10 else { return false }
        let known = state.activeTask?.paramsCollected.filter { $0.value.isUsable }.keys.sorted().joined(separator: ", ") ?? ""
        let action = state.activeTask?.canonicalAction ?? ""
        let tries = "\(state.clarification.attempts[subject, default: 0]) tries for \(subject), \(state.clarification.total) in all"
        let isStuck = state.clarification.attempts[subject, default: 0] >= 3
        handOver(isStuck ? .repeatedFailure : .complexity, "\(action): \(tries); collected: \(known.isEmpty ? "nothing" : known)")
        state.clarification = .init()
        state.clarification.state = .maxRetriesExceeded
        return true
    }
}

extension SlotProblem {
    /// Problems that a later question must still speak of; the others concern only the words just said.
    var lasting: SlotProblem? {
        switch self {
        case .incomplete, .ambiguous: self
        case .past, .closed, .invalid, .nonexistent: nil
        }
    }
}
