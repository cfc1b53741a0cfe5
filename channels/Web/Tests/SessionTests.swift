import Conversation
import Testing

@testable import Web

@Suite struct SessionTests {
    @Test func aGuestIsLetInAndHandedATokenAndASecret() async throws {
        let world = World()
        let answer = try await world.call(.post, "/web/salon-web/sessions", body: Payload.bytes("session-guest"), token: nil)
        #expect(answer.status == 201)
        let expected: JSONValue = [
            "token": "new-token", "resume_secret": "new-secret", "expires_at": "2027-01-15T09:00:00.000Z",
            "user": ["id": .string(user(7).description), "tier": "guest"],
            "session": ["id": "00000000-0000-7000-8000-000000000009"],
        ]
        #expect(try answer.json == expected)
        let visit = try #require(world.visitors.opened.first)
        guard case .guest("q0Vn3kP8sYx2bLr5tUw7zAc9eGh1jMd4fNo6iQs8uXy") = visit.proof else { throw Missing(what: "\(visit)") }
        #expect(visit.locale == "en-US" && visit.timeZone == "America/New_York")
    }

    @Test func anEmptyBodyIsANewGuestAndADeviceIDOpensNothing() async throws {
        let world = World()
        #expect(try await world.call(.post, "/web/salon-web/sessions", token: nil).status == 201)
        #expect(try await world.open(["device_id": "someone-elses-device"]).status == 201)
        #expect(try await world.open(["resume_secret": nil]).status == 201)
        #expect(world.visitors.opened.count == 3)
        for visit in world.visitors.opened {
            guard case .guest(.none) = visit.proof else { throw Missing(what: "\(visit)") }
        }
    }

    @Test func withoutAnOriginAnAppKeyIsNeeded() async throws {
        let world = World()
        #expect(try await world.open(origin: nil).status == 403)
        for wrong in [
            "x", appKey + "x", String(appKey.dropLast()), appKey + appKey, appKey.uppercased(), String(repeating: "a", count: 512),
        ] {
            #expect(try await world.open(["app_key": .string(wrong)], origin: nil).status == 403, "\(wrong)")
        }
        #expect(world.visitors.opened.isEmpty)
        let answer = try await world.call(.post, "/web/salon-web/sessions", body: Payload.bytes("session-app"), origin: nil, token: nil)
        #expect(answer.status == 201)
        #expect(answer.headers["Access-Control-Allow-Origin"] == nil)
        #expect(answer.headers["Vary"] == "Origin")
        #expect(try await world.open(["app_key": "another-key-00000001"], origin: nil).status == 201)
        let bare = World(instance(salon, ["app_keys": .secrets([])]))
        #expect(try await bare.open(["app_key": ""], origin: nil).status == 422)
        #expect(try await bare.open(["app_key": "a"], origin: nil).status == 403)
    }

    @Test func withoutGuestsOnlyATokenOpens() async throws {
        let world = World(instance(acceptGuests: false))
        let answer = try await world.open(["resume_secret": "some-secret-of-earlier"])
        #expect(answer.status == 401)
        #expect(answer.headers["WWW-Authenticate"] == "Bearer")
        #expect(world.visitors.opened.isEmpty)
        world.tokens.setClaims(["sub": "customer-1"])
        #expect(try await world.open(["auth_token": "a.b.c"]).status == 201)
    }

    @Test func aStoreThatIsDownIs503() async throws {
        let world = World()
        world.visitors.setDown(true)
        let answer = try await world.open()
        #expect(answer.status == 503)
        #expect(answer.headers["Retry-After"] == "1")
        #expect(!answer.text.contains("Down"))
    }

