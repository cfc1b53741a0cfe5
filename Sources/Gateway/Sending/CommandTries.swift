internal import Conversation
internal import Synchronization

/// What this node found when it worked on commands that it could not finish. A bus counts deliveries, also those that nobody could work on
/// because the store was away; what counts here is only what was tried. After a restart it begins anew.
final class CommandTries: Sendable {
    private struct Record {
        var failures = 0
        var absentSince: Timestamp?
        var touchedAt: Timestamp
    }

    /// By the brand's name in the subject, then by place: a brand that floods the bus takes nobody else's room.
    private let records = Mutex<[String: [String: Record]]>([:])
    private let sizeLimit: Int

    /// Commands are given to others as well. One that did not come back for so long has ended there.
    private static let longestAbsence = Duration.seconds(300)

    /// `sizeLimit` is how many commands of a brand are remembered, and of how many brands.
    init(sizeLimit: Int = 1_000) { self.sizeLimit = sizeLimit }

    /// How often it has failed by now, this time included; 1 for one that there is no room to remember.
    func failed(_ command: BusCommand, now: Timestamp) -> Int {
        change(command, now) {
            $0.failures += 1
            return $0.failures
        } ?? 1
    }

    /// Since when what it is for has been looked for in vain; nil when there is no room to remember it.
    func absent(_ command: BusCommand, now: Timestamp) -> Duration? {
        change(command, now) {
            let since = $0.absentSince ?? now
            $0.absentSince = since
            return now - since
        }
    }

    /// It has ended.
    func forget(_ command: BusCommand) {
        records.withLock { records in
            records[command.brand]?[command.place] = nil
            if records[command.brand]?.isEmpty == true { records[command.brand] = nil }
        }
    }

    private func change<Value: Sendable>(_ command: BusCommand, _ now: Timestamp, _ body: (inout Record) -> Value) -> Value? {
        records.withLock { records in
            if records[command.brand]?[command.place] == nil {
                if isFull(records, command) { Self.makeRoom(in: &records, now) }
                guard !isFull(records, command) else { return nil }
            }
            var record = records[command.brand]?[command.place] ?? Record(touchedAt: now)
            record.touchedAt = now
            defer { records[command.brand, default: [:]][command.place] = record }
            return body(&record)
        }
    }

    private func isFull(_ records: [String: [String: Record]], _ command: BusCommand) -> Bool {
        guard let own = records[command.brand] else { return records.count >= sizeLimit }
        return own.count >= sizeLimit
    }

    private static func makeRoom(in records: inout [String: [String: Record]], _ now: Timestamp) {
        records = records.mapValues { $0.filter { now - $0.value.touchedAt < longestAbsence } }.filter { !$0.value.isEmpty }
    }
}
