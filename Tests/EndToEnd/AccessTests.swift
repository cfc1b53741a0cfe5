import Conversation
import Foundation
import JSON
import Testing

/// Who may ask for what: every route that the gateway lists, with every kind of caller and with ids of every kind.
@Suite(.serialized) struct AccessTests {
    @Test func everyRouteAdmitsWhoItSaysAndShowsNobodyWhatIsAnothers() async throws {
        try await Rig.with(Self.options) { rig in
            let ids = try await Self.prepare(rig)
            // What is still on its way would be stored later, whoever asks for what.
            try await rig.drain()
            try await eventually("every status has come") {
                try await rig.count("SELECT count(*) FROM messages WHERE send_state = 'sent' AND (status IS NULL OR status <> 'read')") == 0
            }
            #expect(await rig.stopGateway() == 0)
            let before = try await rig.rowCounts()
            try await rig.startGateway()
            var count = 0
            for route in try await Self.routes(rig) {
                for caller in Self.callers(rig) { count += try await Self.probe(route, caller, ids, rig) }
            }
            #expect(count >= 500, "\(count) requests")
            for brand in ["salon", "jobs"] { #expect(try await rig.deadLetters(brand).allSatisfy { $0["state"] == "open" }) }
            #expect(try await rig.quarantine().allSatisfy { $0["state"] == "open" })
            #expect(await rig.stopGateway() == 0)
            let changed = try await rig.rowCounts().filter { $0.value != before[$0.key] }
            #expect(changed.isEmpty, "\(changed), and before it was \(before)")
        }
    }

    @Test func wrongMethodsAndUnknownPathsAreToldApart() async throws {
        try await Rig.with { rig in
            let routes = try await Self.routes(rig)
            for (path, methods) in Dictionary(grouping: routes, by: \.path).mapValues({ $0.map(\.method) }) {
                for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] where !methods.contains(method) {
                    let url = rig.gatewayURL + path.replacing(/\{[a-z]+\}/, with: "main")
                    let answer = try await rig.send(
                        method, url, headers: rig.bearer(rig.adminKey("salon")), body: method == "GET" ? nil : [])
                    rig.expectProblem(answer, 405, "\(method) \(path)")
                    #expect(answer.header("Allow")?.split(separator: ", ").map(String.init) == methods.sorted(), "\(method) \(path)")
                }
            }
            for path in [
                "/", "/v1", "/v1/nothing", "/v2/sessions", "/v1/sessions/a/b/c", "/webhooks/whatsapp", "/metrics/more", "/.env", "/%00",
            ] {
                rig.expectProblem(try await rig.get(rig.gatewayURL + path, key: rig.adminKey("salon")), 404, "GET \(path)")
            }
            for query in ["limit=0", "limit=-1", "limit=201", "limit=many", "after=yesterday"] {
                rig.expectProblem(try await rig.get("\(rig.gatewayURL)/v1/sessions?\(query)", key: rig.adminKey("salon")), 400, "?\(query)")
            }
        }
    }

    @Test func anIdempotencyKeyGivesTheFirstAnswerAgain() async throws {
        try await Rig.with(Self.options) { rig in
            let letter = try await Self.prepare(rig).own["dead-letters"] ?? ""
            let url = "\(rig.gatewayURL)/v1/dead-letters/\(letter)/redrive"
            func redrive(_ key: String?, _ body: String = "{}", _ target: String? = nil) async throws -> Answer {
                let named = key.map { [(name: "Idempotency-Key", value: $0)] } ?? []
                return try await rig.send("POST", target ?? url, headers: rig.bearer(rig.adminKey("salon")) + named, body: Array(body.utf8))
            }
            let first = try await redrive("key-1")
            #expect(first.status == 200)
            let again = try await redrive("key-1")
            #expect(again.status == 200 && again.bytes == first.bytes && again.header("Idempotency-Replayed") == "true")
            rig.expectProblem(try await redrive("key-1", "{\"other\":true}"), 422, "another body")
            rig.expectProblem(
                try await redrive("key-1", "{}", url.replacingOccurrences(of: letter, with: UUID().uuidString)), 422, "another path")
            rig.expectProblem(try await redrive("key-2"), 409, "another key: it ran already")
            rig.expectProblem(try await redrive(nil), 409, "no key: it ran already")
            rig.expectProblem(try await redrive(String(repeating: "k", count: 300)), 400, "a key too long")
        }
    }

    // MARK: What is asked

    struct Route {
        let method: String
        let path: String
        let access: String
    }

