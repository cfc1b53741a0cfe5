#if Sandbox
    import ConfigurationLoading
    import Conversation
    import Foundation
    import Sandbox
    import Storage

    /// Holds the stores of stopped gateways against what the stand-ins wrote down, and says what was promised and is not so.
    struct StoreChecker: Sendable {
        var stores: [StoreLocation]
        var records: StandInRecords
        /// Messages that were answered 200.
        var acknowledged: Set<StandInRecords.Acknowledged>
        var canaries: [Canary] = []
        /// Whether all work should be over.
        var isSettled = true

        /// Throws `StartProblem` when a store cannot be read, or a gateway runs.
        func run() async throws -> CheckReport {
            let locks = try stores.compactMap(lock)
            // Until all stores have been read: what one gateway does meanwhile, another store's findings would not know of.
            defer { withExtendedLifetime(locks) {} }
            let book = CallBook(records)
            var found = StoreFindings()
            for store in stores { found.add(try await look(at: store, book)) }
            let told = CanaryRules.told(records.requests, canaries)
            return CheckReport(
                broken: MessageRules.lost(acknowledged, found) + found.broken + book.broken + book.foreign(found.keys)
                    + ReplyRules.sentAgain(records.requests, redriven: found.redriven) + told,
                messages: found.messages.count, acknowledged: Set(acknowledged.map(\.id)).count, replies: found.replies,
                actions: found.keys.count, calls: records.calls.count, effects: records.effects.count)
        }

        /// Nil for a store that has no lock: there the server knows who is connected.
        private func lock(_ store: StoreLocation) throws -> StoreFileLock? {
            guard case .file(let path) = store else { return nil }
            guard FileManager.default.fileExists(atPath: path) else {
                throw StartProblem("there is no store \(path); give --data the gateway's folder, or --store what the gateway was given")
            }
            do {
                return try StoreFileLock(storePath: path)
            } catch {
                guard case .inUse = error else { throw StartProblem("\(error)") }
                throw StartProblem("a gateway has \(path) open, and what it is doing is not over; stop it first")
            }
        }

        private func look(at store: StoreLocation, _ book: CallBook) async throws -> StoreFindings {
            let (isSettled, canaries, stopped) = (isSettled, canaries, Self.lastWritten(store))
            let look: StoreInspection.Look<StoreFindings> = { connection, dialect in
                let view = try StoreView(connection, dialect, isSettled: isSettled, stopped: stopped)
                return try StoreFindings(view, records: book, canaries: canaries)
            }
            do {
                switch store {
                case .file(let path): return try await StoreInspection.file(path, look)
                case .postgreSQL(let url): return try await StoreInspection.postgreSQL(url: url.reveal(), look)
                }
            } catch {
                throw StartProblem("\(store.shown): \(error)")
            }
        }

        /// A gateway that ends signs off in its store, whose log it folds back. Of one that was killed, which leaves a log, nobody knows when.
        /// Later in a copy.
        private static func lastWritten(_ store: StoreLocation) -> Timestamp? {
            guard case .file(let path) = store else { return nil }
            let file = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
            // There need not be a log, and who looked before may have left an empty one. Without a moment, now is taken.
            let log = (try? FileManager.default.attributesOfItem(atPath: file + "-wal"))?[.size] as? Int ?? 0
            guard log == 0, let moment = (try? FileManager.default.attributesOfItem(atPath: file))?[.modificationDate] as? Date else {
                return nil
            }
            return Timestamp(milliseconds: Int64(moment.timeIntervalSince1970 * 1000))
        }
    }

    /// What a checker found, and how much it looked at.
    struct CheckReport: Sendable {
        var broken: [BrokenPromise]
        var messages: Int
        var acknowledged: Int
        var replies: Int
        var actions: Int
        var calls: Int
        var effects: Int

        /// One line a complaint, or one that there is none.
        var text: String {
            guard broken.isEmpty else { return broken.map(\.line).joined(separator: "\n") }
            return """
                nothing to complain of: \(messages) messages (\(acknowledged) known to be acknowledged), \(replies) replies, \
                \(actions) actions, \(calls) calls with \(effects) effects
                """
        }

        var json: JSONValue {
            [
                "broken": .array(broken.map(\.json)), "messages": .integer(Int64(messages)), "acknowledged": .integer(Int64(acknowledged)),
                "replies": .integer(Int64(replies)), "actions": .integer(Int64(actions)), "calls": .integer(Int64(calls)),
                "effects": .integer(Int64(effects)),
            ]
        }
    }
#endif
