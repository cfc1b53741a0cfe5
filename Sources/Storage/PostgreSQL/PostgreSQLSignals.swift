internal import CPostgres
internal import Conversation
import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// Signals between nodes that share a PostgreSQL and have no NATS: `NOTIFY` on a connection of its own, never in the transactions of
/// units, because notifications make commits wait for each other. What cannot be sent is dropped. `@unchecked`: the state is guarded by
/// `condition`, the link stays on the one thread.
package final class PostgreSQLSignals: PeerNetwork, @unchecked Sendable {
    private let url: String
    private let channel: String
    private let report: @Sendable (String) -> Void
    /// Begins every payload of ours, so that we do not hear ourselves.
    private let origin: String
    private let condition = NSCondition()
    private var outgoing: [String] = []
    private var hear: [@Sendable (PeerSignal) -> Void] = []
    private var isClosing = false
    private var hasEnded = false
    private var onEnd: [() -> Void] = []
    private var wakeUp: [Int32] = [-1, -1]
    private var listening = false
    private var onListening: [CheckedContinuation<Void, Never>] = []

    /// Signals that wait to be sent; more are dropped.
    private static let queueLimit = 1000

    /// Connects in the background and again whenever the connection breaks. `channel` is any name that the nodes share; `report` is told
    /// each time the server is lost and found again, once each.
    package init(url: String, channel: String = "switchboard", report: @escaping @Sendable (String) -> Void = { _ in }) {
        (self.url, self.report) = (url, report)
        self.channel = channel.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }.lowercased()
        origin = UUID().uuidString.prefix(8).lowercased()
        _ = pipe(&wakeUp)
        for end in wakeUp { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
        for end in wakeUp { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let thread = Thread { [self] in loop() }
        thread.name = "postgresql-signals"
        thread.stackSize = 1 << 20
        thread.start()
    }

    deinit { for end in wakeUp where end >= 0 { Glibc.close(end) } }

    /// Calls `hear` for every signal of another node from now on, on this network's own thread.
    package func listen(_ hear: @escaping @Sendable (PeerSignal) -> Void) {
        condition.lock()
        self.hear.append(hear)
        condition.unlock()
    }

    package func send(_ signal: PeerSignal) {
        let text = signal.text
        condition.lock()
        // The same thing said twice in one breath is said once.
        let isWanted = !isClosing && outgoing.count < Self.queueLimit && !outgoing.contains(text)
        if isWanted { outgoing.append(text) }
        condition.unlock()
        if isWanted { wake() }
    }

    /// Returns when the connection listens: what others send from now on is heard, unless it breaks again.
    package func connected() async {
        await withCheckedContinuation { continuation in
            condition.lock()
            let isThere = listening || isClosing
            if !isThere { onListening.append(continuation) }
            condition.unlock()
            if isThere { continuation.resume() }
        }
    }

    package func close() async {
        await withCheckedContinuation { continuation in
            condition.lock()
            isClosing = true
            let isOver = hasEnded
            if !isOver { onEnd.append { continuation.resume() } }
            condition.unlock()
            wake()
            if isOver { continuation.resume() }
        }
    }

    private func wake() {
        var byte: UInt8 = 1
        // A full pipe wakes just as well as one byte more.
        _ = Glibc.write(wakeUp[1], &byte, 1)
    }

    // MARK: The thread

    private func loop() {
        var pause: Int32 = 100
        var wasLost = false
        while !isOver() {
            do {
                let link = try PostgreSQLLink(url: url, applicationName: "switchboard-signals", connectTimeout: .seconds(3))
                defer { link.close() }
                link.answerTime = 5000
                try link.execute("SET statement_timeout = 4000; LISTEN \(channel)")
                if wasLost { report("signals between nodes over PostgreSQL work again") }
                (pause, wasLost) = (100, false)
                setListening(true)
                try serve(link)
            } catch {
                if !wasLost { report("no signals between nodes, which costs time: \(error)") }
                wasLost = true
            }
            setListening(false)
            // What waited is old news by the time somebody can be told.
            takeOutgoing()
            if !isOver() {
                sleep(pause)
                pause = min(2000, pause * 2)
            }
        }
        condition.lock()
        hasEnded = true
        let callbacks = onEnd
        let waiting = onListening
        onListening = []
        condition.unlock()
        for continuation in waiting { continuation.resume() }
        for callback in callbacks { callback() }
    }

    private func serve(_ link: PostgreSQLLink) throws {
        var lastWord = MonotonicTime.milliseconds
        while !isOver() {
            for text in takeOutgoing() {
                // The payload holds ids in our own alphabet; quoted all the same.
                try link.execute("NOTIFY \(channel), '\(origin) \(text.replacing("'", with: "''"))'")
                lastWord = MonotonicTime.milliseconds
            }
            deliver(link)
            guard !isOver(), hasNothingToSend else { continue }
            var entries = [PQsocket(link.handle), wakeUp[0]].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            let ready = poll(&entries, 2, 10_000)
            if entries[1].revents != 0 { drainWakeUps() }
            if entries[0].revents != 0 { try link.consume() }
            // A network that swallows everything is noticed by asking.
            if ready == 0, MonotonicTime.milliseconds - lastWord > 9000 {
                try link.execute("SELECT 1")
                lastWord = MonotonicTime.milliseconds
            }
        }
    }

    private func deliver(_ link: PostgreSQLLink) {
        while let notification = PQnotifies(link.handle) {
            defer { PQfreemem(notification) }
            guard let extra = notification.pointee.extra else { continue }
            let payload = String(cString: extra)
            guard let space = payload.firstIndex(of: " "), payload[..<space] != origin,
                let signal = PeerSignal(text: String(payload[payload.index(after: space)...]))
            else { continue }
            condition.lock()
            let listeners = hear
            condition.unlock()
            for listener in listeners { listener(signal) }
        }
    }

    private func setListening(_ value: Bool) {
        condition.lock()
        listening = value
        let waiting = value ? onListening : []
        if value { onListening = [] }
        condition.unlock()
        for continuation in waiting { continuation.resume() }
    }

    private func isOver() -> Bool {
        condition.lock()
        defer { condition.unlock() }
        return isClosing
    }

    private var hasNothingToSend: Bool {
        condition.lock()
        defer { condition.unlock() }
        return outgoing.isEmpty
    }

    @discardableResult private func takeOutgoing() -> [String] {
        condition.lock()
        defer { condition.unlock() }
        let texts = outgoing
        outgoing = []
        return texts
    }

    /// Only the end cuts it short, not what somebody would like to send.
    private func sleep(_ milliseconds: Int32) {
        let deadline = MonotonicTime.milliseconds + Int64(milliseconds)
        while !isOver(), MonotonicTime.milliseconds < deadline {
            var entry = pollfd(fd: wakeUp[0], events: Int16(POLLIN), revents: 0)
            _ = poll(&entry, 1, Int32(clamping: deadline - MonotonicTime.milliseconds))
            drainWakeUps()
        }
    }

    private func drainWakeUps() {
        var bytes = [UInt8](repeating: 0, count: 256)
        while Glibc.read(wakeUp[0], &bytes, bytes.count) > 0 {}
    }
}
