internal import CPostgres
internal import Conversation

/// What units run on: one link in pipeline mode with its prepared statements. Statements gather and go out together with the first whose
/// answer is needed. `@unchecked` because a connection stays on the one thread that owns it.
final class PostgreSQLConnection: Connection, @unchecked Sendable {
    /// What was sent and not yet answered.
    private enum Awaited {
        case preparation(name: String, number: Int)
        case scope
        /// What wants its rows before the unit ends.
        case statement(take: (([Row]) throws -> Void)?)
    }

    private let link: PostgreSQLLink
    private let usesServerClock: Bool
    private var statements = PreparedStatements()
    private var awaited: [Awaited] = []
    private var firstSent: Int64 = 0
    private var clock = ServerClock()
    /// Whose rows the transaction may touch at this moment; nil when that is not set.
    private var scope: Scope?
    /// The first error since the transaction or its savepoint began: until it is undone, the server refuses everything.
    private(set) var failure: StorageError?
    /// What a unit threw when it saw the rows of a statement that it had not waited for: until it is undone, nothing more is to be done.
    private var refusal: (any Error)?
    /// The name of the last error.
    private(set) var failureState = ""
    /// A commit went out whose answer is not known.
    private(set) var isCommitting = false

    /// Statements that may gather before their answers are read.
    private static let longestPipeline = 256

    /// Connects and looks the server over. Throws `StorageError`.
    init(_ settings: PostgreSQLSettings) throws {
        usesServerClock = settings.options.usesServerClock
        link = try PostgreSQLLink(
            url: settings.url, applicationName: settings.options.applicationName, connectTimeout: settings.options.connectTimeout)
        do {
            let sent = MonotonicTime.milliseconds
            let server = try PostgreSQLServer(link, settings.options)
            clock.note(server.time, sent: sent, received: MonotonicTime.milliseconds)
            try server.checkUsable()
            if settings.isForWriting { try link.execute(PostgreSQLSettings.planning) }
            link.answerTime = settings.options.statementTimeout.milliseconds + 3000
            guard PQenterPipelineMode(link.handle) == 1 else { throw link.lost() }
        } catch {
            link.close()
            throw error
        }
    }

    var isBroken: Bool { link.isBroken }
    func close() { link.close() }

    /// The server's clock, when all nodes are to go by it.
    var time: Timestamp? { usesServerClock ? clock.now(at: MonotonicTime.milliseconds) : nil }

    private(set) var locksRows = false

    // MARK: Statements

    func rows(_ statement: SQL, _ values: [SQLValue]) throws -> [Row] {
        try queue(statement, values)
        return try exchange()?.rows() ?? []
    }

    @discardableResult func run(_ statement: SQL, _ values: [SQLValue]) throws -> Int {
        try queue(statement, values)
        return try exchange()?.changed ?? 0
    }

    func send(_ statement: SQL, _ values: [SQLValue]) throws {
        try queue(statement, values)
        if awaited.count >= Self.longestPipeline { _ = try exchange() }
    }

    func send(_ statement: SQL, _ values: [SQLValue], then take: @escaping ([Row]) throws -> Void) throws {
        try queue(statement, values, as: .statement(take: take))
        if awaited.count >= Self.longestPipeline { _ = try exchange() }
    }

    private func queue(_ statement: SQL, _ values: [SQLValue], as kind: Awaited = .statement(take: nil)) throws {
        if let objection { throw objection }
        guard !link.isBroken else { throw StorageError.unavailable("the connection broke") }
        if awaited.isEmpty { firstSent = MonotonicTime.milliseconds }
        let (form, isNew) = statements.form(of: statement.number, types: values.map(PostgreSQLValue.type))
        if isNew {
            let text = Dialect.postgreSQL.fill(statement.text)
            guard PQsendPrepare(link.handle, form.name, text, Int32(form.types.count), form.types) == 1 else { throw broken() }
            awaited.append(.preparation(name: form.name, number: statement.number))
        }
        guard PostgreSQLParameters(values).send(form.name, over: link) else { throw broken() }
        awaited.append(kind)
    }

    /// Why the unit is to be undone; nil when nothing speaks against it.
    var objection: (any Error)? { failure ?? refusal }

