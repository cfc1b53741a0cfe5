internal import Conversation
internal import Signing
internal import Storage

/// By what a repeated command is known again, and what is noted of the one that was done.
struct SendKey: Sendable {
    private let text: String
    /// Of what was asked for; of the key itself where the first command counts, whatever later ones say.
    private let digest: [UInt8]

    /// `body` is nil for commands whose key alone says which message is meant.
    init(_ name: String, of origin: SendDesk.Origin, body: [UInt8]? = nil) {
        text = "\(origin.rawValue)\n\(name)"
        digest = body.map(Digest.sha256) ?? Self.mark(of: text)
    }

    /// How the command of this key was answered; nil when none was.
    func answer(in transaction: BrandTransaction) throws -> SendDesk.Answer? {
        guard let known = try transaction.answer(toRequest: text) else { return nil }
        // A release before noted no body, and compared none.
        guard known.bodyHash == digest || known.bodyHash == Self.mark(of: text) else { return .refused(.keyReused) }
        return .known(status: known.status, body: known.body)
    }

    /// Nil when the key is this command's now.
    func claim(in transaction: BrandTransaction) throws -> SendDesk.Answer? {
        switch try transaction.claimRequest(key: text, bodyHash: digest) {
        case .new: return nil
        case .answered(let status, let body): return .known(status: status, body: body)
        case .otherBody: return .refused(.keyReused)
        case .running: throw StageError(stage: .outbox, retryable: true, cause: "a command is in the hands of somebody else")
        }
    }

    /// The key is free again: nothing happened under it.
    func forget(in transaction: BrandTransaction) throws { try transaction.forgetRequest(key: text) }

    func store(_ receipt: SendReceipt, in transaction: BrandTransaction) throws {
        try store(status: SendDesk.acceptedStatus, body: CanonicalJSON.bytes(receipt.json), in: transaction)
    }

    /// Notes another end of the command than a message, and does `work`, unless it has ended before.
    func end(status: Int, body: [UInt8], in transaction: BrandTransaction, _ work: () throws -> Void) throws {
        guard try claim(in: transaction) == nil else { return }
        try work()
        try store(status: status, body: body, in: transaction)
    }

    private func store(status: Int, body: [UInt8], in transaction: BrandTransaction) throws {
        try transaction.storeAnswer(key: text, status: status, body: body)
    }

    private static func mark(of text: String) -> [UInt8] { Digest.sha256(Array(text.utf8)) }
}
