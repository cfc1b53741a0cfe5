import Conversation

/// Rules that tie the parts of one action together.
struct ActionCheck {
    let members: Members
    let requestEntry: Entry
    let action: ActionDefinition
    let reading: BrandReading

    func run() {
        checkSafety()
        checkBody()
        checkOrder()
        let texts = RequestReader.texts(of: requestEntry)
        let lookupTexts = members["lookup"].map { RequestReader.texts(of: $0) } ?? []
        reading.afterwards { [self] in
            var scope = PlaceholderScope(reading: reading, params: action.params)
            if let entry = members["confirm"], let text = action.confirm { scope.check(text, at: entry) }
            scope.allowsFormats = false
            for (text, entry) in texts { scope.check(text, at: entry) }
            scope.extras = ["idempotency_key", "task_id"]
            for (text, entry) in lookupTexts { scope.check(text, at: entry) }
        }
    }

    private var place: Entry { members["safety"] ?? members["request"] ?? members.entry }

    private func checkSafety() {
        if action.request.method == "GET", action.isWrite {
            place.problem("a GET has no effect, so its safety is read", "write \"safety: read\", or use the method that the effect needs")
        }
        if action.safety == .queryable, members["lookup"] == nil {
            place.problem(
                "queryable, and nothing to look the effect up with",
                "add \"lookup: { method: GET, path: /…, query: { reference: \"{task_id}\" } }\"")
        }
        if let entry = members["lookup"], action.safety != .queryable {
            entry.problem("only \"safety: queryable\" looks effects up", "write that, or remove lookup")
        }
        if let entry = members["lookup"], let lookup = action.lookup,
            !Self.names(in: lookup).contains(where: { ["idempotency_key", "task_id"].contains($0) })
        {
            entry.problem("the look-up does not name what it looks for", "use {idempotency_key} or {task_id} in its path or query")
        }
        if action.isWrite, let list = members["result_list"] {
            list.problem("a write tells no list", "remove it, or write \"safety: read\"")
        }
    }

    /// Only bodies are signed, so a write says in its body everything that it depends on.
    private func checkBody() {
        guard action.isWrite, action.request.method != "GET" else { return checkTypedIdentifiers() }
        guard let body = action.request.body, body.object?.isEmpty != true, !body.isNull else {
            let entry = members["request"] ?? members.entry
            entry.problem("a write without a body", "add \"body: { … }\" with every id that the write depends on: only bodies are signed")
            return checkTypedIdentifiers()
        }
        let signed = Set(Self.texts(in: body).flatMap { Placeholder.parse($0).placeholders }.map { canonical($0) })
        for placeholder in outsideBody() where !signed.contains(canonical(placeholder)) {
            requestEntry.problem(
                "{\(placeholder.body)} stands in the path or query and not in the body", "repeat it in the body: only bodies are signed")
        }
        checkTypedIdentifiers()
    }

    /// What a customer types never selects another customer's records.
    private func checkTypedIdentifiers() {
        for placeholder in outsideBody() {
            guard let parameter = action.params.first(where: { $0.name == placeholder.name }) else { continue }
            guard parameter.entity == .phone || parameter.entity == .email else { continue }
            requestEntry.problem(
                "a typed \(parameter.entity.rawValue) would select whose record this is",
                "use {user.\(parameter.entity.rawValue)}, which the channel proved, or send {\(parameter.name)} in the body only")
        }
    }

    private func outsideBody() -> [Placeholder] {
        ([action.request.path] + action.request.query.sorted { $0.key < $1.key }.map(\.value)).flatMap {
            Placeholder.parse($0).placeholders
        }
    }

    /// A choice alone stands for its id.
    private func canonical(_ placeholder: Placeholder) -> String {
        let isChoice = action.params.contains { $0.name == placeholder.name && $0.entity == .choice }
        return isChoice && placeholder.fields == ["id"] ? placeholder.name : placeholder.body
    }

    /// Actions that wait for each other in a circle can never begin.
    private func checkOrder() {
        reading.afterwards { [self] in
            guard let entry = members["eligibility"], !action.eligibility.after.isEmpty else { return }
            var open = action.eligibility.after
            var seen: Set<String> = []
            while let name = open.popLast() {
                if name == action.canonicalName, !action.eligibility.after.contains(name) {
                    return entry.problem("\"after\" leads in a circle back to \(name)", "remove one of the dependencies")
                }
                guard seen.insert(name).inserted else { continue }
                open += reading.action(name)?.eligibility.after ?? []
            }
        }
    }

    private static func names(in request: RequestTemplate) -> [String] {
        ([request.path] + request.query.values).flatMap { Placeholder.parse($0).placeholders.map(\.name) }
    }

    private static func texts(in value: JSONValue) -> [String] {
        switch value {
        case .string(let text): [text]
        case .array(let items): items.flatMap { texts(in: $0) }
        case .object(let members): members.values.flatMap { texts(in: $0) }
        case .null, .bool, .integer, .number: []
        }
    }
}