    struct Caller {
        let name: String
        let headers: [(name: String, value: String)]
        /// Nil for one who is nobody.
        var brand: String?
        var role = -1
        var isOperator = false
    }

    struct IDs {
        /// By the resource in the path; the salon's, or the operator's.
        var own: [String: String] = [:]
        /// The other brand's.
        var others: [String: String] = [:]
    }

    private static let roles = ["read", "agent", "admin"]

    private static var options: Rig.Options {
        var options = Rig.Options()
        for brand in ["salon", "jobs"] {
            let upper = brand.uppercased()
            let key = "{ key: \"${\(upper)_ADMIN_KEY}\", role: admin }"
            options.edits.append(
                (
                    "brands/\(brand)/brand.yaml", "keys: [\(key)]",
                    "keys: [\(key), { key: \"${\(upper)_AGENT_KEY}\", role: agent }, { key: \"${\(upper)_READ_KEY}\", role: read }]"
                ))
            for role in ["READ", "AGENT"] { options.environment["\(upper)_\(role)_KEY"] = "test-\(upper)-\(role)-\(UUID())" }
        }
        return options
    }

    /// One session and one dead letter a brand, and one webhook that is nobody's.
    private static func prepare(_ rig: Rig) async throws -> IDs {
        try await rig.refuseReplies()
        try await rig.say("hello", from: "15550021001")
        try await rig.say("hello", from: "15550021002", instance: "jobs-whatsapp")
        try await eventually("a dead letter for each brand") {
            let (own, others) = (try await rig.deadLetters("salon"), try await rig.deadLetters("jobs"))
            return own.count >= 1 && others.count >= 1
        }
        try await rig.clearFaults()
        #expect(try await rig.webhook(Array("nobody's".utf8)).status == 200)
        var ids = IDs()
        ids.own["sessions"] = try await rig.sessions("salon").first?["id"]?.string
        ids.others["sessions"] = try await rig.sessions("jobs").first?["id"]?.string
        ids.own["dead-letters"] = try await rig.deadLetters("salon").first?["id"]?.string
        ids.others["dead-letters"] = try await rig.deadLetters("jobs").first?["id"]?.string
        for (brand, phone, instance) in [("salon", "15550021003", "salon-whatsapp"), ("jobs", "15550021004", "jobs-whatsapp")] {
            try await rig.say("I want to talk to a person", from: phone, instance: instance)
            try await eventually("a handover of \(brand)") { try await rig.handovers(brand).count == 1 }
        }
        ids.own["handovers"] = try await rig.handovers("salon").first?["id"]?.string
        ids.others["handovers"] = try await rig.handovers("jobs").first?["id"]?.string
        ids.own["quarantine"] = try await rig.quarantine().first?["id"]?.string
        // What the channel has still to say about the two replies would be a change as well.
        try await eventually("what was sent was read") {
            try await rig.count("SELECT count(*) FROM messages WHERE direction = 'out' AND send_state = 'sent' AND status = 'read'") == 2
        }
        return ids
    }

    /// Made from the gateway's own description, which is made from its routes.
    private static func routes(_ rig: Rig) async throws -> [Route] {
        let paths = try #require(try await rig.get(rig.gatewayURL + "/openapi.json").json["paths"]?.object)
        return try paths.flatMap { path, methods in
            try #require(methods.object).map { Route(method: $0.uppercased(), path: path, access: $1["x-access"]?.string ?? "") }
        }.sorted { ($0.path, $0.method) < ($1.path, $1.method) }
    }

    private static func callers(_ rig: Rig) -> [Caller] {
        var callers = [
            Caller(name: "no key", headers: []), Caller(name: "a bad key", headers: rig.bearer("no-such-key-at-all")),
            Caller(name: "an empty key", headers: [(name: "Authorization", value: "Bearer ")]),
            Caller(name: "another scheme", headers: [(name: "Authorization", value: "Basic \(rig.adminKey("salon"))")]),
            Caller(name: "two keys", headers: rig.bearer(rig.operatorKey) + rig.bearer(rig.adminKey("salon"))),
            Caller(name: "the operator", headers: rig.bearer(rig.operatorKey), isOperator: true),
        ]
        for brand in ["salon", "jobs"] {
            for (rank, role) in roles.enumerated() {
                let key = rig.environment["\(brand.uppercased())_\(role.uppercased())_KEY"] ?? ""
                callers.append(Caller(name: "\(brand) \(role)", headers: rig.bearer(key), brand: brand, role: rank))
            }
        }
        return callers
    }

