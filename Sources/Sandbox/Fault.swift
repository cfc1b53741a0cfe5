import Conversation

/// One way in which a stand-in misbehaves on demand.
struct Fault: Sendable, Equatable {
    enum Drop: String, Sendable, CaseIterable {
        /// The connection is reset with no effect and no answer.
        case before
        /// The connection is reset after the effect, without an answer.
        case after
    }

    /// Requests whose path starts so are concerned.
    var path: String
    /// Only this method; any when nil.
    var method: String?
    var status: Int?
    /// Sent with `status` in place of the stand-in's own error form.
    var body: JSONValue?
    var delay: Duration?
    var drop: Drop?
    /// Answers 200 (or `status`) with bytes that are no JSON.
    var isGarbage = false
    var filler: StandInAnswer.Filler?
    /// The answer says `Content-Encoding: gzip` and unpacks to this many bytes.
    var gzipBytes: Int?
    /// This many bytes of further header lines.
    var headerBytes: Int?
    var redirect: String?
    /// The answer begins, and then comes byte by byte with this between them.
    var trickle: Duration?
    /// False makes a brand API act on every call, whatever its key.
    var honoursKeys = true
    /// Which statuses the Graph stand-in reports of an accepted send, in order, in place of sent, delivered and read; none when empty.
    var statuses: [String]?
    /// Seconds; answers 429 unless `status` says otherwise.
    var retryAfter: Int?
    /// Whether the effect takes place, where the rest of the fault leaves that open.
    var effect: Bool?
    /// How many requests it still applies to; all when nil.
    var times: Int?

    func concerns(method: String, path: String) -> Bool {
        path.hasPrefix(self.path) && (self.method == nil || self.method == method)
    }

    /// False for a fault that only switches keys off or changes statuses: it goes together with another one.
    var changesAnswer: Bool {
        status != nil || body != nil || delay != nil || drop != nil || isGarbage || filler != nil || gzipBytes != nil || headerBytes != nil
            || redirect != nil || retryAfter != nil || trickle != nil
    }

    /// A refusal has no effect, a spoiled answer comes after it.
    var hasEffect: Bool {
        if drop == .before { return false }
        if drop == .after { return true }
        return effect ?? (status == nil && redirect == nil && retryAfter == nil)
    }
}

extension Fault {
    /// The largest size that can be asked for: 1 GiB.
    static let largest = 1 << 30

    /// Throws `FieldError` for whatever is not as the interface says.
    init(_ json: JSONValue?) throws {
        var fields = try StrictObject(json)
        path = try fields.text("path")
        guard path.hasPrefix("/") else { throw fields.failure("path", "must begin with a slash") }
        method = try fields.optionalText("method")?.uppercased()
        status = try fields.optionalInteger("status", in: 200...599)
        body = fields.value("body")
        delay = try fields.optionalInteger("delay_ms", in: 0...86_400_000).map { .milliseconds($0) }
        if fields.has("drop") { drop = Drop(rawValue: try fields.text("drop", oneOf: Drop.allCases.map(\.rawValue))) }
        isGarbage = try fields.optionalBool("garbage") ?? false
        filler = try Self.filler(&fields)
        gzipBytes = try fields.optionalInteger("gzip_bytes", in: 1...Self.largest)
        headerBytes = try fields.optionalInteger("header_bytes", in: 1...Self.largest / 64)
        redirect = try fields.optionalText("redirect")
        trickle = try fields.optionalInteger("trickle_ms", in: 1...86_400_000).map { .milliseconds($0) }
        honoursKeys = try fields.optionalBool("honour_keys") ?? true
        retryAfter = try fields.optionalInteger("retry_after", in: 0...86_400)
        statuses = try Self.statuses(&fields)
        effect = try fields.optionalBool("effect")
        times = try fields.optionalInteger("times", in: 1...1_000_000)
        try fields.finish()
        guard changesAnswer || !honoursKeys || statuses != nil else {
            throw fields.failure("path", "stands alone; say also what should go wrong")
        }
    }

    private static func filler(_ fields: inout StrictObject) throws -> StandInAnswer.Filler? {
        if fields.value("body_bytes") == "endless" { return .endless }
        return try fields.optionalInteger("body_bytes", in: 0...largest).map { .bytes($0) }
    }

    private static func statuses(_ fields: inout StrictObject) throws -> [String]? {
        guard fields.has("statuses") else { return nil }
        return try fields.list("statuses", count: 0...10).map { path, value in
            guard let name = value.string, !name.isEmpty else {
                throw FieldError(field: path, problem: "must be a status such as failed")
            }
            return name
        }
    }

    var json: JSONValue {
        var members: [String: JSONValue] = ["path": .string(path), "honour_keys": .bool(honoursKeys), "effect": .bool(hasEffect)]
        let numbers = [
            "status": status, "gzip_bytes": gzipBytes, "header_bytes": headerBytes, "retry_after": retryAfter, "times": times,
            "delay_ms": delay.map { Int($0.milliseconds) }, "trickle_ms": trickle.map { Int($0.milliseconds) },
        ]
        for (key, number) in numbers { members[key] = number.map { .integer(Int64($0)) } }
        members["method"] = method.map(JSONValue.string)
        members["drop"] = drop.map { .string($0.rawValue) }
        members["redirect"] = redirect.map(JSONValue.string)
        members["body"] = body
        members["statuses"] = statuses.map { .array($0.map(JSONValue.string)) }
        if isGarbage { members["garbage"] = true }
        switch filler {
        case .bytes(let count): members["body_bytes"] = .integer(Int64(count))
        case .endless: members["body_bytes"] = "endless"
        // Said as `trickle_ms`.
        case .trickle, nil: break
        }
        return .object(members)
    }
}
