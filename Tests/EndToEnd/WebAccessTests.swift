import Conversation
import Foundation
import JSON
import Testing

/// Who gets at a conversation on the web, and who does not.
@Suite(.serialized) struct WebAccessTests {
    @Test func noSecretButItsOwnOpensAConversation() async throws {
        try await Rig.with { rig in
            let (guest, other, foreign) = (try await rig.guest(), try await rig.guest(), try await rig.guest(instance: "jobs-web"))
            try await rig.write("my secret is teapot", guest)
            try await rig.drain()
            let secret = try #require(guest.secret)
            let swapped = try #require(other.secret)
            let guesses = [
                "", "x", "null", "0", String(repeating: "A", count: 43), String(secret.dropLast()), secret + "A", String(secret.reversed()),
                secret.lowercased(), guest.token, guest.user, guest.session, try #require(foreign.secret), "' OR 1=1 --",
            ]
            for guess in guesses {
                let answer = try await rig.session(["resume_secret": .string(guess)], origin: rig.origin)
                if guess.isEmpty {
                    rig.expectProblem(answer, 422, "an empty secret")
                    continue
                }
                let visitor = try Guest(answer, instance: "salon-web")
                #expect(![guest.user, other.user, foreign.user].contains(visitor.user), "\(guess)")
                #expect(try await rig.history(visitor).isEmpty)
            }
            #expect(try await rig.guest(["resume_secret": .string(swapped)]).user == other.user)
            // Of the other brand's instance it is a secret that nobody left there.
            #expect(try await rig.guest(["resume_secret": .string(secret)], instance: "jobs-web").user != guest.user)

            // A device says of itself what it likes.
            let device: JSONValue = ["device_id": "device-of-the-first"]
            let (first, second) = (try await rig.guest(device), try await rig.guest(device))
            #expect(first.user != second.user)
            try await rig.write("hello", first)
            #expect(try await rig.history(second).isEmpty)

            #expect(await rig.stopGateway() == 0)
            try await rig.change("UPDATE resume_secrets SET expires_at = 1")
            try await rig.change("UPDATE visits SET expires_at = 1")
            try await rig.startGateway()
            let late = try await rig.guest(["resume_secret": .string(secret)])
            #expect(late.user != guest.user && late.secret != secret)
            #expect(try await rig.history(late).isEmpty)
            rig.expectProblem(try await rig.get(rig.web("messages"), key: guest.token), 401, "an expired token")
        }
    }

    @Test func onlyTokensOfTheBrandSignIn() async throws {
        try await Rig.with { rig in
            let secret = try #require(rig.environment["SALON_JWT_SECRET"])
            let soon = SystemClock().now.milliseconds / 1000 + 600
            let good: JSONValue = ["sub": "customer-7", "aud": "salon-web", "exp": .integer(soon), "name": "Customer"]
            func claims(_ changes: [String: JSONValue]) -> JSONValue { .object((good.object ?? [:]).merging(changes) { $1 }) }
            func open(_ token: String) async throws -> Answer {
                try await rig.session(["auth_token": .string(token)], origin: rig.origin)
            }
            let first = try Guest(try await open(Rig.token(good, secret: secret)), instance: "salon-web")
            #expect(first.secret == nil)
            let again = try Guest(try await open(Rig.token(claims(["iat": .integer(soon - 900)]), secret: secret)), instance: "salon-web")
            #expect(again.user == first.user)
            let somebody = try Guest(try await open(Rig.token(claims(["sub": "customer-8"]), secret: secret)), instance: "salon-web")
            #expect(somebody.user != first.user)

            let bad = [
                ("another audience", Rig.token(claims(["aud": "jobs-web"]), secret: secret)),
                ("expired", Rig.token(claims(["exp": .integer(soon - 7200)]), secret: secret)),
                ("without exp", Rig.token(["sub": "customer-7", "aud": "salon-web"], secret: secret)),
                ("without sub", Rig.token(["aud": "salon-web", "exp": .integer(soon)], secret: secret)),
                ("alg none", Rig.token(good, algorithm: "none", secret: nil)),
                ("alg None, signed", Rig.token(good, algorithm: "None", secret: secret)),
                ("another algorithm", Rig.token(good, algorithm: "HS512", secret: secret)),
                ("of the other brand", Rig.token(good, secret: rig.environment["JOBS_JWT_SECRET"])),
                ("signed with nothing", Rig.token(good, secret: " ")), ("no token", "x"), ("three dots", "a.b.c"),
                ("a resume secret", String(repeating: "A", count: 43)),
            ]
            for (what, token) in bad { rig.expectProblem(try await open(token), 401, "\(what)") }
            // The instance takes guests, and still nobody who was refused came in as one.
            #expect(try await rig.guest().secret != nil)
            #expect(await rig.stopGateway() == 0)
            #expect(try await rig.count("SELECT count(*) FROM users") == 3)
        }
    }

