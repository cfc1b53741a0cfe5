internal import CPostgres

/// One result of libpq, cleared when nobody holds it any more.
final class PostgreSQLAnswer {
    private let result: OpaquePointer

    init(_ result: OpaquePointer) { self.result = result }
    deinit { PQclear(result) }

    var status: ExecStatusType { PQresultStatus(result) }

    /// What the server complained of; nil when it did not.
    var error: StorageError? {
        switch status {
        case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE, PGRES_NONFATAL_ERROR: PostgreSQLFailure.error(state: state, text: text)
        default: nil
        }
    }

    /// The five characters that name an error; empty when libpq itself failed.
    var state: String { field(CChar(UInt8(ascii: "C"))) ?? "" }
    var endsConnection: Bool { PostgreSQLFailure.endsConnection(state) }

    private var text: String {
        guard let primary = field(CChar(UInt8(ascii: "M"))) else { return PostgreSQLLink.line(PQresultErrorMessage(result)) }
        return field(CChar(UInt8(ascii: "D"))).map { "\(primary) (\($0))" } ?? primary
    }

    private func field(_ code: CChar) -> String? { PQresultErrorField(result, Int32(code)).map { String(cString: $0) } }

    /// The word or words the server answers a command with, like `COMMIT` or `UPDATE 1`.
    var tag: String { PQcmdStatus(result).map { String(cString: $0) } ?? "" }
    /// Rows that were changed.
    var changed: Int { PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0 }

    /// Rows in the binary form. Throws `StorageError.unreadable` for a type that no statement of ours asks for.
    func rows() throws -> [Row] {
        let columns = PQnfields(result)
        let types = (0..<columns).map { PQftype(result, $0) }
        return try (0..<PQntuples(result)).map { row in
            Row(
                try (0..<columns).map { column in
                    guard PQgetisnull(result, row, column) == 0, let start = PQgetvalue(result, row, column) else { return .null }
                    let bytes = UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(result, row, column)))
                    return try PostgreSQLValue.read(bytes, type: types[Int(column)])
                })
        }
    }

    /// Rows in the form of text.
    func texts() -> [[String?]] {
        (0..<PQntuples(result)).map { row in
            (0..<PQnfields(result)).map { column in
                PQgetisnull(result, row, column) == 1 ? nil : PQgetvalue(result, row, column).map { String(cString: $0) }
            }
        }
    }
}

/// What the names of PostgreSQL's errors mean to us.
enum PostgreSQLFailure {
    static func error(state: String, text: String) -> StorageError {
        let said = state.isEmpty ? text : "\(text) [\(state)]"
        switch state {
        case "23505", "23P01": return .duplicate(said)
        case "53100": return .full(said)
        // The connection, the server's coming and going, its limits, a standby, time-outs, and what may work the next time.
        case "", "25006", "25P03", "57014", "55P03", "40P01", "40001", "58030": return .unavailable(said)
        case _ where state.hasPrefix("08") || state.hasPrefix("53") || state.hasPrefix("57P"): return .unavailable(said)
        default: return .failed(code: Int(state, radix: 36) ?? -1, said)
        }
    }

    /// A deadlock, a collision of snapshots, a lock that took too long; and a row that another node made between our look and our
    /// insertion, which a unit sees when it looks again.
    static func deservesAnotherTry(_ state: String) -> Bool { ["40P01", "40001", "55P03", "23505"].contains(state) }

    /// After these the server hangs up, or is not the one to talk to. A server always gives a state: none is from the library, which no longer
    /// knows where in the conversation it is.
    static func endsConnection(_ state: String) -> Bool {
        state.isEmpty || ["25006", "25P03"].contains(state) || state.hasPrefix("08") || state.hasPrefix("57P")
    }
}
