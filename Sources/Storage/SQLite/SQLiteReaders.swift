import Foundation

/// Threads with a read-only connection each, fed from one queue. `@unchecked`: the queue is guarded by `condition`.
final class SQLiteReaders: @unchecked Sendable {
    typealias Job = (SQLiteConnection) -> Void

    private let condition = NSCondition()
    private var jobs: [Job] = []
    private var isClosing = false
    /// Threads that still have their connection.
    private var open = 0
    private var onEnd: [() -> Void] = []

    /// Throws `StorageError.cannotOpen`.
    init(path: String, count: Int) throws {
        for number in 0..<count {
            let connection = try SQLiteConnection(path: path, readOnly: true)
            let thread = Thread { [self] in
                while let job = next() { job(connection) }
                connection.close()
                ended()
            }
            open += 1
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

    /// Returns when what was asked before is answered and the files are closed.
    func close() async {
        await withCheckedContinuation { continuation in
            condition.lock()
            isClosing = true
            let isOver = open == 0
            if !isOver { onEnd.append { continuation.resume() } }
            condition.broadcast()
            condition.unlock()
            if isOver { continuation.resume() }
        }
    }

    private func ended() {
        condition.lock()
        open -= 1
        let callbacks = open == 0 ? onEnd : []
        condition.unlock()
        for callback in callbacks { callback() }
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
