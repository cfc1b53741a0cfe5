internal import Conversation
import Foundation

/// Threads with a connection each, started when they are needed and fed from one set of lines. Units of one line never run on two
/// connections at once, so that one process never waits for a lock of its own. `@unchecked`: everything is guarded by `condition`.
final class PostgreSQLPool: @unchecked Sendable {
    typealias Unit = PostgreSQLUnit
    typealias Perform = (PostgreSQLConnection, PostgreSQLPool, [Unit]) -> Void

    private let name: String
    private let settings: PostgreSQLSettings
    private let threads: Int
    /// Units that a connection takes at once, at the most.
    private let groupLimit: Int
    private let perform: Perform

    private let condition = NSCondition()
    /// Where threads without a connection wait for the next try; apart from `condition`, whose signals are for work.
    private let pause = NSCondition()
    private var lines = PostgreSQLLines()
    private var isClosing = false
    /// Threads that were started and have not ended.
    private var running = 0
    private var started = 0
    private var idle = 0
    private var connected = 0
    private var problem = "not connected yet"
    private var onEnd: [() -> Void] = []

    init(name: String, settings: PostgreSQLSettings, threads: Int, groupLimit: Int, perform: @escaping Perform) {
        self.name = name
        self.settings = settings
        self.threads = threads
        self.groupLimit = groupLimit
        self.perform = perform
        start(name: "\(name)-watch") { [self] in watch() }
    }

    private func start(name: String, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread(block: body)
        thread.name = name
        thread.stackSize = 4 << 20
        thread.start()
    }

    // MARK: From outside

    func add(_ unit: Unit) {
        condition.lock()
        let accepted = !isClosing
        if accepted {
            lines.add(unit)
            callForHands()
        }
        condition.unlock()
        if !accepted { unit.finish(StorageError.closed) }
    }

    /// Finishes what was handed in, then lets go of the connections.
    func close() async {
        await withCheckedContinuation { continuation in
            condition.lock()
            isClosing = true
            let isOver = running == 0 && lines.isEmpty
            if !isOver { onEnd.append { continuation.resume() } }
            condition.broadcast()
            condition.unlock()
            pause.lock()
            pause.broadcast()
            pause.unlock()
            if isOver { continuation.resume() }
        }
    }

    /// Somebody should look at the lines. Called with the lock held.
    private func callForHands() {
        guard lines.hasReady else { return }
        if idle > 0 {
            condition.signal()
        } else if started < threads {
            started += 1
            running += 1
            start(name: "\(name)-\(started)") { [self] in work() }
        }
    }

    // MARK: For those who perform

    /// What has come meanwhile to the lines of a group.
    func latecomers(_ group: [Unit]) -> [Unit] {
        condition.lock()
        defer { condition.unlock() }
        return lines.more(for: Set(group.map(\.line)), limit: groupLimit - group.count)
    }

    /// The connection broke before these had any effect: they run again on another, unless that happened to them too often.
    func giveBack(_ units: [Unit], _ error: any Error) {
        // A server that restarts leaves every thread with a connection that is broken, and a unit may meet them all.
        let most = threads + 2
        let (again, over) = (units.filter { $0.returns < most }, units.filter { $0.returns >= most })
        condition.lock()
        for var unit in again.reversed() {
            unit.returns += 1
            lines.putBack(unit)
        }
        condition.unlock()
        for unit in over { unit.finish(error) }
    }

    // MARK: Threads

    private func work() {
        var connection: PostgreSQLConnection?
        while true {
            if connection == nil { connection = connect() }
            guard let open = connection, let group = next() else { break }
            perform(open, self, group)
            condition.lock()
            lines.release(group)
            callForHands()
            if open.isBroken {
                connected -= 1
                problem = open.failure.map { "\($0)" } ?? "the connection broke"
            }
            condition.unlock()
            if open.isBroken {
                open.close()
                connection = nil
            }
        }
        connection?.close()
        end(wasConnected: connection != nil)
    }

    private func end(wasConnected: Bool) {
        condition.lock()
        running -= 1
        if wasConnected { connected -= 1 }
        let isLast = running == 0
        // Nobody is left to run these: the server could not be reached.
        let left = isLast ? lines.takeAll() : []
        let callbacks = isLast ? onEnd : []
        let error = StorageError.unavailable(problem)
        condition.unlock()
        for unit in left { unit.finish(error) }
        for callback in callbacks { callback() }
    }

    /// Nil when the store is closed and nothing waits.
    private func next() -> [Unit]? {
        condition.lock()
        defer { condition.unlock() }
        while true {
            let hands = 1 + idle + threads - started
            if let group = lines.take(limit: groupLimit, hands: hands) {
                callForHands()
                return group
            }
            if isClosing, lines.isEmpty { return nil }
            // Lines that others work on are theirs to finish.
            if isClosing, !lines.hasReady { return nil }
            idle += 1
            condition.wait()
            idle -= 1
        }
    }

    /// Tries until the server answers; nil when the store is closed meanwhile.
    private func connect() -> PostgreSQLConnection? {
        var wait = 0.1
        while true {
            do {
                let connection = try PostgreSQLConnection(settings)
                condition.lock()
                connected += 1
                condition.unlock()
                return connection
            } catch {
                condition.lock()
                problem = "\(error)"
                let isOver = isClosing
                condition.unlock()
                if isOver { return nil }
            }
            pause.lock()
            _ = pause.wait(until: Date(timeIntervalSinceNow: wait * Double.random(in: 0.75...1.25)))
            pause.unlock()
            wait = min(2, wait * 2)
        }
    }

    /// Refuses what has waited too long: briefly when there is no connection at all, longer behind others.
    private func watch() {
        while true {
            pause.lock()
            _ = pause.wait(until: Date(timeIntervalSinceNow: 0.2))
            pause.unlock()
            condition.lock()
            let patience = connected == 0 ? settings.options.patience : settings.options.longestWait
            let overdue = lines.overdue(before: MonotonicTime.milliseconds - patience.milliseconds)
            let text = connected == 0 ? problem : "all connections are busy"
            let isOver = isClosing && running == 0
            condition.unlock()
            for unit in overdue { unit.finish(StorageError.unavailable(text)) }
            if isOver { return }
        }
    }
}