    // MARK: What must be answered

    /// What a channel lets in by itself is refused to all of these callers: none has an origin, an app's key or a visitor's token.
    /// Sends the route with every kind of id; the number of requests. Nothing that would be carried out is sent.
    private static func probe(_ route: Route, _ caller: Caller, _ ids: IDs, _ rig: Rig) async throws -> Int {
        var count = 0
        for (kind, id) in identifiers(route, ids) {
            let path = route.path.replacing(/\{[a-z]+\}/, with: id)
            let allowed = try isAllowed(route.access, caller)
            let isOwn =
                kind == "none" || route.access == "channel:anyone" || kind == "salon" && (caller.isOperator || caller.brand == "salon")
                || kind == "jobs" && caller.brand == "jobs"
            let refusal = refusal(route, allowed, kind: kind) ?? (isOwn ? nil : 404)
            if route.method != "GET", refusal == nil { continue }
            let body: [UInt8]? = route.method == "POST" ? Array("{}".utf8) : nil
            let answer = try await rig.send(route.method, rig.gatewayURL + path, headers: caller.headers, body: body)
            let what: Comment =
                "\(route.method) \(route.path) (\(route.access)) with \(kind) id by \(caller.name): \(answer.text.prefix(200))"
            if let refusal {
                rig.expectProblem(answer, refusal, what)
            } else {
                #expect(answer.status == 200, what)
                #expect(answer.header("X-Request-Id").flatMap { UniqueID($0) } != nil, what)
                if let brand = caller.brand { expectNothing(of: brand == "salon" ? ids.others : ids.own, answer, what) }
            }
            count += 1
        }
        return count
    }

    private static func identifiers(_ route: Route, _ ids: IDs) -> [(String, String)] {
        let resource = String(route.path.split(separator: "/").dropFirst().first ?? "")
        guard route.path.contains("{") else { return [("none", "")] }
        if route.path.contains("{app}") { return [("app", "main"), ("strange", "other"), ("malformed", "main%00")] }
        if route.path.contains("{desk}") { return [("strange", "nobodys-desk"), ("malformed", "1%20OR%201=1")] }
        if route.path.contains("{file}") { return [("none", "chat.css"), ("strange", "nothing.css"), ("malformed", "..%2Fchannel.yaml")] }
        if route.path.contains("{instance}") {
            return [("salon", "salon-web"), ("jobs", "jobs-web"), ("strange", "nobodys-web"), ("malformed", "1%20OR%201=1")]
        }
        let absent = UniqueID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0001).description
        return [
            ("salon", ids.own[resource] ?? absent), ("jobs", ids.others[resource] ?? absent), ("strange", absent),
            ("malformed", "1%20OR%201=1"),
        ]
    }

    /// Nil when the caller may, else the status. Fails on an access rule that this test does not know.
    private static func isAllowed(_ access: String, _ caller: Caller) throws -> Int? {
        let isNobody = caller.brand == nil && !caller.isOperator
        switch access {
        case "anyone", "channel:signature", "channel:verify_token", "channel:anyone", "channel:origin", "channel:origin_or_app_key",
            "channel:visitor_token", "channel:signed_link":
            return nil
        case "operator": return isNobody ? 401 : caller.isOperator ? nil : 403
        default:
            let role = try #require(
                access.hasPrefix("brand:") ? roles.firstIndex(of: key(access.dropFirst(6))) : nil, "unknown access \(access)")
            return isNobody ? 401 : caller.role >= role ? nil : 403
        }
    }

    /// `read+visitor` also lets visitors see what is theirs; no caller of this test is one.
    private static func key(_ rule: Substring) -> String { String(rule.hasSuffix("+visitor") ? rule.dropLast(8) : rule) }

    /// What the channel's routes and the ids of nothing answer; nil when that leaves it open.
    private static func refusal(_ route: Route, _ allowed: Int?, kind: String) -> Int? {
        if let allowed { return allowed }
        if kind == "strange" || kind == "malformed" { return 404 }
        switch route.access {
        case "channel:signature", "channel:visitor_token": return 401
        // Whose link it is not is not told that there is one.
        case "channel:signed_link": return 404
        case "channel:verify_token", "channel:origin", "channel:origin_or_app_key": return 403
        default: return nil
        }
    }

    private static func expectNothing(of foreign: [String: String], _ answer: Answer, _ what: Comment) {
        for id in foreign.values { #expect(!answer.text.contains(id), what) }
    }
}
