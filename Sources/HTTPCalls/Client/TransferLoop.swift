import CCurl
import Conversation

/// Drives all transfers of a client on a thread of its own: takes in commands, lets libcurl work, hands out results, and sleeps until
/// a socket, a timer or a command wakes it. Everything here belongs to that thread.
final class TransferLoop {
    private let mailbox: Mailbox
    private let multi: Multi
    private let settings: ClientSettings
    private var pools: [String: Pool] = [:]
    private var running: [ObjectIdentifier: EasyHandle] = [:]
    /// No later than the earliest deadline of those who wait.
    private var nextExpiry: ContinuousClock.Instant?
    private var nextSweep: ContinuousClock.Instant

    /// A pool unused for so long gives its connections back.
    private static let poolIdleTime: Duration = .seconds(300)
    private static let longestSleep: Duration = .seconds(60)

    init(mailbox: Mailbox, multi: Multi, settings: ClientSettings) {
        self.mailbox = mailbox
        self.multi = multi
        self.settings = settings
        nextSweep = .now + Self.longestSleep
    }

    /// Returns after `Mailbox.stop()`, with every call answered and every connection closed.
    func run() {
        while true {
            let (commands, isStopping) = mailbox.take()
            for command in commands { obey(command) }
            if isStopping { break }
            check(ccurl_events_fire(multi.events))
            collect()
            let now = ContinuousClock.now
            expire(now)
            sweep(now)
            sleep(now)
        }
        close()
    }

    private func sleep(_ now: ContinuousClock.Instant) {
        let until = min(nextExpiry ?? nextSweep, nextSweep, now + Self.longestSleep)
        check(ccurl_events_wait(multi.events, Int(max(0, (until - now).milliseconds + 1))))
    }

    private func obey(_ command: Command) {
        switch command {
        case .start(let transfer): admit(transfer)
        case .cancel(let transfer): cancel(transfer)
        }
    }

    private func pool(named name: String) -> Pool? {
        if let pool = pools[name] { return pool }
        let pool = Pool(settings: settings, now: .now)
        pools[name] = pool
        return pool
    }

    /// A failure of the whole multi handle (no memory, in practice) ends what runs, so that nobody waits for a transfer that is not driven.
    private func check(_ code: CURLMcode) {
        guard code != CURLM_OK else { return }
        for handle in Array(running.values) {
            guard let transfer = handle.transfer else { continue }
            release(handle, transfer)
            transfer.fail(.protocolError, String(cString: curl_multi_strerror(code)))
        }
    }

    private func close() {
        for handle in running.values {
            curl_multi_remove_handle(multi.raw, handle.raw)
            handle.transfer?.fail(.cancelled, "the client was shut down")
            handle.pool.giveBack(handle)
        }
        running = [:]
        for pool in pools.values {
            for transfer in pool.line.removeWaiting(where: { _ in true }) { transfer.fail(.cancelled, "the client was shut down") }
        }
        pools = [:]
        let waiting = mailbox.retire()
        multi.free()
        for continuation in waiting { continuation.resume() }
    }
}

// MARK: The life of a transfer

extension TransferLoop {
    private func admit(_ transfer: Transfer) {
        guard !transfer.isCancelled else { return transfer.fail(.cancelled, "cancelled before it began") }
        guard let pool = pool(named: transfer.call.pool) else { return transfer.fail(.protocolError, "no memory for a connection pool") }
        transfer.phase = .waiting
        pool.line.limit = transfer.call.maxConcurrent
        pool.line.arrive(transfer, host: transfer.request.host)
        nextExpiry = min(nextExpiry ?? transfer.deadline, transfer.deadline)
        startNext(of: pool)
    }

    private func startNext(of pool: Pool) {
        while let transfer = pool.line.next() { start(transfer, in: pool) }
    }

    private func start(_ transfer: Transfer, in pool: Pool) {
        let now = ContinuousClock.now
        pool.lastUsed = now
        let left = (transfer.deadline - now).milliseconds
        guard left > 0 else { return abandon(transfer, pool, .timeout, "the time was over before it was its turn") }
        guard let handle = pool.takeHandle() else { return abandon(transfer, pool, .protocolError, "no memory for a transfer") }
        launch(transfer, on: handle, milliseconds: left)
    }

