import Conversation
import Signing
import Storage

/// `Idempotency-Key` on our own POST routes: same key and body, the first answer again; same key and another body, 422; still running, 409.
struct RequestKeys: Sendable {
    let store: Store

    func once(
        _ key: String, brand: BrandID, path: String, body: [UInt8], _ work: () async throws -> ChannelResponse
    ) async throws -> ChannelResponse {
        guard (1...255).contains(key.utf8.count) else { throw APIError(400, "Idempotency-Key holds 1 to 255 bytes") }
        let hash = Digest.sha256(Array(path.utf8) + [0] + body)
        switch try await store.brand(brand).write({ try $0.claimRequest(key: key, bodyHash: hash) }) {
        case .answered(let status, let body): return ChannelResponse(status: status, headers: ["Idempotency-Replayed": "true"], body: body)
        case .otherBody: throw APIError(422, "This Idempotency-Key came with another request before")
        case .running: throw APIError(409, "The first request with this Idempotency-Key is still running")
        case .new: break
        }
        let response: ChannelResponse
        do {
            response = try await work()
        } catch {
            try await note(brand) { try $0.forgetRequest(key: key) }
            throw error
        }
        // What was done is not done again, even when its answer cannot be stored now.
        let (status, answer) = (response.status, response.body)
        try await note(brand) { try $0.storeAnswer(key: key, status: status, body: answer) }
        return response
    }

    /// Stores how a request ended. When the store cannot now, it does as soon as it can, while the caller is told.
    private func note(_ brand: BrandID, _ unit: @escaping @Sendable (BrandTransaction) throws -> Void) async throws {
        do {
            try await store.brand(brand).write(unit)
        } catch {
            Task {
                // It fails for good only when the store is closed; then the next start forgets the key.
                _ = try? await store.persistently(brand: brand, unit)
            }
            throw error
        }
    }
}
