internal import CSQLite
internal import Conversation

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// One open connection with its prepared statements. `@unchecked` because a connection stays on the one thread that owns it.
final class SQLiteConnection: Connection, @unchecked Sendable {
    private let handle: OpaquePointer
    private var statements: [OpaquePointer?] = []
    private var isClosed = false
    /// Pages in the write-ahead log after the last commit; written by SQLite through the hook, on the thread that commits.
    private let logPages = UnsafeMutablePointer<Int32>.allocate(capacity: 1)
    /// What stands between SQLite and its log after `gatherLogWrites`.
    private let log = UnsafeMutablePointer<sb_log>.allocate(capacity: 1)

    /// Once in the life of the process. A refusal only means that SQLite counts its allocations.
    private static let isConfigured: Bool = sb_without_memory_statistics() == SQLITE_OK

    /// Throws `StorageError.cannotOpen`.
    init(path: String, readOnly: Bool) throws {
        _ = Self.isConfigured
        var opened: OpaquePointer?
        let flags = (readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) | SQLITE_OPEN_NOMUTEX
        let code = sqlite3_open_v2(path, &opened, flags, nil)
        guard code == SQLITE_OK, let opened else {
            let text = opened.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
            sqlite3_close_v2(opened)
            throw StorageError.cannotOpen("\(path): \(text)")
        }
        handle = opened
        sqlite3_extended_result_codes(handle, 1)
        sqlite3_busy_timeout(handle, 5000)
        logPages.initialize(to: 0)
        log.initialize(to: sb_log())
    }

    deinit {
        close()
        logPages.deallocate()
        sb_release_log(log)
        log.deallocate()
    }

