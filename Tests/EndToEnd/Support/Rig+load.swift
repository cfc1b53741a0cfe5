import Conversation
import Foundation
import Storage
import Synchronization

/// Customers who write at the same time, and a sender that repeats each message until it is answered 200, as Meta does.
final class Load: Sendable {
    struct Customer: Sendable {
        var phone: String
        var account = Rig.salonNumber
        var name: String
        /// What is said, one after the other; each waits for a reply to the one before.
        var lines: [String]
    }

    private struct State {
        var acknowledged: Set<String> = []
        var statuses: [Int: Int] = [:]
        var replies: [String: Int] = [:]
        /// By phone number: what was said and answered, each with its moment.
        var talks: [String: [(at: ContinuousClock.Instant, words: String)]] = [:]
    }

    private let rig: Rig
    private let patience: Duration
    private let urls: [String]
    private let began = ContinuousClock.now
    private let state = Mutex(State())

    /// `patience` is how long a customer waits for a reply before saying the next thing. Messages go to any of `urls`, as a balancer would
    /// hand them out; to the rig's gateway when there is none.
    init(_ rig: Rig, patience: Duration = .milliseconds(1500), urls: [String] = []) {
        self.rig = rig
        self.patience = patience
        self.urls = urls
    }

    /// Ids of messages that were answered 200.
    var acknowledged: Set<String> { state.withLock { $0.acknowledged } }
    /// How often each status was answered; 0 for no answer.
    var statuses: [Int: Int] { state.withLock { $0.statuses } }

    /// All customers at once, until each has said everything. Throws when one cannot get rid of a message within a minute.
    func run(_ customers: [Customer]) async throws {
        let watching = Task { await watch() }
        defer { watching.cancel() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for customer in customers { group.addTask { try await self.talk(customer) } }
            try await group.waitForAll()
        }
    }

    private func talk(_ customer: Customer) async throws {
        for line in customer.lines {
            let before = state.withLock { $0.replies[customer.phone, default: 0] }
            try await deliver(line, customer)
            note("< " + line, customer.phone)
            let deadline = ContinuousClock.now + patience
            while ContinuousClock.now < deadline, state.withLock({ $0.replies[customer.phone, default: 0] }) == before {
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    private func deliver(_ text: String, _ customer: Customer) async throws {
        let id = "wamid.load-\(UUID().uuidString)"
        let value: [String: JSONValue] = [
            "contacts": [["wa_id": .string(customer.phone), "profile": ["name": .string(customer.name)]]],
            "messages": [Rig.textMessage(text, from: customer.phone, id: id)],
        ]
        try await deliver(Rig.delivery([(account: customer.account, value: value)]), ids: [id])
    }

    /// Posts until it is answered 200, and then counts the ids as acknowledged. Throws after a minute.
    func deliver(_ body: [UInt8], ids: [String]) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < deadline {
            // Whatever went wrong is a reason to come again.
            let status = (try? await rig.webhook(body, at: urls.randomElement()))?.status ?? 0
            state.withLock { $0.statuses[status, default: 0] += 1 }
            if status == 200 { return state.withLock { $0.acknowledged.formUnion(ids) } }
            try await Task.sleep(for: .milliseconds(40))
        }
        throw Timeout(description: "a webhook was not accepted within a minute")
    }

    /// What a customer said and was answered, with the time since the load began; for a test that failed.
    func talk(of phone: String) -> String {
        let talk = state.withLock { $0.talks[phone] ?? [] }
        return ([phone] + talk.map { "  \(($0.at - began).milliseconds) ms \($0.words)" }).joined(separator: "\n")
    }

    private func note(_ words: String, _ phone: String) {
        state.withLock { $0.talks[phone, default: []].append((.now, words)) }
    }

    /// Counts the replies per customer.
    private func watch() async {
        while !Task.isCancelled {
            if let all = try? await rig.get(rig.sandboxURL + "/_sandbox/last").json["messages"]?.array {
                for (phone, messages) in Dictionary(grouping: all, by: { $0["to"]?.string ?? "" }) {
                    let known = state.withLock { $0.replies.updateValue(messages.count, forKey: phone) } ?? 0
                    for message in messages.dropFirst(known) { note("> " + (message["text"]?.string ?? "?"), phone) }
                }
            }
            do { try await Task.sleep(for: .milliseconds(80)) } catch { return }
        }
    }
}

extension Rig {
    private static let waiting = SQL(
        """
        SELECT (SELECT count(*) FROM tasks WHERE kind <> 'handover_wait') + (SELECT count(*) FROM lanes WHERE inbox IS NOT NULL)
        """)

    /// Waits until the running gateway has nothing left to do. Those who wait for a person wait for half an hour.
    func drain(within limit: Duration = .seconds(90)) async throws {
        try await withStore { database in
            do {
                try await eventually("the queue is empty", within: limit) {
                    try await database.read(.installation) {
                        try $0.rows(Self.waiting, []).first?.integer(0)
                    } == 0
                }
            } catch {
                let left = try await database.read(.installation) { connection in
                    try connection.rows(SQL("SELECT kind, lane, state, run_at, attempts FROM tasks LIMIT 10"), []).map {
                        "\(try $0.text(0)) \(try $0.text(1)) \(try $0.text(2)) at \(try $0.time(3)), attempt \(try $0.integer(4))"
                    }
                }
                let count = try await database.read(.installation) { try $0.rows(Self.waiting, []).first?.integer(0) ?? 0 }
                throw Timeout(description: "\(error); left are \(count), such as: \(left.joined(separator: "; "))")
            }
        }
    }

    /// Forgets what the stand-ins saw and hold; the ledger files stay.
    func resetSandbox() async throws {
        _ = try await send("DELETE", sandboxURL + "/_sandbox/requests")
        _ = try await send("DELETE", sandboxURL + "/_sandbox/state")
        try await clearFaults()
    }
}

extension Load.Customer {
    private static let services = ["haircut", "colour", "blow-dry", "manicure", "pedicure", "beard trim", "massage", "facial"]
    /// No Friday: two of them around the new year are the salon's holidays.
    private static let days = ["Tuesday", "Wednesday", "Thursday", "Saturday"]
    private static let hours = ["9am", "10am", "11am", "12pm", "1pm", "2pm", "3pm"]

    /// Another customer for each number, in one of several conversations; those who book choose a slot of their own.
    static func numbered(_ number: Int, canaries: [String: String]) -> Load.Customer {
        let phone = "1555\(String(2_000_000 + number))"
        let salon = canaries["salon"] ?? "Customer"
        switch number % 5 {
        case 0, 1:
            let slot = number / 5 * 2 + number % 5
            let (service, hour) = (services[slot % 8], hours[slot / 8 % 7])
            let line = "book a \(service) on \(days[slot / 56 % 4]) at \(hour)"
            return Load.Customer(phone: phone, name: salon, lines: [line, "yes", "list my bookings"])
        case 2: return Load.Customer(phone: phone, name: salon, lines: ["list my bookings", "when are you open"])
        case 3: return Load.Customer(phone: phone, name: salon, lines: ["what services do you offer", "list my bookings"])
        default:
            return Load.Customer(phone: phone, account: Rig.jobsNumber, name: canaries["jobs"] ?? "Customer", lines: ["hello", "help"])
        }
    }

    var books: Bool { lines.contains("yes") }
}
