import Conversation
import Synchronization

/// Someone who writes to a number, as the platform knows them.
struct Customer: Sendable, Hashable {
    var name = "Customer"
    /// Digits only, as in `wa_id`.
    var phone: String?
    /// The business-scoped user id.
    var userID: String?

    init(name: String = "Customer", phone: String?, userID: String?) {
        self.name = name
        self.phone = phone
        self.userID = userID
    }

    init(_ recipient: Recipient) {
        switch recipient {
        case .phone(let digits): phone = digits
        case .bsuid(let id): userID = id
        }
    }
}

/// Where a message goes.
enum Recipient: Sendable, Hashable {
    /// Digits only.
    case phone(String)
    case bsuid(String)

    var key: String {
        switch self {
        case .phone(let digits): digits
        case .bsuid(let id): id
        }
    }
}

/// An option that a customer can press.
struct SentOption: Sendable, Hashable {
    /// `button_reply` or `list_reply`.
    var kind: String
    var id: String
    var title: String
    var description: String?
}

/// A message that the Graph stand-in accepted.
struct SentMessage: Sendable {
    var id: String
    var at: Timestamp
    var instance: SandboxInstance
    var recipient: Recipient
    var type: String
    /// `biz_opaque_callback_data`.
    var reference: String?
    var options: [SentOption]
    var body: JSONValue

    /// Meta's pricing category, as far as the stand-in tells them apart.
    var category: String { type == "template" ? "utility" : "service" }

    var json: JSONValue {
        var members: [String: JSONValue] = [
            "id": .string(id), "at": .string(at.description), "instance": .string(instance.id), "to": .string(recipient.key),
            "type": .string(type), "message": body,
        ]
        let text = ["/text/body", "/interactive/body/text", "/template/name"].lazy.compactMap { body.at(pointer: $0)?.string }.first
        members["text"] = text.map(JSONValue.string)
        if !options.isEmpty {
            members["options"] = .array(options.map { ["id": .string($0.id), "title": .string($0.title)] })
        }
        return .object(members)
    }
}

/// What the platform remembers of its chats: who wrote when to which number, and what was sent to them.
final class Chats: Sendable {
    /// The oldest half goes when this many messages are held, so that a soak run does not fill the memory.
    static let limit = 100_000

    private struct Place: Hashable {
        let phoneNumberID: String
        let key: String
    }

    private struct State {
        var sent: [SentMessage] = []
        var lastInbound: [Place: Timestamp] = [:]
        /// A business-scoped user id and the phone that came with it.
        var phones: [String: String] = [:]
    }

    private let state = Mutex(State())

    func recordInbound(from customer: Customer, to instance: SandboxInstance, at: Timestamp) {
        state.withLock { state in
            if let phone = customer.phone, let userID = customer.userID { state.phones[userID] = phone }
            for key in [customer.phone, customer.userID].compactMap({ $0 }) {
                let place = Place(phoneNumberID: instance.phoneNumberID, key: key)
                state.lastInbound[place] = max(at, state.lastInbound[place] ?? at)
            }
        }
    }

    /// Nil when this customer never wrote to this number.
    func lastInbound(from recipient: Recipient, to instance: SandboxInstance) -> Timestamp? {
        state.withLock { $0.lastInbound[Place(phoneNumberID: instance.phoneNumberID, key: recipient.key)] }
    }

    func recordSent(_ message: SentMessage) {
        state.withLock { state in
            if state.sent.count >= Self.limit { state.sent.removeFirst(Self.limit / 2) }
            state.sent.append(message)
        }
    }

    /// Oldest first; all customers when `key` (digits or a business-scoped user id) is nil, all numbers when `instance` is nil.
    func sent(to key: String?, instance: SandboxInstance? = nil) -> [SentMessage] {
        state.withLock { state in
            func canonical(_ key: String) -> String { state.phones[key] ?? key }
            return state.sent.filter { message in
                let isTheirs = key.map { canonical($0) == canonical(message.recipient.key) } ?? true
                return isTheirs && (instance == nil || message.instance == instance)
            }
        }
    }

    func reset() { state.withLock { $0 = State() } }
}