    @Test func anInstanceWithoutGuestsLetsOnlyTheSignedInIn() async throws {
        let edits = [
            (file: "brands/salon/brand.yaml", from: "    accept_guests: true", to: "    accept_guests: false")
        ]
        try await Rig.with(.init(edits: edits)) { rig in
            rig.expectProblem(try await rig.session(origin: rig.origin), 401, "a guest")
            rig.expectProblem(try await rig.session(["resume_secret": "x"], origin: rig.origin), 401, "a guest with a secret")
            let soon = SystemClock().now.milliseconds / 1000 + 600
            let token = Rig.token(
                ["sub": "customer-7", "aud": "salon-web", "exp": .integer(soon)], secret: rig.environment["SALON_JWT_SECRET"])
            #expect(try await rig.session(["auth_token": .string(token)], origin: rig.origin).status == 201)
        }
    }

    @Test func onlyListedOriginsAndAppsWithAKeyAreLetIn() async throws {
        let edits = [
            (
                file: "brands/salon/brand.yaml", from: "[\"http://127.0.0.1:*\", \"http://localhost:*\"]",
                to: "[\"https://shop.example\", \"http://localhost:*\", \"https://shop.example:8443\"]"
            )
        ]
        try await Rig.with(.init(edits: edits)) { rig in
            for origin in [
                "https://shop.example", "https://SHOP.example", "https://shop.example:443", "https://shop.example:8443",
                "http://localhost", "http://localhost:1", "http://localhost:65535",
            ] {
                let answer = try await rig.session(origin: origin)
                #expect(answer.status == 201, "\(origin)")
                #expect(answer.header("Access-Control-Allow-Origin") == origin)
                #expect(answer.header("Set-Cookie") == nil && answer.header("Access-Control-Allow-Credentials") == nil)
            }
            for origin in [
                "null", "*", "", "http://shop.example", "https://shop.example.evil.example", "https://evilshop.example",
                "https://sub.shop.example", "https://shop.example:444", "https://shop.example:", "https://shop.example/",
                "https://shop.example@evil.example", "https://localhost", "http://localhost.evil.example", "http://localhost:0",
                "http://localhost:65536", "http://127.0.0.1:80", "ftp://shop.example", "https://shop.example https://evil.example",
                "file://", "https://shop.example%00.evil.example", "https://shop.example\u{e9}",
            ] {
                let answer = try await rig.session(origin: origin)
                rig.expectProblem(answer, 403, "\(origin)")
                #expect(answer.header("Access-Control-Allow-Origin") == nil, "\(origin)")
            }
            rig.expectProblem(try await rig.session(origin: nil), 403, "no origin and no key")
            for key in ["", "x", rig.environment["JOBS_APP_KEY"] ?? "", rig.adminKey("salon")] {
                let status = try await rig.session(["app_key": .string(key)], origin: nil).status
                #expect(status == (key.isEmpty ? 422 : 403), "\(key)")
            }
            let key = JSONValue.string(try #require(rig.environment["SALON_APP_KEY"]))
            #expect(try await rig.session(["app_key": key], origin: nil).status == 201)
            rig.expectProblem(try await rig.session(["app_key": key], origin: "https://evil.example"), 403, "a key from a foreign page")
            rig.expectProblem(try await rig.session(instance: "jobs-web", origin: "https://shop.example"), 403, "the other's origin")
        }
    }

    @Test func aTokenIsGoodAtItsOwnInstanceAndSessionOnly() async throws {
        try await Rig.withPages { pages in
            try await Rig.with { rig in
                let (guest, other, foreign) = (try await rig.guest(), try await rig.guest(), try await rig.guest(instance: "jobs-web"))
                for (token, instance) in [(guest.token, "jobs-web"), (foreign.token, "salon-web")] {
                    rig.expectProblem(try await rig.get(rig.web("messages", instance: instance), key: token), 401, "history")
                    rig.expectProblem(try await rig.get(rig.web("events", instance: instance), key: token), 401, "events")
                    let answer = try await rig.send(
                        "POST", rig.web("messages", instance: instance), headers: rig.bearer(token),
                        body: CanonicalJSON.bytes(["request_id": "1", "text": "hello"]))
                    rig.expectProblem(answer, 401, "a message")
                }
                for path in ["messages", "events"] {
                    rig.expectProblem(try await rig.get(rig.web(path)), 401, "no token")
                    rig.expectProblem(try await rig.get(rig.web(path) + "?token=\(guest.token)"), 401, "a token in the address")
                    rig.expectProblem(try await rig.get(rig.web(path), key: rig.adminKey("salon")), 401, "a brand's key")
                    rig.expectProblem(try await rig.get(rig.web(path, instance: "salon-whatsapp"), key: guest.token), 404, "no web")
                    rig.expectProblem(try await rig.get(rig.web(path, instance: "nobody"), key: guest.token), 404, "no instance")
                }
                func updates(_ session: String) -> String { "\(rig.gatewayURL)/v1/sessions/\(session)/streaming-updates" }
                #expect(try await rig.get(updates(guest.session), key: guest.token).status == 200)
                #expect(try await rig.get(updates(guest.session), key: rig.adminKey("salon")).status == 200)
                for session in [other.session, foreign.session] {
                    rig.expectProblem(try await rig.get(updates(session), key: guest.token), 404, "of somebody else")
                }
                rig.expectProblem(try await rig.get(updates(guest.session), key: rig.adminKey("jobs")), 404, "of the other brand")
                for path in ["", "/\(guest.session)", "/\(guest.session)/messages", "/\(guest.session)/intents"] {
                    let answer = try await rig.get("\(rig.gatewayURL)/v1/sessions\(path)", key: guest.token)
                    rig.expectProblem(answer, 401, "a visitor's token at \(path)")
                }
            }
        }
    }

    @Test func hostileBodiesAreAnsweredAndChangeNothing() async throws {
        let edits = [
            (
                file: "brands/salon/brand.yaml", from: "    opens_per_minute: 6000",
                to: "    messages_per_minute: 6000\n    opens_per_minute: 60000"
            )
        ]
        try await Rig.with(.init(edits: edits)) { rig in
            let guest = try await rig.guest()
            let headers = rig.bearer(guest.token) + [(name: "Origin", value: rig.origin)]
            let bodies = HostileBodies.all
            #expect(bodies.count >= 200)
            for body in bodies {
                for path in ["messages", "sessions"] {
                    let answer = try await rig.send("POST", rig.web(path), headers: headers, body: body)
                    let isGood = path == "sessions" && (body.isEmpty || body == Array("{}".utf8))
                    #expect(
                        isGood ? answer.status == 201 : [400, 413, 422].contains(answer.status),
                        "\(path): \(Self.shown(body)) → \(answer.status)")
                }
            }
            #expect(try await rig.history(guest).isEmpty)
            try await rig.write("when are you open", guest)
            try await rig.drain()
            #expect(try await rig.history(guest).count == 2)
        }
    }