    private func launch(_ transfer: Transfer, on handle: EasyHandle, milliseconds left: Int64) {
        let pool = handle.pool
        if let code = handle.prepare(transfer, milliseconds: Int(min(left, Self.longestTimeout))) {
            let words = handle.explanation(of: code)
            pool.giveBack(handle)
            return abandon(transfer, pool, .invalidRequest, words)
        }
        let added = curl_multi_add_handle(multi.raw, handle.raw)
        guard added == CURLM_OK else {
            pool.giveBack(handle)
            return abandon(transfer, pool, .protocolError, String(cString: curl_multi_strerror(added)))
        }
        transfer.phase = .running(handle)
        running[ObjectIdentifier(handle)] = handle
    }

    /// libcurl counts in ints of milliseconds.
    private static let longestTimeout: Int64 = 86_400_000

    private func abandon(_ transfer: Transfer, _ pool: Pool, _ kind: HTTPFailure.Kind, _ detail: String) {
        pool.line.leave(host: transfer.request.host)
        transfer.fail(kind, detail)
    }

    private func collect() {
        var code = CURLE_OK
        while let raw = ccurl_next_ended(multi.raw, &code) {
            guard let context = ccurl_private(raw) else { continue }
            let handle = Unmanaged<EasyHandle>.fromOpaque(context).takeUnretainedValue()
            guard let transfer = handle.transfer else { continue }
            if code == CURLE_OK {
                handle.noteAnswer()
                let ended = transfer.takeAnswer(status: ccurl_response_code(raw))
                release(handle, transfer)
                transfer.end(ended)
            } else if transfer.beginsAgain() {
                relaunch(transfer, on: handle)
            } else {
                let failure = TransferFailure.of(code, transfer, words: handle.explanation(of: code))
                release(handle, transfer)
                transfer.end(.failed(failure))
            }
        }
    }

    /// The same call from its beginning, with the time that is left and the place in line that it has.
    private func relaunch(_ transfer: Transfer, on handle: EasyHandle) {
        running[ObjectIdentifier(handle)] = nil
        curl_multi_remove_handle(multi.raw, handle.raw)
        handle.reset()
        let pool = handle.pool
        launch(transfer, on: handle, milliseconds: max(1, (transfer.deadline - .now).milliseconds))
        // When it could not be launched its place in line is free.
        startNext(of: pool)
    }

    /// Takes the handle out of the multi handle and lets the next in line go.
    private func release(_ handle: EasyHandle, _ transfer: Transfer) {
        running[ObjectIdentifier(handle)] = nil
        curl_multi_remove_handle(multi.raw, handle.raw)
        let pool = handle.pool
        pool.lastUsed = .now
        pool.giveBack(handle)
        pool.line.leave(host: transfer.request.host)
        startNext(of: pool)
    }

    private func cancel(_ transfer: Transfer) {
        switch transfer.phase {
        case .new:
            transfer.isCancelled = true
        case .waiting:
            _ = pools[transfer.call.pool]?.line.removeWaiting { $0 === transfer }
            transfer.fail(.cancelled, "cancelled while it waited for its turn")
        case .running(let handle):
            release(handle, transfer)
            transfer.fail(.cancelled, "cancelled")
        case .ended:
            break
        }
    }
}

// MARK: Housekeeping

extension TransferLoop {
    private func expire(_ now: ContinuousClock.Instant) {
        guard let expiry = nextExpiry, expiry <= now else { return }
        nextExpiry = nil
        for pool in pools.values {
            for transfer in pool.line.removeWaiting(where: { $0.deadline <= now }) {
                transfer.fail(.timeout, "the time was over before it was its turn")
            }
            if let earliest = pool.line.waiting.map(\.deadline).min() { nextExpiry = min(nextExpiry ?? earliest, earliest) }
        }
    }

    private func sweep(_ now: ContinuousClock.Instant) {
        guard nextSweep <= now else { return }
        nextSweep = now + Self.longestSleep
        pools = pools.filter { !$0.value.line.isIdle || $0.value.lastUsed + Self.poolIdleTime > now }
    }
}
