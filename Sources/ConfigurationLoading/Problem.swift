/// One thing that is wrong with the configuration, with the place and the way out. Never holds a value that came from the environment.
package struct Problem: Sendable, Hashable, CustomStringConvertible {
    package enum Severity: String, Sendable, Hashable {
        /// What it concerns (see `Scope`) cannot run.
        case error
        /// It runs, but not quite as the file suggests.
        case warning
    }

    /// What a problem stops.
    package enum Scope: Sendable, Hashable {
        /// `switchboard.yaml`: the gateway itself.
        case installation
        /// A channel's manifest.
        case channel(String)
        /// One brand, by the name of its folder; the others go on.
        case brand(String)
    }

    package var severity: Severity
    /// What it stops when it is an error.
    package var scope: Scope
    /// As reached from the configuration root that was given, such as `config/brands/salon/actions.yaml`.
    package var file: String
    /// Counted from 1.
    package var line: Int
    /// Path of the key in its file, such as `actions[0].params[1].name`.
    package var key: String
    /// What is wrong.
    package var what: String
    /// What would be right.
    package var remedy: String

    /// An error unless said otherwise.
    package init(severity: Severity = .error, scope: Scope, file: String, line: Int, key: String, what: String, remedy: String) {
        self.severity = severity
        self.scope = scope
        self.file = file
        self.line = line
        self.key = key
        self.what = what
        self.remedy = remedy
    }

    /// `file:line: key: what is wrong; what would be right`.
    package var description: String { "\(file):\(line): \(key): \(severity == .warning ? "warning: " : "")\(what); \(remedy)" }
}
