package import Conversation
package import Logging
package import Storage

/// Takes the commands that a bus brings: each leads to one message, to one dead letter that says why not, or into quarantine, and only then
/// it need not come again.
package struct CommandInbox: Sendable {
    private let store: Store
    private let registry: Registry
    private let desk: SendDesk
    private let isStopped: @Sendable (BrandID) -> Bool
    private let patience: Duration
    private let tries = CommandTries()
    private let logger: Logger

    /// After failing this often for another reason than an absent store a command is put aside.
    private static let mostFailures = 5
    private static let soon = Duration.seconds(2)
    /// For a brand that its configuration stops, where there is no room to wait, and the longest wait for one that is not known.
    private static let later = Duration.seconds(30)

    /// `isStopped` tells a brand that does not run now from one that nobody knows. A command for a brand or an instance that is not known
    /// comes again for as long as `patience`: nodes do not load a configuration in the same moment.
    package init(
        store: Store, registry: Registry, desk: SendDesk, isStopped: @escaping @Sendable (BrandID) -> Bool,
        patience: Duration = .seconds(600), logger: Logger
    ) {
        self.store = store
        self.registry = registry
        self.desk = desk
        self.isStopped = isStopped
        self.patience = patience
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
            let verdict = try await perform(command)
            if verdict == .done { tries.forget(command.source) }
            return verdict
        } catch let error as StorageError where error.isAbsence {
            return .again(after: Self.soon)
        } catch {
            logger.error(
                "a command failed", metadata: ["subject": "\(command.source.subject)", "error": "\(error)", "key": "\(command.key)"])
            let failures = tries.failed(command.source, now: registry.clock.now)
            guard failures >= Self.mostFailures else { return .again(after: Self.soon) }
            return await putAside(command, reason: "it failed \(failures) times: \(error)")
        }
    }

    private func perform(_ command: ReadCommand) async throws -> CommandVerdict {
        guard let brand = BrandID(validating: command.source.brand) else {
            return try await quarantine(command, brand: nil, reason: "no brand \(command.source.brand)")
        }
        guard let runtime = registry.brand(brand) else {
            if isStopped(brand) { return .again(after: Self.later) }
            return try await wait(for: "brand \(brand)", command, brand: nil)
        }
        switch command.content {
        case .failure(let problem): return try await quarantine(command, brand: brand, reason: "\(problem)")
        case .success(let wanted):
            if let published = command.source.publishedAt, registry.clock.now - published > Retention.commandsOnBus {
                let reason = "it stands on the bus since \(published), and may have been done under a key that is forgotten by now"
                return try await quarantine(command, brand: brand, reason: reason)
            }
            guard runtime.configuration.instance(wanted.instance) != nil else {
                return try await wait(for: "instance \(wanted.instance)", command, brand: brand)
            }
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

    /// Has it come again, less and less often, until what it is for is known or `patience` is over; put aside then. The patience of one that
    /// there is no room to remember begins when there is.
    private func wait(for absent: String, _ command: ReadCommand, brand: BrandID?) async throws -> CommandVerdict {
        guard let waited = tries.absent(command.source, now: registry.clock.now) else { return .again(after: Self.later) }
        guard waited >= patience else { return .again(after: min(max(waited / 4, Self.soon), Self.later)) }
        return try await quarantine(command, brand: brand, reason: "no \(absent) for \(waited.milliseconds / 1000) s")
    }

    /// A dead letter, once for each key.
    private func bury(_ command: ReadCommand, _ refusal: SendRefusal, _ brand: BrandID) async throws {
        let answer: JSONValue = ["code": .string(refusal.code), "title": .string(refusal.message)]
        try await store.brand(brand).write { transaction in
            try command.sendKey.end(status: 409, body: CanonicalJSON.bytes(answer), in: transaction) {
                try transaction.insertDeadLetter(
                    kind: "command", reason: refusal.code,
                    detail: [
                        "error": .string(refusal.message), "subject": .string(command.source.subject), "id": .string(command.name),
                        "command": command.json ?? .null,
                    ], about: .init(id: nil), task: .null)
            }
        }
    }

    private func putAside(_ command: ReadCommand, reason: String) async -> CommandVerdict {
        do {
            return try await quarantine(command, brand: BrandID(validating: command.source.brand), reason: reason)
        } catch {
            logger.error(
                "a command cannot be put aside", metadata: ["subject": "\(command.source.subject)", "error": "\(error)"])
            return .again(after: Self.soon)
        }
    }

    /// Keeps the bytes as they came: with the brand, or with the operator when there is no such brand.
    private func quarantine(_ command: ReadCommand, brand: BrandID?, reason: String) async throws -> CommandVerdict {
        let reason = String(reason.prefix(2_000))
        logger.warning("a command is put aside", metadata: ["subject": "\(command.source.subject)", "error": "\(reason)"])
        let address = InstanceAddress(channel: ChannelName(rawValue: "bus"), app: "commands", account: command.name)
        if let brand {
            try await store.brand(brand).write { transaction in
                try command.sendKey.end(status: 422, body: [], in: transaction) {
                    try transaction.quarantine(address, reason: reason, body: command.kept)
                }
            }
        } else {
            try await store.unrouted.insert([
                UnroutedStore.Entry(
                    channel: address.channel, app: address.app, account: address.account, reason: reason, body: command.kept)
            ])
        }
        tries.forget(command.source)
        return .done
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