    /// Sends what has gathered, reads every answer, hands out rows that are waited for and returns the last answer. Throws the first error.
    /// `isUndoing` when nobody wants the rows any more.
    @discardableResult private func exchange(isUndoing: Bool = false) throws -> PostgreSQLAnswer? {
        guard !awaited.isEmpty else { return nil }
        guard PQpipelineSync(link.handle) == 1 else { throw broken() }
        let expected = awaited
        awaited = []
        var last: PostgreSQLAnswer?
        var waiting: [(answer: PostgreSQLAnswer, take: ([Row]) throws -> Void)] = []
        do {
            try link.flush()
            for item in expected {
                last = try answer(to: item) ?? last
                if case .statement(let take?) = item, !isUndoing, let last { waiting.append((last, take)) }
            }
            // The end of this round.
            _ = try link.next()
        } catch let error as StorageError {
            failure = failure ?? error
        }
        if let failure { throw failure }
        do {
            for (answer, take) in waiting { try take(answer.rows()) }
        } catch {
            refusal = error
            throw error
        }
        return last
    }

    /// Whether rows are waited for that may speak against the unit.
    private var hasOpenQuestions: Bool {
        awaited.contains { if case .statement(.some) = $0 { true } else { false } }
    }

    private func answer(to item: Awaited) throws -> PostgreSQLAnswer? {
        guard let answer = try link.next() else { throw link.lost() }
        let failed = answer.error
        if let failed {
            if failure == nil { (failure, failureState) = (failed, answer.state) }
            // Nothing may follow, not even the end of this round.
            if answer.endsConnection {
                link.giveUp()
                throw failed
            }
        }
        // Each command's results end with nothing.
        while try link.next() != nil {}
        switch item {
        case .preparation(let name, let number):
            if answer.status != PGRES_COMMAND_OK { statements.forget(name, of: number) }
        case .scope:
            if failed == nil, let time = try? answer.rows().first?.integer(1) {
                clock.note(time, sent: firstSent, received: MonotonicTime.milliseconds)
            }
        case .statement: break
        }
        return answer
    }

    private func broken() -> StorageError {
        let error = link.lost()
        failure = failure ?? error
        return error
    }

    // MARK: Transactions

    private static let beginWriting = SQL("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
    private static let beginReading = SQL("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    private static let commit = SQL("COMMIT")
    private static let rollback = SQL("ROLLBACK")
    private static let savepoint = SQL("SAVEPOINT unit")
    private static let rollBackToSavepoint = SQL("ROLLBACK TO SAVEPOINT unit")
    private static let release = SQL("RELEASE SAVEPOINT unit")
    private static let enter = SQL(
        """
        SELECT set_config('switchboard.brand', $1, true), CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)
        """)

    /// Nothing is sent yet.
    func begin(writing: Bool) throws {
        locksRows = writing
        (scope, failure, failureState, isCommitting, refusal) = (nil, nil, "", false, nil)
        try queue(writing ? Self.beginWriting : Self.beginReading, [])
    }

    /// From here on the transaction sees and writes this scope's rows only.
    func enter(_ scope: Scope) throws {
        guard scope != self.scope else { return }
        self.scope = scope
        let brand =
            switch scope {
            case .brand(let id): id.rawValue
            case .installation: ""
            }
        try queue(Self.enter, [.text(brand)], as: .scope)
    }

    func beginSavepoint() throws { try queue(Self.savepoint, []) }
    func releaseSavepoint() throws { try queue(Self.release, []) }

    /// Undoes what was done since the savepoint began, and lets go of it. Throws when the transaction cannot go on.
    func undoToSavepoint() throws {
        // What was sent and not answered belongs to what is undone.
        _ = try? exchange(isUndoing: true)
        guard !link.isBroken else { throw failure ?? .unavailable("the connection broke") }
        (scope, failure, failureState, refusal) = (nil, nil, "", nil)
        try queue(Self.rollBackToSavepoint, [])
        try queue(Self.release, [])
    }

    /// Waits for the answers to all that was sent. Throws the first error, also one that the unit has kept to itself.
    func settle() throws {
        try exchange()
        if let objection { throw objection }
    }

    /// Throws when the transaction did not take effect, or when nobody knows.
    func commitTransaction() throws {
        // A commit in the same round would take effect whatever the rows say.
        if hasOpenQuestions { try exchange() }
        try queue(Self.commit, [])
        isCommitting = true
        do {
            let answer = try exchange()
            isCommitting = false
            // The server answers the commit of a failed transaction with the word of its undoing.
            guard answer?.tag == "COMMIT" else { throw StorageError.unavailable("the transaction was undone by the server") }
        } catch let error as StorageError {
            guard link.isBroken else {
                isCommitting = false
                throw error
            }
            throw StorageError.unavailable("the connection broke during the commit, so it is not known whether it took effect: \(error)")
        }
    }

    /// Leaves the connection without a transaction, or broken.
    func rollBack() {
        // What was sent and not answered is undone whatever the answer.
        _ = try? exchange(isUndoing: true)
        guard !link.isBroken else { return }
        (scope, failure, refusal) = (nil, nil, nil)
        do {
            try queue(Self.rollback, [])
            try exchange()
        } catch {
            link.giveUp()
        }
    }
}
