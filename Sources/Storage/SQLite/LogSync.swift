import Foundation

/// Makes the write-ahead log durable on a thread of its own, so that the writer runs the next units while the disk works.
/// `@unchecked`: the job is guarded by `condition`, the file belongs to the thread.
final class LogSync: @unchecked Sendable {
    private let file: Int32
    private let path: String
    private let flush: @Sendable (Int32) -> Int32
    private let condition = NSCondition()
    private var job: (() -> Void)?
    private var isClosing = false

    /// `path` is the log's. `flush` makes everything written to a file durable and says 0. Throws `StorageError.cannotOpen`.
    init(path: String, flush: @escaping @Sendable (Int32) -> Int32) throws {
        // A second descriptor of the log: SQLite locks the database and its index, never the log, so closing it releases nobody's lock.
        file = open(path, O_RDWR | O_CLOEXEC)
        guard file >= 0 else { throw StorageError.cannotOpen("\(path): \(String(cString: strerror(errno)))") }
        self.path = path
        self.flush = flush
        let thread = Thread { [self] in loop() }
        thread.name = "sqlite-log-sync"
        thread.stackSize = 4 << 20
        thread.start()
    }

    /// Calls `done` when all that was written to the log before is durable. One at a time.
    func sync(_ done: @escaping () -> Void) {
        condition.lock()
        job = done
        condition.signal()
        condition.unlock()
    }

    /// Finishes what was asked for.
    func close() {
        condition.lock()
        isClosing = true
        condition.signal()
        condition.unlock()
    }

    private func loop() {
        while let done = next() {
            // After a failed flush the system may forget what was not written and call the next one good, so nothing that follows could
            // be promised. Ending here is safe: nobody was told, and the next start finds what is durable.
            guard flush(file) == 0 else { fatalError("\(path) cannot be made durable: \(String(cString: strerror(errno)))") }
            done()
        }
        _ = Foundation.close(file)
    }

    private func next() -> (() -> Void)? {
        condition.lock()
        defer { condition.unlock() }
        while job == nil {
            if isClosing { return nil }
            condition.wait()
        }
        defer { job = nil }
        return job
    }
}
