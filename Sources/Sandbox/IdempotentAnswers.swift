import Conversation
import Synchronization

/// What a call that took effect was answered, as the ledger keeps it.
struct KeptAnswer: Sendable, Decodable {
    var key: String?
    var method: String
    var path: String
    var bodyHash: String
    var status: Int
    /// The answer's body; nil where keys were not honoured.
    var answer: String?

    private enum CodingKeys: String, CodingKey {
        case key, method, path, status, answer
        case bodyHash = "body_sha256"
    }
}

/// The first answer to each `Idempotency-Key`. Those to calls that took effect outlive the process where there is a ledger; one that only
/// refused is given anew.
final class IdempotentAnswers: Sendable {
    /// What a call with a key finds.
    enum Claim: Equatable {
        /// The caller acts and then calls `finish` or `abandon`.
        case first
        case replay(StandInAnswer)
        case otherBody
        case stillRunning
    }

    private struct Fingerprint: Equatable {
        let method: String
        let path: String
        let bodyHash: String
    }

    private struct Entry {
        let fingerprint: Fingerprint
        var answer: StandInAnswer?
    }

    private let entries: Mutex<[String: Entry]>

    /// `kept` is what earlier processes answered, oldest first.
    init(kept: [KeptAnswer] = []) {
        let known = kept.compactMap { call -> (String, Entry)? in
            guard let key = call.key, let body = call.answer else { return nil }
            let fingerprint = Fingerprint(method: call.method, path: call.path, bodyHash: call.bodyHash)
            return (key, Entry(fingerprint: fingerprint, answer: StandInAnswer(status: call.status, body: Array(body.utf8))))
        }
        entries = Mutex(Dictionary(known) { first, _ in first })
    }

    func claim(_ key: String, for request: StandInRequest) -> Claim {
        let hash = Hex.encode(Signatures.sha256(request.body))
        let fingerprint = Fingerprint(method: request.method, path: request.path, bodyHash: hash)
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
    /// Until the next process: the ledger only grows.
    func forgetAll() { entries.withLock { $0 = [:] } }
}
