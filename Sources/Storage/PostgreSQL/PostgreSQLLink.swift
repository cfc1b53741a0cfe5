internal import CPostgres
internal import Conversation

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// One libpq connection that never blocks longer than its answer time. `@unchecked` because a link stays on the one thread that owns it.
final class PostgreSQLLink: @unchecked Sendable {
    let handle: OpaquePointer
    /// Nothing more can be asked of it.
    private(set) var isBroken = false
    /// Milliseconds a server may take for one answer before the link is given up: above its own statement time-out, so that this only
    /// ever meets a server or a network that stands still.
    var answerTime: Int64 = 30_000
    private var isClosed = false

    /// Throws `StorageError.cannotOpen` for an address that cannot be read, `.unavailable` when nobody answers there.
    init(url: String, applicationName: String, connectTimeout: Duration) throws {
        try Self.check(url)
        // What stands before `dbname` yields to the address, what stands after it does not. libpq takes two seconds at the least.
        let seconds = max(2, Int(connectTimeout.components.seconds))
        let settings = [
            ("application_name", applicationName), ("connect_timeout", "\(seconds)"), ("keepalives_idle", "10"),
            ("keepalives_interval", "5"), ("keepalives_count", "3"), ("tcp_user_timeout", "15000"), ("dbname", url),
            ("client_encoding", "UTF8"),
        ]
        let names = settings.map { strdup($0.0) } + [nil]
        let values = settings.map { strdup($0.1) } + [nil]
        defer { for text in names + values { free(text) } }
        let made = names.map { UnsafePointer($0) }.withUnsafeBufferPointer { names in
            values.map { UnsafePointer($0) }.withUnsafeBufferPointer { values in
                PQconnectdbParams(names.baseAddress, values.baseAddress, 1)
            }
        }
        guard let made else { throw StorageError.unavailable("out of memory") }
        guard PQstatus(made) == CONNECTION_OK else {
            let text = Self.line(PQerrorMessage(made))
            PQfinish(made)
            throw StorageError.unavailable(text)
        }
        handle = made
        PQsetnonblocking(made, 1)
        // Notices of the server have no reader here and would reach the standard error output.
        PQsetNoticeProcessor(made, { _, _ in }, nil)
    }

    deinit { close() }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        isBroken = true
        PQfinish(handle)
    }

    /// The text of libpq about an address may hold the password in it, so it is not passed on.
    private static func check(_ url: String) throws {
        guard url.hasPrefix("postgres://") || url.hasPrefix("postgresql://") else {
            throw StorageError.cannotOpen("the address of PostgreSQL must be like postgres://user:password@host:5432/database")
        }
        guard let parsed = PQconninfoParse(url, nil) else {
            throw StorageError.cannotOpen(
                "the address of PostgreSQL cannot be read; special characters in its password must be percent-encoded")
        }
        PQconninfoFree(parsed)
    }

    static func line(_ text: UnsafePointer<CChar>?) -> String {
        let whole = text.map { String(cString: $0) } ?? ""
        let lines = whole.split(whereSeparator: \.isNewline).map { $0.trimmingPrefix(while: \.isWhitespace) }
        return lines.isEmpty ? "the connection broke" : lines.joined(separator: "; ")
    }

    /// Sends what libpq has gathered, reading what comes meanwhile: both ends may have full buffers.
    func flush() throws {
        let deadline = MonotonicTime.milliseconds + answerTime
        while true {
            switch PQflush(handle) {
            case 0: return
            case 1:
                let ready = try wait(for: Int16(POLLIN | POLLOUT), until: deadline)
                if ready & Int16(POLLIN) != 0 { try consume() }
            default: throw lost()
            }
        }
    }

    /// The next result, nil at the end of a command's results. Throws `.unavailable` when the link is broken.
    func next() throws -> PostgreSQLAnswer? {
        let deadline = MonotonicTime.milliseconds + answerTime
        while PQisBusy(handle) != 0 {
            _ = try wait(for: Int16(POLLIN), until: deadline)
            try consume()
        }
        return PQgetResult(handle).map { PostgreSQLAnswer($0) }
    }

    /// Whether something can be read within this time.
    func hasInput(within milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, milliseconds) > 0
    }

    func consume() throws {
        guard PQconsumeInput(handle) == 1 else { throw lost() }
    }

    /// Runs a text of several statements, outside of pipeline mode; the rows of the last one, as text.
    @discardableResult func execute(_ text: String) throws -> [[String?]] {
        guard PQsendQuery(handle, text) == 1 else { throw lost() }
        try flush()
        var rows: [[String?]] = []
        var failure: StorageError?
        while let answer = try next() {
            if let error = answer.error {
                failure = failure ?? error
                if answer.endsConnection { isBroken = true }
                if PQstatus(handle) != CONNECTION_OK { break }
            } else {
                rows = answer.texts()
            }
        }
        if let failure { throw failure }
        return rows
    }

    /// Marks the link as broken; the error to throw.
    func lost() -> StorageError {
        isBroken = true
        return .unavailable(Self.line(PQerrorMessage(handle)))
    }

    func giveUp() { isBroken = true }

    private func wait(for events: Int16, until deadline: Int64) throws -> Int16 {
        let left = deadline - MonotonicTime.milliseconds
        guard left > 0 else {
            isBroken = true
            throw StorageError.unavailable("PostgreSQL did not answer within \(answerTime) ms")
        }
        let socket = PQsocket(handle)
        guard socket >= 0 else { throw lost() }
        var entry = pollfd(fd: socket, events: events, revents: 0)
        let count = poll(&entry, 1, Int32(clamping: left))
        guard count >= 0 || errno == EINTR else { throw lost() }
        return count > 0 ? entry.revents : 0
    }
}

/// A clock that nobody sets.
enum MonotonicTime {
    static var milliseconds: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
