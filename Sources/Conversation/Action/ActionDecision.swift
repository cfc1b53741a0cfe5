/// A call that has been decided: the very bytes every attempt sends. Committed before the first byte leaves, never computed again.
package struct ActionDecision: Sendable {
    package var id: ActionID
    package var taskID: UniqueID
    package var intentID: IntentID
    package var canonicalAction: String
    package var params: [String: Entity]
    package var method: String
    /// Path and query below the brand's base URL, encoded.
    package var target: String
    /// Nil when the request has no body.
    package var body: [UInt8]?
    package var idempotencyKey: [UInt8]
    package var fingerprint: [UInt8]
    package var priority: Priority

    package init(
        id: ActionID, taskID: UniqueID, intentID: IntentID, canonicalAction: String, params: [String: Entity], method: String,
        target: String,
        body: [UInt8]?, idempotencyKey: [UInt8], fingerprint: [UInt8], priority: Priority
    ) {
        self.id = id
        self.taskID = taskID
        self.intentID = intentID
        self.canonicalAction = canonicalAction
        self.params = params
        self.method = method
        self.target = target
        self.body = body
        self.idempotencyKey = idempotencyKey
        self.fingerprint = fingerprint
        self.priority = priority
    }
}

/// What can be said of one attempt after it ended.
package enum CallOutcome: Sendable {
    /// Nothing reached the other side, or it promised that nothing happened. `retryAfter` is its own wish.
    case notSent(reason: String, retryAfter: Duration?)
    /// Nothing reached the other side, and the same call never will: its address is closed, or it is no request that HTTP can carry.
    case notSendable(reason: String)
    /// Nothing was tried: the other side is not answering, and calls to it wait until it does.
    case held(reason: String)
    /// It understood and said no.
    case refused(status: Int, body: [UInt8])
    case done(status: Int, body: [UInt8])
    /// Sent, and no trustworthy answer.
    case unknown(reason: String)
}

/// Makes idempotency keys and fingerprints; keyed by the brand's first signing secret.
package protocol DecisionSigner: Sendable {
    /// HMAC-SHA256 over the canonical JSON (RFC 8785) of `{v, brand, user, action, params, task_id}`.
    func idempotencyKey(brand: BrandID, user: UserID, action: String, params: JSONValue, taskID: UniqueID) -> [UInt8]
    /// The same without `task_id`.
    func fingerprint(brand: BrandID, user: UserID, action: String, params: JSONValue) -> [UInt8]
}