    private static func shown(_ body: [UInt8]) -> String { String(decoding: body.prefix(80), as: UTF8.self) }

    @Test func whoeverWritesTooMuchIsToldWhenToComeAgain() async throws {
        let edits = [
            (file: "brands/salon/brand.yaml", from: "    opens_per_minute: 6000", to: "    messages_per_minute: 3\n    opens_per_minute: 5")
        ]
        try await Rig.with(.init(edits: edits)) { rig in
            let (guest, other) = (try await rig.guest(), try await rig.guest())
            var statuses: [Int] = []
            for number in 0..<6 {
                let answer = try await rig.post(["request_id": .string("r\(number)"), "text": "hello"], guest)
                statuses.append(answer.status)
                guard answer.status == 429 else { continue }
                rig.expectProblem(answer, 429, "one too many")
                #expect((1...60).contains(Int(answer.header("Retry-After") ?? "") ?? 0))
            }
            #expect(statuses.prefix(3) == [202, 202, 202] && statuses.contains(429))
            // A neighbour at the same address may go on.
            #expect(try await rig.post(["request_id": "r", "text": "hello"], other).status == 202)
            var opened: [Answer] = []
            for _ in 0..<8 { opened.append(try await rig.session(origin: rig.origin)) }
            let refused = opened.filter { $0.status == 429 }
            #expect(!refused.isEmpty && refused.allSatisfy { $0.header("Retry-After") != nil })
        }
    }

    @Test(arguments: [true, false]) func visitorsBehindAProxyAreCountedApartOnlyWhenItIsTrusted(isTrusted: Bool) async throws {
        var edits = [(file: "brands/salon/brand.yaml", from: "    opens_per_minute: 6000", to: "    opens_per_minute: 2")]
        edits.append(
            (
                file: "switchboard.yaml", from: "request_timeout_s: 15",
                to: "request_timeout_s: 15, trusted_proxies: [\"\(isTrusted ? "127.0.0.1" : "10.0.0.0/8")\"]"
            ))
        try await Rig.with(.init(edits: edits)) { rig in
            func open(_ forwarded: String) async throws -> Int {
                try await rig.session(origin: rig.origin, more: [(name: "X-Forwarded-For", value: forwarded)]).status
            }
            var (apart, spoofed): ([Int], [Int]) = ([], [])
            for number in 1...6 { apart.append(try await open("198.51.100.\(number)")) }
            // What a visitor writes itself stands left of what the proxy saw.
            for number in 1...6 { spoofed.append(try await open("192.0.2.\(number), 203.0.113.9")) }
            if isTrusted {
                #expect(apart == Array(repeating: 201, count: 6))
                #expect(spoofed.prefix(2) == [201, 201] && spoofed.contains(429))
            } else {
                #expect(apart.prefix(2) == [201, 201] && apart.contains(429))
            }
        }
    }
}

