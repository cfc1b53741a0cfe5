import Conversation

/// A refusal of a brand's API.
struct BrandRefusal: Error, Equatable {
    var status: Int
    /// Stable, for programs.
    var code: String
    /// For people.
    var message: String

    var answer: StandInAnswer { .json(status, ["error": .string(code), "message": .string(message)]) }

    static func notFound(_ what: String) -> BrandRefusal {
        BrandRefusal(status: 404, code: "not_found", message: "There is no such \(what).")
    }
}

/// What one brand's API does, apart from what all of them share.
protocol BrandRoutes: Sendable {
    /// Runs one call to its end. `parts` leaves out the brand's own part. Throws `BrandRefusal` or `FieldError`.
    func act(_ request: StandInRequest, parts: [String]) throws -> StandInAnswer
    /// Everything that is held, as `/_sandbox/state` shows it.
    var snapshot: JSONValue { get }
    /// Throws `FieldError`.
    func seed(_ fields: StrictObject) throws
    func reset()
}

/// A brand's API: bearer token, signatures, the ledger, idempotency keys, and then the brand's routes.
struct BrandAPI: StandIn {
    let routes: any BrandRoutes
    /// Nil takes any caller.
    let token: String?
    /// Nil leaves signatures unchecked.
    let verifier: StandardWebhooksVerifier?
    let ledger: Ledger?
    let clock: any WallClock
    private let answers: IdempotentAnswers

    /// `kept` is what earlier processes answered to calls of this brand.
    init(
        routes: any BrandRoutes, token: String?, verifier: StandardWebhooksVerifier?, ledger: Ledger?, kept: [KeptAnswer] = [],
        clock: any WallClock
    ) {
        self.routes = routes
        self.token = token
        self.verifier = verifier
        self.ledger = ledger
        self.clock = clock
        answers = IdempotentAnswers(kept: kept)
    }

    func reset() {
        routes.reset()
        answers.forgetAll()
    }

    func received(_ request: StandInRequest) async throws {
        if request.isWrite { try await ledger?.recordCall(request, at: clock.now) }
    }

    func errorBody(status: Int) -> JSONValue { ["error": "fault", "message": "A fault that was asked for."] }

    func answer(_ request: StandInRequest) async throws -> StandInAnswer {
        if let token, Bearer.token(of: request) != token {
            return BrandRefusal(status: 401, code: "unauthorized", message: "The bearer token is missing or wrong.").answer
        }
        guard request.isWrite else {
            try await request.pause(clock: clock)
            return run(request)
        }
        if let verifier, let reason = verifier.refusal(of: request, now: clock.now) {
            return BrandRefusal(status: 401, code: "bad_signature", message: reason).answer
        }
        guard let key = request.headers["idempotency-key"], request.plan.honoursKeys else {
            return try await write(request, isKept: false)
        }
        switch answers.claim(key, for: request) {
        case .replay(let answer): return answer
        case .otherBody:
            return BrandRefusal(status: 409, code: "key_reused", message: "This key came with another request before.").answer
        case .stillRunning:
            return BrandRefusal(status: 409, code: "still_running", message: "The first request with this key is still running.").answer
        case .first: return try await first(request, key: key)
        }
    }

    private func first(_ request: StandInRequest, key: String) async throws -> StandInAnswer {
        do {
            let answer = try await write(request, isKept: true)
            answers.finish(key, with: answer)
            return answer
        } catch {
            answers.abandon(key)
            throw error
        }
    }

    private func write(_ request: StandInRequest, isKept: Bool) async throws -> StandInAnswer {
        try await request.pause(clock: clock)
        let answer = run(request)
        if answer.status < 300 { try await ledger?.recordEffect(request, answer, isKept: isKept, at: clock.now) }
        return answer
    }

    private func run(_ request: StandInRequest) -> StandInAnswer {
        do {
            return try routes.act(request, parts: Array(request.parts.dropFirst()))
        } catch let error as FieldError {
            return BrandRefusal(status: 400, code: "invalid", message: error.sentence).answer
        } catch let refusal as BrandRefusal {
            return refusal.answer
        } catch {
            return BrandRefusal(status: 500, code: "internal", message: "\(error)").answer
        }
    }
}
