import Foundation

/// Threads with a read-only connection each, fed from one queue. `@unchecked`: the queue is guarded by `condition`.
final class SQLiteReaders: @unchecked Sendable {
    typealias Job = (SQLiteConnection) -> Void

    private let condition = NSCondition()
    private var jobs: [Job] = []
    private var isClosing = false

    /// Throws `StorageError.cannotOpen`.
    init(path: String, count: Int) throws {
        for number in 0..<count {
            let connection = try SQLiteConnection(path: path, readOnly: true)
            let thread = Thread { [self] in
                while let job = next() { job(connection) }
            }
            thread.name = "sqlite-reader-\(number)"
            thread.stackSize = 4 << 20
            thread.start()
        }
    }

    /// False when closed; then the job is not run.
    func add(_ job: @escaping Job) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        if isClosing { return false }
        jobs.append(job)
        condition.signal()
        return true
    }

    func close() {
        condition.lock()
        isClosing = true
        condition.broadcast()
        condition.unlock()
    }

    private func next() -> Job? {
        condition.lock()
        defer { condition.unlock() }
        while jobs.isEmpty {
            if isClosing { return nil }
            condition.wait()
        }
        return jobs.removeFirst()
    }
}
