import TestKit
import Testing

extension Trait where Self == ConditionTrait {
    /// About the embedded store alone. A run on another one skips it, and says so with the reason.
    static func onlySQLite(because reason: String) -> Self {
        .enabled(if: Rig.kind == .sqlite, "only on \(TestDatabase.Kind.sqlite.rawValue): \(reason)")
    }

    /// The same whichever store a run tests: it is done in the one on SQLite.
    static func once(because reason: String) -> Self {
        .enabled(if: Rig.kind == .sqlite, "once, in the run on \(TestDatabase.Kind.sqlite.rawValue): \(reason)")
    }
}