    @Test(arguments: [
        (#"{"device_id":7}"#, ["/device_id"]), (#"{"resume_secret":[]}"#, ["/resume_secret"]), (#"{"auth_token":{}}"#, ["/auth_token"]),
        (#"{"app_key":true}"#, ["/app_key"]), (#"{"locale":"en_US"}"#, ["/locale"]), (#"{"locale":"e"}"#, ["/locale"]),
        (#"{"locale":"-en"}"#, ["/locale"]), (#"{"time_zone":"../../etc/passwd"}"#, ["/time_zone"]),
        (#"{"time_zone":"","locale":""}"#, ["/locale", "/time_zone"]), (#"{"user_id":"x"}"#, ["/user_id"]), (#"{"a/b~c":1}"#, ["/a~1b~0c"]),
        (#"{"locale":"en","locale":"de"}"#, ["/locale"]), ("[]", [""]), ("7", [""]), ("null", [""]), (#""text""#, [""]),
    ])
    func whatIsWrongWithABodyIsPointedAt(_ body: String, _ pointers: [String]) async throws {
        let world = World()
        let answer = try await world.call(.post, "/web/salon-web/sessions", body: Array(body.utf8), token: nil)
        #expect(answer.status == 422)
        #expect(try answer.pointers == pointers)
        #expect(answer.contentType == "application/problem+json")
        #expect(world.visitors.opened.isEmpty)
    }
}

@Suite struct SignInTests {
    private func identifiers(_ claims: JSONValue) async throws -> Sender {
        let world = World()
        world.tokens.setClaims(claims)
        #expect(try await world.open(["auth_token": "a.b.c"]).status == 201)
        guard case .signedIn(let sender) = world.visitors.opened.first?.proof else { throw Missing(what: "a signed-in visitor") }
        return sender
    }

    @Test func theSubjectComesFirstAndVerifiedClaimsFollow() async throws {
        let sender = try await identifiers([
            "sub": "customer-1", "name": "  Loyal\n Customer ", "phone_number": "+1 415 555 2671", "phone_verified": true,
            "email": "Someone@Example.test", "email_verified": true,
        ])
        #expect(
            sender.identifiers == [
                Identifier(kind: .brandUser, value: "customer-1"), Identifier(kind: .phone, value: "+14155552671"),
                Identifier(kind: .email, value: "someone@example.test"),
            ])
        #expect(sender.profileName == "Loyal Customer")
    }

    @Test(
        arguments: [
            ["phone_number": "+14155552671"], ["phone_number": "+14155552671", "phone_verified": false],
            ["phone_number": "+14155552671", "phone_verified": "true"], ["phone_number": "+14155552671", "phone_verified": 1],
            ["phone_number": "4155552671", "phone_verified": true], ["phone_number": "+1", "phone_verified": true],
            ["phone_number": 14_155_552_671, "phone_verified": true], ["email": "a@example.test"],
            ["email": "a@example.test", "email_verified": "yes"], ["email": "nobody", "email_verified": true],
            ["email": "a@b@c", "email_verified": true], ["email": "a b@example.test", "email_verified": true],
            ["email": "@", "email_verified": true],
        ] as [[String: JSONValue]])
    func whatIsNotVerifiedOrNotReadableNamesNobody(_ claims: [String: JSONValue]) async throws {
        let sender = try await identifiers(.object(claims.merging(["sub": "customer-1"]) { $1 }))
        #expect(sender.identifiers == [Identifier(kind: .brandUser, value: "customer-1")])
    }

    @Test(
        arguments: [[:], ["sub": ""], ["sub": 7], ["sub": nil], ["sub": "a\u{0}b"], ["sub": .string(String(repeating: "x", count: 256))]]
            as [JSONValue])
    func withoutASubjectNobodyIsSignedIn(_ claims: JSONValue) async throws {
        let world = World()
        world.tokens.setClaims(claims)
        #expect(try await world.open(["auth_token": "a.b.c"]).status == 401)
        #expect(world.visitors.opened.isEmpty)
    }

    @Test(arguments: [TokenError.malformed, .wrongSignature, .wrongAlgorithm, .expired, .notYetValid, .wrongAudience, .wrongIssuer])
    func aTokenThatIsNotGoodNeverMakesAGuest(_ error: TokenError) async throws {
        let world = World()
        world.tokens.setError(error)
        let answer = try await world.open(["auth_token": "a.b.c", "resume_secret": "some-secret-of-earlier"])
        #expect(answer.status == 401)
        #expect(try answer.json["detail"]?.string?.isEmpty == false)
        #expect(world.visitors.opened.isEmpty)
    }

    @Test func theRulesAreTheInstancesOwn() async throws {
        let world = World()
        world.tokens.setClaims(["sub": "customer-1"])
        _ = try await world.open(["auth_token": "a.b.c"])
        let rules = try #require(world.tokens.rules.first)
        guard case .hs256(let secret) = rules.key else { throw Missing(what: "\(rules.key)") }
        #expect(secret.reveal() == "a-secret-of-at-least-thirty-two-bytes")
        #expect(rules.audience == "salon-web" && rules.issuer == nil)
        for (alg, isRSA) in [("RS256", true), ("ES256", false)] {
            let jwt = Settings(["public_key": .text("PEM"), "alg": .text(alg), "issuer": .text("https://login.example")])
            let world = World(instance(salon, ["jwt": .group(jwt)]))
            world.tokens.setClaims(["sub": "customer-1"])
            #expect(try await world.open(["auth_token": "a.b.c"]).status == 201)
            let rules = try #require(world.tokens.rules.first)
            if case .rs256("PEM") = rules.key {
                #expect(isRSA)
            } else if case .es256("PEM") = rules.key {
                #expect(!isRSA)
            } else {
                throw Missing(what: alg)
            }
            #expect(rules.issuer == "https://login.example")
        }
    }

    @Test func aKeyThatCannotBeUsedIsTheOperatorsFaultNotTheVisitors() async throws {
        let broken: [[String: Settings.Value]] = [
            [:], ["public_key": .text("PEM")], ["public_key": .text("PEM"), "alg": .text("none")],
            ["public_key": .text("PEM"), "alg": .text("HS256")], ["hs256_secret": .secret(Secret("s")), "alg": .text("RS256")],
            ["hs256_secret": .secret(Secret("s")), "public_key": .text("PEM")],
        ]
        for settings in broken {
            let world = World(instance(salon, ["jwt": .group(Settings(settings))]))
            #expect(try await world.open(["auth_token": "a.b.c"]).status == 503)
            #expect(world.tokens.rules.isEmpty)
        }
        let world = World()
        world.tokens.setError(.unusableKey("secret text of the library"))
        let answer = try await world.open(["auth_token": "a.b.c"])
        #expect(answer.status == 503)
        #expect(!answer.text.contains("secret text"))
        let none = World(
            InstanceConfiguration(
                id: salon, brand: brand, channel: WebChannel.name, acceptGuests: true, settings: Settings(["origins": .texts([page])])))
        #expect(try await none.open(["auth_token": "a.b.c"]).status == 401)
    }
}
