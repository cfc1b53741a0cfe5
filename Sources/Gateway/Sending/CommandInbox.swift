package import Conversation
internal import JSON
package import Logging
internal import Signing
package import Storage

/// Takes the commands that a bus brings: each leads to one message, to one dead letter that says why not, or into quarantine, and only then
/// it need not come again.
package struct CommandInbox: Sendable {
    private let store: Store
    private let registry: Registry
    private let desk: SendDesk
    private let isStopped: @Sendable (BrandID) -> Bool
    private let logger: Logger

    /// After this many deliveries what fails for another reason than an absent store is put aside.
    private static let mostDeliveries = 5
    private static let soon = Duration.seconds(2)
    /// For a brand that its configuration stops.
    private static let later = Duration.seconds(30)

    /// `isStopped` tells a brand that does not run now from one that nobody knows.
    package init(
        store: Store, registry: Registry, desk: SendDesk, isStopped: @escaping @Sendable (BrandID) -> Bool, logger: Logger
    ) {
        self.store = store
        self.registry = registry
        self.desk = desk
        self.isStopped = isStopped
        self.logger = logger
    }

    /// A verdict for each command. Those to one customer are done one after the other, others beside them.
    package func take(_ commands: [BusCommand]) async -> [CommandVerdict] {
        let read = commands.map { ReadCommand($0) }
        let conversations = Dictionary(grouping: read.indices) { read[$0].conversation }
        return await withTaskGroup(of: [(Int, CommandVerdict)].self) { group in
            for places in conversations.values {
                group.addTask {
                    var verdicts: [(Int, CommandVerdict)] = []
                    for place in places { verdicts.append((place, await take(read[place]))) }
                    return verdicts
                }
            }
            var verdicts = [CommandVerdict](repeating: .again(after: Self.soon), count: commands.count)
            for await done in group { for (place, verdict) in done { verdicts[place] = verdict } }
            return verdicts
        }
    }

    private func take(_ command: ReadCommand) async -> CommandVerdict {
        do {
            return try await perform(command)
        } catch let error as StorageError where error.isAbsence {
            return .again(after: Self.soon)
        } catch {
            logger.error(
                "a command failed", metadata: ["subject": "\(command.source.subject)", "error": "\(error)", "key": "\(command.key)"])
            guard command.source.delivery >= Self.mostDeliveries else { return .again(after: Self.soon) }
            return await putAside(command, reason: "it failed \(command.source.delivery) times: \(error)")
        }
    }

    private func perform(_ command: ReadCommand) async throws -> CommandVerdict {
        guard let brand = BrandID(validating: command.source.brand), registry.brand(brand) != nil else {
            if BrandID(validating: command.source.brand).map(isStopped) ?? false { return .again(after: Self.later) }
            try await quarantine(command, brand: nil, reason: "no brand \(command.source.brand)")
            return .done
        }
        switch command.content {
        case .failure(let problem):
            try await quarantine(command, brand: brand, reason: "\(problem)")
            return .done
        case .success(let wanted):
            switch try await desk.send(wanted, brand: brand, key: command.key, by: .bus) {
            case .accepted, .known: return .done
            case .refused(let refusal):
                // Each time later, so that a long queue behind a limit is not read through all the time.
                if let wait = refusal.retryAfter { return .again(after: min(wait * command.source.delivery, .seconds(60))) }
                try await bury(command, refusal, brand)
                return .done
            }
        }
    }

    /// A dead letter, once for each key.
    private func bury(_ command: ReadCommand, _ refusal: SendRefusal, _ brand: BrandID) async throws {
        let key = "\(SendDesk.Origin.bus.rawValue)\n\(command.key)"
        try await store.brand(brand).write { transaction in
            guard case .new = try transaction.claimRequest(key: key, bodyHash: SendDesk.digest(of: key)) else { return }
            try transaction.insertDeadLetter(
                kind: "command", reason: refusal.code,
                detail: [
                    "error": .string(refusal.message), "subject": .string(command.source.subject), "id": .string(command.name),
                    "command": command.json ?? .null,
                ], about: .init(id: nil), task: .null)
            let answer: JSONValue = ["code": .string(refusal.code), "title": .string(refusal.message)]
            try transaction.storeAnswer(key: key, status: 409, body: CanonicalJSON.bytes(answer))
        }
    }

    private func putAside(_ command: ReadCommand, reason: String) async -> CommandVerdict {
        do {
            try await quarantine(command, brand: BrandID(validating: command.source.brand), reason: reason)
            return .done
        } catch {
            return .again(after: Self.soon)
        }
    }

    /// Keeps the bytes as they came: with the brand, or with the operator when there is no such brand.
    private func quarantine(_ command: ReadCommand, brand: BrandID?, reason: String) async throws {
        logger.warning("a command cannot be read", metadata: ["subject": "\(command.source.subject)", "error": "\(reason)"])
        let address = InstanceAddress(channel: ChannelName(rawValue: "bus"), app: "commands", account: command.name)
        guard let brand else {
            return try await store.unrouted.insert([
                UnroutedStore.Entry(
                    channel: address.channel, app: address.app, account: address.account, reason: reason, body: command.source.body)
            ])
        }
        let key = "\(SendDesk.Origin.bus.rawValue)\n\(command.key)"
        try await store.brand(brand).write { transaction in
            guard case .new = try transaction.claimRequest(key: key, bodyHash: SendDesk.digest(of: key)) else { return }
            try transaction.quarantine(address, reason: String(reason.prefix(2_000)), body: command.source.body)
            try transaction.storeAnswer(key: key, status: 422, body: [])
        }
    }
}

