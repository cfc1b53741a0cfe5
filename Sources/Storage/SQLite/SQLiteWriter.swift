internal import Conversation
import Foundation

/// The one thread that writes. It drains whatever has gathered into one transaction, commits, and wakes everybody: the busier it is,
/// the larger the groups; alone, a unit waits for nothing. `@unchecked`: the queue is guarded by `condition`, the connection by the thread.
final class SQLiteWriter: @unchecked Sendable {
    struct Unit {
        /// Runs the unit and keeps its result; throws what the unit threw.
        var work: (SQLiteConnection) throws -> Void
        /// Nil when the effects are durable.
        var finish: ((any Error)?) -> Void
    }

    private let connection: SQLiteConnection
    private let condition = NSCondition()
    private var waiting: [Unit] = []
    private var isClosing = false
    private var hasEnded = false
    private var onEnd: [() -> Void] = []
    /// Units in one commit at the most: bounds how long a commit can take.
    private let groupLimit = 512
    /// Seconds without work after which the log is folded back.
    private static let quiet = 0.05
    /// Pages in the log above which it is folded back between two commits; a sixty-fourth of that is enough when nobody came for a while.
    private let checkpointPages: Int

    init(connection: SQLiteConnection, checkpointPages: Int) {
        self.connection = connection
        self.checkpointPages = checkpointPages
        connection.countLogPages()
        let thread = Thread { [self] in loop() }
        thread.name = "sqlite-writer"
        thread.stackSize = 4 << 20
        thread.start()
    }

    func add(_ unit: Unit) {
        condition.lock()
        let accepted = !isClosing
        if accepted {
            waiting.append(unit)
            if waiting.count == 1 { condition.signal() }
        }
        condition.unlock()
        if !accepted { unit.finish(StorageError.closed) }
    }

    func close() async {
        await withCheckedContinuation { continuation in
            condition.lock()
            isClosing = true
            if hasEnded {
                condition.unlock()
                continuation.resume()
                return
            }
            onEnd.append { continuation.resume() }
            condition.signal()
            condition.unlock()
        }
    }

    private func loop() {
        while let group = nextGroup() {
            if !group.isEmpty { commit(group) }
            if group.isEmpty || connection.pagesInLog >= checkpointPages { checkpoint() }
        }
        connection.close()
        condition.lock()
        hasEnded = true
        let callbacks = onEnd
        condition.unlock()
        for callback in callbacks { callback() }
    }

    /// Empty when nobody came for a while and the log is worth folding back; nil when all is done.
    private func nextGroup() -> [Unit]? {
        condition.lock()
        defer { condition.unlock() }
        while waiting.isEmpty {
            if isClosing { return nil }
            if connection.pagesInLog < checkpointPages / 64 {
                condition.wait()
            } else if !condition.wait(until: Date(timeIntervalSinceNow: Self.quiet)), waiting.isEmpty, !isClosing {
                return []
            }
        }
        let group = Array(waiting.prefix(groupLimit))
        waiting.removeFirst(group.count)
        return group
    }

    /// Not while somebody waits for a commit, unless the log has grown long.
    private func checkpoint() {
        CrashPoint.logFoldedBack.pass()
        // What could not be folded back (a full disk) stays in the log, which holds it just as safely; the next time takes it along.
        _ = try? connection.foldLogBack()
        CrashPoint.logFoldedBack.pass()
    }

    /// First without savepoints, which cost a copy of every page they touch; when a unit fails, once more with them.
    private func commit(_ first: [Unit]) {
        var group = first
        do {
            try runTogether(&group)
            for unit in group { unit.finish(nil) }
        } catch {
            rollBack()
            if group.count == 1 { return group[0].finish(error) }
            commitOneByOne(group)
        }
    }

    /// What arrives while the group runs joins it: the commit is what everybody pays for, and nobody waits for it longer than for the next.
    private func runTogether(_ group: inout [Unit]) throws {
        try connection.run(Self.begin, [])
        var next = 0
        while next < group.count {
            try group[next].work(connection)
            next += 1
            if next == group.count { group += latecomers(room: groupLimit - group.count) }
        }
        CrashPoint.insertedNotCommitted.pass()
        try connection.run(Self.commit, [])
    }

    private func latecomers(room: Int) -> [Unit] {
        condition.lock()
        defer { condition.unlock() }
        let late = Array(waiting.prefix(room))
        waiting.removeFirst(late.count)
        return late
    }

    private func commitOneByOne(_ group: [Unit]) {
        var failures = [(any Error)?](repeating: nil, count: group.count)
        do {
            try connection.run(Self.begin, [])
            for (index, unit) in group.enumerated() {
                try connection.run(Self.savepoint, [])
                do {
                    try unit.work(connection)
                } catch {
                    failures[index] = error
                    guard !connection.isIdle else { throw error }
                    try connection.run(Self.rollBackToSavepoint, [])
                }
                try connection.run(Self.release, [])
            }
            try connection.run(Self.commit, [])
        } catch {
            rollBack()
            failures = failures.map { $0 ?? error }
        }
        for (unit, failure) in zip(group, failures) { unit.finish(failure) }
    }

    private func rollBack() {
        guard !connection.isIdle else { return }
        do {
            try connection.run(Self.rollback, [])
        } catch {
            preconditionFailure("SQLite cannot roll back: \(error)")
        }
    }

    private static let begin = SQL("BEGIN IMMEDIATE")
    private static let commit = SQL("COMMIT")
    private static let rollback = SQL("ROLLBACK")
    private static let savepoint = SQL("SAVEPOINT unit")
    private static let rollBackToSavepoint = SQL("ROLLBACK TO unit")
    private static let release = SQL("RELEASE unit")
}
