import Conversation

/// A `request` or `lookup`: method, path, query and body with placeholders.
struct RequestReader {
    /// What the request is for decides what it may do.
    enum Use { case action, lookup, schema }

    enum Method: String, CaseIterable { case get = "GET", post = "POST", put = "PUT", patch = "PATCH", delete = "DELETE" }

    let entry: Entry
    let use: Use

    func read() -> RequestTemplate? {
        guard let members = entry.members(use == .action ? ["method", "path", "query", "body"] : ["method", "path", "query"]) else {
            return nil
        }
        let method = members.required("method", "GET").flatMap { self.method($0) }
        let path = members.required("path", "/…").flatMap { self.path($0) }
        var query: [String: String] = [:]
        for (name, value, _) in members["query"]?.pairs() ?? [] {
            if let text = value.scalar()?.text { query[name] = text }
        }
        let body = members["body"]?.json()
        if let method, method == .get, let entry = members["body"] { entry.problem("a GET has no body", "use query, or another method") }
        guard let method, let path else { return nil }
        return RequestTemplate(method: method.rawValue, path: path, query: query, body: body)
    }

    private func method(_ entry: Entry) -> Method? {
        guard let method = entry.oneOf(Method.self) else { return nil }
        if use != .action, method != .get {
            entry.problem("\"\(method.rawValue)\" could change something", "only GET fetches a schema or looks an effect up")
        }
        return method
    }

    private func path(_ entry: Entry) -> String? {
        guard let value = entry.scalar() else { return nil }
        guard value.text.hasPrefix("/"), !value.text.hasPrefix("//") else {
            entry.problem("\"\(value.raw)\" does not begin with one slash", "write the path below base_url, such as /bookings")
            return nil
        }
        guard value.text.utf8.allSatisfy({ $0 > 32 && $0 < 127 }), !value.text.contains("#"), !value.text.contains("/../") else {
            entry.problem("\"\(value.raw)\" is no path", "percent-encode what is not plain ASCII; no fragment, no /../")
            return nil
        }
        return value.text
    }

    /// Every text of a request that may hold placeholders, with its place.
    static func texts(of entry: Entry) -> [(text: String, entry: Entry)] {
        if entry.isSequence { return entry.items().flatMap { texts(of: $0) } }
        if entry.isMapping { return entry.pairs().flatMap { texts(of: $0.value) } }
        return entry.isNull ? [] : entry.scalar().map { [($0.text, entry)] } ?? []
    }
}