extension StorageError {
    /// Whether the store will be back by itself, so that nothing speaks against what was tried.
    fileprivate var isAbsence: Bool {
        switch self {
        case .full, .unavailable, .closed: true
        case .duplicate, .failed, .unreadable, .cannotOpen: false
        }
    }
}

/// A command with what of it could be read.
struct ReadCommand: Sendable {
    let source: BusCommand
    let content: Result<SendCommand, InvalidCommand>
    /// The body of the command, where there is one.
    let json: JSONValue?
    /// The name under which the publisher may look for it.
    let name: String
    /// Which message is meant; the same for every delivery and every repetition.
    let key: String

    init(_ source: BusCommand) {
        self.source = source
        var json: JSONValue?
        var event: EventID?
        do {
            let envelope = try Envelope(source)
            (json, event) = (envelope.data, envelope.id)
            content = Result { () throws(InvalidCommand) in try SendCommand(json: envelope.data) }
        } catch {
            content = .failure(error)
        }
        self.json = json
        name = String((event?.id ?? source.publisherID ?? source.place).prefix(256))
        // Bounded, whatever publishers call their events.
        let text =
            if let event { "event\n\(event.source)\n\(event.id)" } else if let id = source.publisherID { "id\n\(id)" } else {
                "place\n\(source.place)"
            }
        key = Hex.encode(Digest.sha256(Array(text.utf8)))
    }

    /// Commands to one customer keep their order.
    var conversation: String {
        guard case .success(let command) = content else { return "\(source.brand)\n\(key)" }
        return "\(source.brand)\n\(command.instance)\n\(command.recipient)"
    }

    struct EventID: Sendable, Hashable {
        var source: String
        var id: String
    }

    /// The JSON of a command, in a CloudEvent (1.0, structured mode) or bare.
    private struct Envelope {
        var data: JSONValue
        var id: EventID?

        init(_ source: BusCommand) throws(InvalidCommand) {
            let body: JSONValue
            do { body = try JSONValue(parsing: source.body) } catch { throw Self.wrong("", "is not JSON: \(error)") }
            let isEvent = source.contentType?.lowercased().hasPrefix("application/cloudevents+json") ?? false
            guard isEvent || body["specversion"] != nil else {
                data = body
                return
            }
            guard body["specversion"]?.string == "1.0" else { throw Self.wrong("/specversion", "must be 1.0") }
            func attribute(_ name: String) throws(InvalidCommand) -> String {
                guard let text = body[name]?.string, !text.isEmpty else { throw Self.wrong("/\(name)", "is missing") }
                return text
            }
            id = EventID(source: try attribute("source"), id: try attribute("id"))
            _ = try attribute("type")
            if let type = body["datacontenttype"]?.string, type.lowercased().hasPrefix("application/json") == false {
                throw Self.wrong("/datacontenttype", "must be application/json")
            }
            guard let data = body["data"], data.object != nil else { throw Self.wrong("/data", "must be an object") }
            self.data = data
        }

        private static func wrong(_ pointer: String, _ message: String) -> InvalidCommand {
            InvalidCommand(problems: [InvalidCommand.Problem(pointer: pointer, message: message)])
        }
    }
}
