import Bus
import Conversation
import Gateway
import Storage

/// Dead letters with a brand's key, the quarantine with the operator's. The same answers serve the control socket of the commands.
struct DeskRoutes: Sendable {
    /// Brands that their configuration stopped: their work is still there to be seen.
    let stopped: StoppedBrands
    let registry: Registry
    let deadLetters: DeadLetterDesk
    let quarantine: QuarantineDesk
    let queue: TaskQueue
    let outbox: OutboxDesk

    var routes: [APIRoute] {
        [
            APIRoute(method: "GET", path: "/v1/dead-letters", access: .brand(.read), summary: "Work given up, newest first") { request in
                let (limit, after) = try request.page()
                return try await listDeadLetters(brands: [request.brand()], after: after, limit: limit)
            },
            APIRoute(method: "GET", path: "/v1/dead-letters/{id}", access: .brand(.read), summary: "One dead letter with every attempt") {
                try await showDeadLetter($0.id(), brands: [$0.brand()])
            },
            APIRoute(
                method: "POST", path: "/v1/dead-letters/{id}/redrive", access: .brand(.admin), summary: "Run it again, once",
                maxBodyBytes: 65_536
            ) {
                try await redrive($0.id(), brands: [$0.brand()])
            },
            APIRoute(method: "DELETE", path: "/v1/dead-letters/{id}", access: .brand(.admin), summary: "Discard it") {
                try await discard($0.id(), brands: [$0.brand()])
            },
            APIRoute(method: "GET", path: "/v1/quarantine", access: .operatorKey, summary: "What could not be read or is nobody's") {
                request in
                let (limit, after) = try request.page()
                return try await listQuarantine(brands: allBrands, after: after, limit: limit)
            },
            APIRoute(method: "GET", path: "/v1/quarantine/{id}", access: .operatorKey, summary: "One of them with its raw body") {
                try await showQuarantine($0.id(), brands: allBrands)
            },
            APIRoute(
                method: "POST", path: "/v1/quarantine/{id}/replay", access: .operatorKey, summary: "Hand it in again", maxBodyBytes: 65_536
            ) {
                try await replay($0.id(), brands: allBrands)
            },
        ]
    }

    /// Running or stopped.
    var allBrands: [BrandID] { Set(registry.brands.map(\.id) + stopped.ids).sorted() }

    func listDeadLetters(brands: [BrandID], after: UniqueID?, limit: Int) async throws -> ChannelResponse {
        var letters: [(id: UniqueID, json: JSONValue)] = []
        for brand in brands {
            letters += try await deadLetters.list(brand: brand, after: after, limit: limit).map { letter, isRedrivable in
                (letter.id, letter.json(brand: brand, isRedrivable: isRedrivable))
            }
        }
        return .json(["dead_letters": .array(letters.sorted { $0.id > $1.id }.prefix(limit).map(\.json))])
    }

    func showDeadLetter(_ id: UniqueID, brands: [BrandID]) async throws -> ChannelResponse {
        for brand in brands {
            guard let (letter, isRedrivable, attempts) = try await deadLetters.find(id, brand: brand),
                case .object(var fields) = letter.json(brand: brand, isRedrivable: isRedrivable)
            else { continue }
            fields["attempts"] = .array(attempts.map(\.json))
            fields["task"] = letter.task
            return .json(.object(fields))
        }
        throw APIError.notFound
    }

    func redrive(_ id: UniqueID, brands: [BrandID]) async throws -> ChannelResponse {
        try await firstAnswer(brands) { try await deadLetters.redrive(id, brand: $0) }
    }

    func discard(_ id: UniqueID, brands: [BrandID]) async throws -> ChannelResponse {
        try await firstAnswer(brands) { try await deadLetters.discard(id, brand: $0) }
    }

    private func firstAnswer(_ brands: [BrandID], _ ask: (BrandID) async throws -> DeadLetterDesk.Answer) async throws -> ChannelResponse {
        for brand in brands {
            switch try await ask(brand) {
            case .done: return .json(["status": "done"])
            case .doneButLate(let warning): return .json(["status": "done", "warning": .string(warning)])
            case .notFound: continue
            case .alreadyEnded(let state): throw APIError(409, "It is \(state) already")
            case .notRedrivable(let why): throw APIError(409, "It cannot be run again: \(why)")
            }
        }
        throw APIError.notFound
    }

    func listQuarantine(brands: [BrandID], after: UniqueID?, limit: Int) async throws -> ChannelResponse {
        let records = try await quarantine.list(brands: brands, includingUnrouted: true, after: after, limit: limit)
        return .json(["quarantine": .array(records.map { $0.json(withBody: false) })])
    }

    func showQuarantine(_ id: UniqueID, brands: [BrandID]) async throws -> ChannelResponse {
        guard let record = try await quarantine.record(id, brands: brands) else { throw APIError.notFound }
        return .json(record.json(withBody: true))
    }

    func replay(_ id: UniqueID, brands: [BrandID]) async throws -> ChannelResponse {
        switch try await quarantine.replay(id, brands: brands) {
        case .replayed(let receipt):
            return .json([
                "status": "replayed", "accepted": .integer(Int64(receipt.accepted)), "duplicates": .integer(Int64(receipt.duplicates)),
            ])
        case .notFound: throw APIError.notFound
        case .alreadyReplayed: throw APIError(409, "It was replayed already")
        case .stillNot(let reason): throw APIError(409, "It cannot be replayed yet: \(reason)")
        }
    }
}

extension DeadLetterRecord {
    func json(brand: BrandID, isRedrivable: Bool) -> JSONValue {
        [
            "id": .string(id.description), "brand": .string(brand.rawValue), "kind": .string(kind), "reason": .string(reason),
            "detail": detail,
            "subject_id": JSONValue(subject?.description), "session_id": JSONValue(session?.description),
            "user_id": JSONValue(user?.description),
            "state": .string(state), "redrivable": .bool(isRedrivable), "created_at": .string(createdAt.description),
            "settled_at": JSONValue(settledAt?.description),
        ]
    }
}

extension AttemptRecord {
    var json: JSONValue {
        [
            "number": .integer(Int64(number)), "started_at": .string(startedAt.description), "ended_at": JSONValue(endedAt?.description),
            "outcome": JSONValue(outcome), "detail": JSONValue(detail),
        ]
    }
}

extension QuarantineRecord {
    func json(withBody: Bool) -> JSONValue {
        var fields: [String: JSONValue] = [
            "id": .string(id.description), "brand": JSONValue(brand?.rawValue), "channel": .string(channel.rawValue), "app": .string(app),
            "account": JSONValue(account), "reason": .string(reason), "state": .string(state), "bytes": .integer(Int64(body.count)),
            "created_at": .string(createdAt.description),
        ]
        if withBody { fields["body"] = .string(String(decoding: body, as: UTF8.self)) }
        return .object(fields)
    }
}