/// Bodies that no page of ours sends.
enum HostileBodies {
    static let all: [[UInt8]] = fixed.map { Array($0.utf8) } + bytes + nested + mutated

    private static let fixed = [
        "", " ", "{", "}", "[]", "null", "0", "\"\"", "true", "{}", "[{}]", "{\"request_id\":1,\"text\":\"x\"}", "{\"text\":\"x\"}",
        "{\"request_id\":\"1\"}", "{\"request_id\":\"1\",\"text\":\"\"}", "{\"request_id\":\"1\",\"text\":\" \\n\\t\"}",
        "{\"request_id\":\"1\",\"text\":null}", "{\"request_id\":\"1\",\"text\":{}}", "{\"request_id\":\"1\",\"text\":[\"x\"]}",
        "{\"request_id\":\"../1\",\"text\":\"x\"}", "{\"request_id\":\"a b\",\"text\":\"x\"}", "{\"request_id\":\"\",\"text\":\"x\"}",
        "{\"request_id\":\"1\",\"text\":\"x\",\"reply\":{\"id\":\"1\"}}", "{\"request_id\":\"1\",\"reply\":{}}",
        "{\"request_id\":\"1\",\"reply\":\"1\"}", "{\"request_id\":\"1\",\"reply\":{\"id\":\"\"}}",
        "{\"request_id\":\"1\",\"reply\":{\"id\":\"1\",\"title\":\"Yes\"}}", "{\"request_id\":\"1\",\"text\":\"x\",\"user\":\"1\"}",
        "{\"request_id\":\"1\",\"text\":\"x\",\"brand\":\"jobs\"}", "{\"request_id\":\"1\",\"text\":\"x\",\"tier\":\"premium\"}",
        "{\"request_id\":\"1\",\"request_id\":\"2\",\"text\":\"x\"}", "{\"request_id\":\"1\",\"text\":\"x\"}}",
        "{\"request_id\":\"1\",\"text\":\"x\",}", "{'request_id':'1','text':'x'}", "{\"request_id\":\"1\",\"attachment\":{}}",
        "{\"resume_secret\":1}", "{\"resume_secret\":{}}", "{\"auth_token\":[]}", "{\"locale\":\"../../etc\"}", "{\"locale\":\"e\"}",
        "{\"time_zone\":\"/etc/passwd\"}", "{\"time_zone\":\"a b\"}", "{\"device_id\":\"\"}", "{\"app_key\":7}", "{\"__proto__\":{}}",
    ]

    private static let bytes: [[UInt8]] = [
        [0], [0xFF, 0xFE], [0xEF, 0xBB, 0xBF], [0x1F, 0x8B, 8, 0], Array(repeating: 0x20, count: 40_000),
        Array("{\"request_id\":\"1\",\"text\":\"".utf8) + Array(repeating: UInt8(ascii: "x"), count: 4097) + Array("\"}".utf8),
        Array(repeating: UInt8(ascii: "9"), count: 30_000), Array(repeating: UInt8(ascii: "x"), count: 70_000),
        Array("{\"request_id\":\"".utf8) + Array(repeating: UInt8(ascii: "1"), count: 65) + Array("\",\"text\":\"x\"}".utf8),
    ]

    private static let nested: [[UInt8]] = [100, 5_000, 15_000].flatMap { depth in
        [
            Array(repeating: UInt8(ascii: "["), count: depth), Array(repeatElement(Array("{\"a\":".utf8), count: depth).joined()),
            Array(repeating: UInt8(ascii: "["), count: depth) + Array(repeating: UInt8(ascii: "]"), count: depth),
        ]
    }

    /// A good message broken off after each byte, and with a quotation mark in it that belongs nowhere.
    private static let mutated: [[UInt8]] = {
        let good = Array("{\"request_id\":\"request-number-one\",\"text\":\"book a haircut on Wednesday at 3pm\"}".utf8)
        return (1..<good.count).map { Array(good[..<$0]) } + (1..<good.count).map { Array(good[..<$0]) + Array("\"]".utf8) + good[$0...] }
    }()
}
