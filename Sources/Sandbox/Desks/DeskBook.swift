import Conversation
import Synchronization

/// The ticket systems that the sandbox plays.
enum DeskSystem: String, Sendable, CaseIterable {
    case zendesk, freshdesk
    case requestTracker = "rt"
    case webhook
}

/// Somebody whom a ticket system knows.
struct DeskUser: Sendable {
    var id: Int
    var name: String
    var email: String?
    var phone: String?
    var externalID: String?
    /// One of the brand's people, or a program of theirs.
    var isStaff = false
}

/// Something that stands in a ticket.
struct DeskEntry: Sendable {
    enum Kind: Sendable, Equatable {
        case message
        /// A field and its values before and after.
        case change(field: String, from: String?, to: String?)
    }

    var id: Int
    var kind: Kind = .message
    var author: Int
    /// As it came; HTML where the system takes HTML.
    var text = ""
    var isPublic = true
    /// Written by the requester.
    var isIncoming = false
    /// A program wrote it, not a person.
    var isAutomatic = false
    /// The gateway's own id of it, for the system that is told.
    var key: String?
    var at: Timestamp
}

/// A ticket, in the words of its system.
struct DeskTicketRecord: Sendable {
    var id: Int
    var subject: String
    var status: String
    var priority: String?
    /// The gateway's reference, where the system has a field for it.
    var reference: String?
    var tags: [String] = []
    var group: Int?
    var requester: Int
    var assignee: Int?
    var entries: [DeskEntry] = []
    var createdAt: Timestamp
    var updatedAt: Timestamp

    var messages: [DeskEntry] { entries.filter { $0.kind == .message } }

    /// Sets a field and keeps what it was.
    mutating func change(_ field: String, from before: String?, to after: String?, id: Int, by author: Int, at: Timestamp) {
        entries.append(DeskEntry(id: id, kind: .change(field: field, from: before, to: after), author: author, at: at))
        updatedAt = at
    }
}

/// Everything one ticket system holds, and what it was told of the gateway.
final class DeskBook: Sendable {
    struct Settings: Sendable {
        /// The last part of `/webhooks/tickets/{desk}`.
        var desk: String
        /// What a caller must show; nil takes any that shows something.
        var token: String?
        var user: String?
        /// Proves calls to the gateway; nil makes none.
        var secret: String?
    }

    struct State: Sendable {
        var settings: Settings
        var tickets: [Int: DeskTicketRecord] = [:]
        var users: [Int: DeskUser] = [:]
        private var last = 100

        init(settings: Settings) {
            self.settings = settings
            users[DeskBook.program] = DeskUser(id: DeskBook.program, name: "Switchboard", email: settings.user, isStaff: true)
            users[DeskBook.automation] = DeskUser(id: DeskBook.automation, name: "System", isStaff: true)
        }

        /// A number that nothing else in this system has.
        mutating func number() -> Int {
            last += 1
            return last
        }

        /// The one of the brand's people with that name, made when there is none.
        mutating func agent(_ name: String) -> Int {
            if let known = users.values.first(where: { $0.isStaff && $0.name == name }) { return known.id }
            let id = number()
            users[id] = DeskUser(id: id, name: name, isStaff: true)
            return id
        }
    }

    /// Whose credentials the gateway has.
    static let program = 1
    /// Rules that the system itself carries out.
    static let automation = -1

    let system: DeskSystem
    let clock: any WallClock
    private let state: Mutex<State>

    init(_ system: DeskSystem, settings: Settings, clock: any WallClock) {
        self.system = system
        self.clock = clock
        state = Mutex(State(settings: settings))
    }

    func with<Result: Sendable>(_ body: (inout sending State) throws -> sending Result) rethrows -> Result { try state.withLock(body) }

    var settings: Settings { state.withLock { $0.settings } }

    /// Forgets tickets and people, and keeps what it was told of the gateway.
    func reset() { state.withLock { $0 = State(settings: $0.settings) } }

    /// As `/_sandbox/desk` shows it.
    var json: JSONValue {
        let state = state.withLock { $0 }
        return .array(state.tickets.values.sorted { $0.id < $1.id }.map { Self.json($0, state) })
    }

    private static func json(_ ticket: DeskTicketRecord, _ state: State) -> JSONValue {
        let requester = state.users[ticket.requester]
        return [
            "id": .integer(Int64(ticket.id)), "subject": .string(ticket.subject), "status": .string(ticket.status),
            "priority": JSONValue(ticket.priority), "reference": JSONValue(ticket.reference),
            "tags": .array(ticket.tags.map(JSONValue.string)), "assignee": JSONValue(ticket.assignee.flatMap { state.users[$0]?.name }),
            "requester": [
                "id": .integer(Int64(ticket.requester)), "name": JSONValue(requester?.name), "email": JSONValue(requester?.email),
                "phone": JSONValue(requester?.phone), "external_id": JSONValue(requester?.externalID),
            ],
            "entries": .array(ticket.entries.filter { !$0.text.isEmpty }.map { json($0, state) }),
        ]
    }

    private static func json(_ entry: DeskEntry, _ state: State) -> JSONValue {
        [
            "id": .integer(Int64(entry.id)), "author": JSONValue(state.users[entry.author]?.name), "text": .string(entry.text),
            "staff": .bool(state.users[entry.author]?.isStaff ?? false), "public": .bool(entry.isPublic), "key": JSONValue(entry.key),
            "at": .string(entry.at.description),
        ]
    }
}

extension Timestamp {
    /// Without a fraction of a second, as ticket systems write times.
    var wholeSeconds: String { description.prefix(19) + "Z" }
}

extension String {
    /// Without white space at the ends.
    var trimmed: String {
        let start = firstIndex { !$0.isWhitespace } ?? endIndex
        let end = lastIndex { !$0.isWhitespace }.map(index(after:)) ?? start
        return String(self[start..<end])
    }
}
