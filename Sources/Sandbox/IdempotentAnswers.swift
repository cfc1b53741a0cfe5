import Conversation
import Synchronization

/// The first answer to each `Idempotency-Key`, for as long as the process lives.
final class IdempotentAnswers: Sendable {
    /// What a call with a key finds.
    enum Claim: Equatable {
        /// The caller acts and then calls `finish` or `abandon`.
        case first
        case replay(StandInAnswer)
        case otherBody
        case stillRunning
    }

    private struct Entry {
        let fingerprint: [UInt8]
        var answer: StandInAnswer?
    }

    private let entries = Mutex<[String: Entry]>([:])

    func claim(_ key: String, for request: StandInRequest) -> Claim {
        let fingerprint = Signatures.sha256(Array("\(request.method) \(request.path)\n".utf8) + request.body)
        return entries.withLock { entries in
            guard let entry = entries[key] else {
                entries[key] = Entry(fingerprint: fingerprint)
                return .first
            }
            if entry.fingerprint != fingerprint { return .otherBody }
            guard var answer = entry.answer else { return .stillRunning }
            answer.headers.append(StandInAnswer.Header(name: "Idempotency-Replayed", value: "true"))
            return .replay(answer)
        }
    }

    func finish(_ key: String, with answer: StandInAnswer) { entries.withLock { $0[key]?.answer = answer } }
    /// Gives the key back after a call that had no effect.
    func abandon(_ key: String) { entries.withLock { _ = $0.removeValue(forKey: key) } }
    func forgetAll() { entries.withLock { $0 = [:] } }
}
