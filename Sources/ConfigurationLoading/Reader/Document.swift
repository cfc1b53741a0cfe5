import Conversation
import Foundation
import Yams

/// Gathers what is found while loading. Used by one thread of one `load()`.
final class ProblemLog {
    private(set) var problems: [Problem] = []

    /// A value may be looked at twice; its problem is told once.
    func add(_ problem: Problem) {
        if !problems.contains(problem) { problems.append(problem) }
    }

    func hasErrors(in scope: Problem.Scope) -> Bool { problems.contains { $0.scope == scope && $0.severity == .error } }
}

/// One YAML file while it is read: where its problems go and what its values may refer to.
final class Document {
    let file: String
    let scope: Problem.Scope
    let expansion: EnvironmentExpansion
    let validators: Validators
    let log: ProblemLog
    private var variables: Set<String> = []

    init(file: String, scope: Problem.Scope, loading: Loading) {
        self.file = file
        self.scope = scope
        expansion = EnvironmentExpansion(environment: loading.environment)
        validators = loading.validators
        log = loading.log
    }

    func report(_ severity: Problem.Severity = .error, line: Int, key: String, _ what: String, _ remedy: String) {
        log.add(Problem(severity: severity, scope: scope, file: file, line: line, key: key, what: masked(what), remedy: masked(remedy)))
    }

    /// Remembers variables that were filled in, so that no message repeats what they hold.
    func note(_ names: Set<String>) { variables.formUnion(names) }

    /// Messages quote the file, not the environment; this catches names and patterns that were filled in before they were found wrong.
    private func masked(_ text: String) -> String {
        let values = variables.compactMap { name in expansion.environment[name].map { (name: name, value: $0) } }
        // Shorter values would tear words apart and are no secrets.
        return values.filter { $0.value.count >= 4 }.sorted { ($1.value.count, $0.name) < ($0.value.count, $1.name) }
            .reduce(text) { $0.replacing($1.value, with: "${\($1.name)}") }
    }

    var exists: Bool { FileManager.default.fileExists(atPath: file) }
    var name: String { file.split(separator: "/").last.map(String.init) ?? file }

    /// The root of the file; nil when it is missing, unreadable or empty. A missing or empty file is a problem only when it is required.
    func root(required: Bool) -> Entry? {
        guard let data = FileManager.default.contents(atPath: file) else {
            if required || exists { report(line: 1, key: name, "cannot be read", "create the file and make it readable") }
            return nil
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            report(line: Self.lineOfBadByte(in: data), key: name, "holds bytes that are not UTF-8", "save the file as UTF-8")
            return nil
        }
        return compose(text, required: required)
    }

    private func compose(_ text: String, required: Bool) -> Entry? {
        do {
            // Without resolving tags every scalar stays the text that stands in the file; types are read by whoever knows the key.
            if let node = try Yams.compose(yaml: text, .basic) { return Entry(node: node, path: "", document: self) }
            if required { report(line: 1, key: name, "is empty", "fill it in or look at docs/configuration.md") }
        } catch let error as YamlError {
            report(error)
        } catch {
            report(line: 1, key: name, "cannot be parsed", "check the YAML syntax")
        }
        return nil
    }

    private func report(_ error: YamlError) {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
            let tab = problem.contains("cannot start any token") ? "; tabs cannot indent" : ""
            report(line: mark.line, key: name, "YAML syntax: \(problem)", "fix column \(mark.column)\(tab)")
        case .duplicatedKeysInMapping(let keys, let context):
            let names = keys.joined(separator: ", ")
            report(line: max(1, context.mark.line), key: names, "stands twice in one mapping", "keep one of them")
        case .reader(let problem, let offset, _, let text):
            let line = 1 + text.utf8.prefix(offset ?? 0).count { $0 == UInt8(ascii: "\n") }
            report(line: line, key: name, "YAML syntax: \(problem)", "remove control characters and save the file as UTF-8")
        case .no, .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded:
            report(line: 1, key: name, "cannot be parsed", "check the YAML syntax")
        }
    }

    private static func lineOfBadByte(in data: Data) -> Int {
        let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        return 1 + (lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0)
    }
}