    /// Lets go of the file; nothing may be asked of the connection afterwards. As long as one connection holds a deleted file, SQLite takes
    /// a new file in its place (under the same inode) for the old one, and shares the index of its log.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        for statement in statements { sqlite3_finalize(statement) }
        statements = []
        sqlite3_close_v2(handle)
    }

    /// Takes the folding back of the log out of the commits, which would otherwise wait for it. `foldLogBack` is then up to the owner.
    func countLogPages() {
        // This hook takes the place of SQLite's own, which would checkpoint within the commit.
        sqlite3_wal_hook(
            handle,
            { pages, _, _, count in
                pages?.assumingMemoryBound(to: Int32.self).pointee = count
                return SQLITE_OK
            }, logPages)
    }

    /// Lets what a commit writes to the log reach it in one piece. Only for a connection with `synchronous=FULL`. Throws `StorageError`
    /// when the database has no write-ahead log.
    func gatherLogWrites() throws {
        let code = sb_take_over_log(handle, log)
        guard code == SQLITE_OK else { throw error(code) }
    }

    /// Pages in the write-ahead log that were not known to be folded back.
    var pagesInLog: Int { Int(logPages.pointee) }

    /// Writes the log into the database as far as no reader still needs it, without waiting for anybody. Throws `StorageError`.
    func foldLogBack() throws {
        var (inLog, folded): (Int32, Int32) = (0, 0)
        logPages.pointee = 0
        let code = sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_PASSIVE, &inLog, &folded)
        guard code == SQLITE_OK || code == SQLITE_BUSY else { throw error(code) }
    }

    /// Whether no transaction is open: a full disk or an I/O error may have ended one behind our back.
    var isIdle: Bool { sqlite3_get_autocommit(handle) != 0 }

    func rows(_ statement: SQL, _ values: [SQLValue]) throws -> [Row] {
        let prepared = try bound(statement, values)
        defer { sqlite3_reset(prepared) }
        var rows: [Row] = []
        let columns = Int(sqlite3_column_count(prepared))
        while true {
            switch sqlite3_step(prepared) {
            case SQLITE_ROW: rows.append(Row((0..<columns).map { value(prepared, Int32($0)) }))
            case SQLITE_DONE: return rows
            case let code: throw error(code)
            }
        }
    }

    @discardableResult func run(_ statement: SQL, _ values: [SQLValue]) throws -> Int {
        let prepared = try bound(statement, values)
        defer { sqlite3_reset(prepared) }
        while true {
            switch sqlite3_step(prepared) {
            case SQLITE_ROW: continue
            case SQLITE_DONE: return Int(sqlite3_changes(handle))
            case let code: throw error(code)
            }
        }
    }

    /// Runs a statement that is not worth preparing: pragmas, migrations, transaction control by name.
    func execute(_ text: String) throws {
        let code = sqlite3_exec(handle, text, nil, nil, nil)
        guard code == SQLITE_OK else { throw error(code) }
    }

    private func bound(_ statement: SQL, _ values: [SQLValue]) throws -> OpaquePointer {
        let prepared = try prepare(statement)
        for (index, value) in values.enumerated() {
            let place = Int32(index + 1)
            let code =
                switch value {
                case .null: sqlite3_bind_null(prepared, place)
                case .integer(let number): sqlite3_bind_int64(prepared, place, number)
                case .real(let number): sqlite3_bind_double(prepared, place, number)
                case .text(var text): text.withUTF8 { bytes in bindText(prepared, place, bytes) }
                case .bytes(let bytes):
                    bytes.withUnsafeBytes {
                        sb_bind_blob(prepared, place, $0.baseAddress ?? UnsafeRawPointer(bitPattern: 1), Int32($0.count))
                    }
                }
            guard code == SQLITE_OK else { throw error(code) }
        }
        return prepared
    }

    private func bindText(_ prepared: OpaquePointer, _ place: Int32, _ bytes: UnsafeBufferPointer<UInt8>) -> Int32 {
        guard let start = bytes.baseAddress else { return sb_bind_text(prepared, place, "", 0) }
        return start.withMemoryRebound(to: CChar.self, capacity: bytes.count) { sb_bind_text(prepared, place, $0, Int32(bytes.count)) }
    }

    private func prepare(_ statement: SQL) throws -> OpaquePointer {
        if statement.number < statements.count, let prepared = statements[statement.number] { return prepared }
        var prepared: OpaquePointer?
        let text = Self.positional(Dialect.sqlite.fill(statement.text))
        let code = sqlite3_prepare_v3(handle, text, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
        guard code == SQLITE_OK, let prepared else { throw error(code) }
        while statements.count <= statement.number { statements.append(nil) }
        statements[statement.number] = prepared
        return prepared
    }

    /// SQLite reads `$1` as a *named* parameter, numbered by first appearance; `?1` is what PostgreSQL means by `$1`.
    static func positional(_ text: String) -> String {
        var output = ""
        var inQuotes = false
        let characters = Array(text)
        for (index, character) in characters.enumerated() {
            if character == "'" { inQuotes.toggle() }
            let startsNumber = index + 1 < characters.count && characters[index + 1].isWholeNumber
            output.append(character == "$" && !inQuotes && startsNumber ? "?" : character)
        }
        return output
    }

    private func value(_ prepared: OpaquePointer, _ column: Int32) -> SQLValue {
        switch sqlite3_column_type(prepared, column) {
        case SQLITE_INTEGER: return .integer(sqlite3_column_int64(prepared, column))
        case SQLITE_FLOAT: return .real(sqlite3_column_double(prepared, column))
        case SQLITE_TEXT:
            let count = Int(sqlite3_column_bytes(prepared, column))
            guard let start = sqlite3_column_text(prepared, column) else { return .text("") }
            return .text(String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self))
        case SQLITE_BLOB:
            let count = Int(sqlite3_column_bytes(prepared, column))
            guard let start = sqlite3_column_blob(prepared, column) else { return .bytes([]) }
            return .bytes(Array(UnsafeRawBufferPointer(start: start, count: count)))
        default: return .null
        }
    }

    private func error(_ code: Int32) -> StorageError {
        let text = String(cString: sqlite3_errmsg(handle))
        switch code & 0xFF {
        case SQLITE_FULL: return .full(text)
        // Making room in the shared index or flushing can fail for want of space too, and is then called an I/O error.
        case SQLITE_IOERR where sqlite3_system_errno(handle) == ENOSPC: return .full(text)
        case SQLITE_IOERR:
            return .failed(code: Int(code), "\(text): \(String(cString: strerror(sqlite3_system_errno(handle))))")
        case SQLITE_CONSTRAINT: return .duplicate(text)
        default: return .failed(code: Int(code), text)
        }
    }
}
