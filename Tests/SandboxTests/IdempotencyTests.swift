import Conversation
import Foundation
import Logging
import Testing

@testable import Sandbox

@Suite(.timeLimit(.minutes(1))) struct IdempotencyTests {
    @Test func theSameKeyAndBodyGetTheFirstAnswerAgain() async throws {
        try await Rig.run { rig in
            let first = try await rig.salon("POST", "/bookings", booking(), key: "k1")
            let second = try await rig.salon("POST", "/bookings", booking(), key: "k1")
            #expect(first.status == 201 && first.header("idempotency-replayed") == nil)
            #expect(second.status == 201 && second.header("idempotency-replayed") == "true")
            #expect(first.body == second.body)
            #expect(try await rig.bookingCount() == 1)
        }
    }

    @Test func aRefusalIsRepeatedToo() async throws {
        try await Rig.run { rig in
            _ = try await rig.salon("POST", "/bookings", booking())
            let first = try await rig.salon("POST", "/bookings", booking(customer: "customer-2"), key: "k1")
            _ = try await rig.salon("POST", "/bookings/bk-1001/cancel", ["customer": "customer-1", "booking_id": "bk-1001"])
            let second = try await rig.salon("POST", "/bookings", booking(customer: "customer-2"), key: "k1")
            #expect(first.status == 422 && second.status == 422 && first.body == second.body)
        }
    }

    @Test func aKeyWithAnotherRequestIsAConflict() async throws {
        try await Rig.run { rig in
            _ = try await rig.salon("POST", "/bookings", booking(), key: "k1")
            let other = try await rig.salon("POST", "/bookings", booking(start: "2026-11-24T16:00:00Z"), key: "k1")
            #expect(other.status == 409 && other.json["error"] == "key_reused")
            let elsewhere = try await rig.salon("PUT", "/customers/c1", booking(), key: "k1")
            #expect(elsewhere.status == 409 && elsewhere.json["error"] == "key_reused")
            #expect(try await rig.bookingCount() == 1)
        }
    }

    @Test func aSecondCallWhileTheFirstRunsIsToldSo() async throws {
        try await Rig.run { rig in
            try await rig.fault(["path": "/salon/bookings", "delay_ms": 60_000, "times": 1])
            rig.clock.hold()
            var sleeps = rig.clock.sleeps.stream.makeAsyncIterator()
            async let first = rig.salon("POST", "/bookings", booking(), key: "k1")
            #expect(await sleeps.next() == .seconds(60))
            let second = try await rig.salon("POST", "/bookings", booking(), key: "k1")
            #expect(second.status == 409 && second.json["error"] == "still_running")
            #expect(try await rig.bookingCount() == 0)
            rig.clock.release()
            #expect(try await first.status == 201)
            #expect(try await rig.salon("POST", "/bookings", booking(), key: "k1").header("idempotency-replayed") == "true")
        }
    }

    @Test func keysCanBeSwitchedOff() async throws {
        try await Rig.run { rig in
            try await rig.fault(["path": "/salon", "honour_keys": false])
            let put: JSONValue = ["job_id": "job-1", "candidate": "c1", "resume_url": "https://example.com/cv.pdf"]
            #expect(try await rig.salon("POST", "/bookings", booking(), key: "k1").status == 201)
            #expect(try await rig.salon("POST", "/bookings", booking(), key: "k1").json["error"] == "slot_taken")
            #expect(try await rig.jobs("POST", "/applications", put).status == 201)
            _ = try await rig.call("DELETE", "/_sandbox/faults")
            #expect(try await rig.salon("POST", "/bookings", booking(service: "svc-massage"), key: "k2").status == 201)
            #expect(try await rig.salon("POST", "/bookings", booking(service: "svc-massage"), key: "k2").status == 201)
        }
    }
}

@Suite(.timeLimit(.minutes(1))) struct SignatureTests {
    private static let secret = Array("a signing secret of 32 bytes !!!".utf8)
    private static let environment = Rig.secrets.merging(["SALON_SIGNING_SECRET": "whsec_" + Data(secret).base64EncodedString()]) { $1 }

    private static func signature(id: String, seconds: Int64, body: [UInt8]) -> String {
        let code = Signatures.hmacSHA256(key: secret, Array("\(id).\(seconds).".utf8) + body)
        return "v1," + Data(code).base64EncodedString()
    }

    @Test func digestsMatchTheirPublishedVectors() {
        let code = Signatures.hmacSHA256(key: Array("Jefe".utf8), Array("what do ya want for nothing?".utf8))
        #expect(Hex.encode(code) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        #expect(Hex.encode(Signatures.sha256(Array("abc".utf8))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test func aWriteMustBeSignedFreshlyOverItsVeryBody() async throws {
        try await Rig.run(environment: Self.environment) { rig in
            let now = rig.clock.now.milliseconds / 1000
            let body = CanonicalJSON.bytes(booking())
            let good = Self.signature(id: "msg_1", seconds: now, body: body)
            let cases: [(status: Int, id: String?, seconds: Int64, signature: String?)] = [
                (401, nil, now, good), (401, "msg_1", now, nil), (401, "msg_2", now, good), (401, "msg_1", now + 1, good),
                (401, "msg_1", now, "v1,AAAA"), (401, "msg_1", now, "v2," + good.dropFirst(3)), (401, "msg_1", now, "rubbish"),
                (401, "msg_1", now - 301, Self.signature(id: "msg_1", seconds: now - 301, body: body)),
                (401, "msg_1", now, Self.signature(id: "msg_1", seconds: now, body: body + [32])),
                (201, "msg_1", now, "v1,AAAA " + good),
            ]
            for test in cases {
                var headers = [(name: "Webhook-Timestamp", value: String(test.seconds))]
                if let id = test.id { headers.append(("Webhook-Id", id)) }
                if let signature = test.signature { headers.append(("Webhook-Signature", signature)) }
                let answer = try await rig.call("POST", "/salon/bookings", booking(), token: "salon-token", headers: headers)
                #expect(answer.status == test.status, "\(test)")
                if test.status == 401 { #expect(answer.json["error"] == "bad_signature") }
            }
            #expect(try await rig.bookingCount() == 1)
            #expect(try await rig.salon("GET", "/catalog").status == 200)
        }
    }

    @Test func aSecretThatIsNoneStopsTheStart() async throws {
        let server = SandboxServer(
            port: 0, gateway: "http://127.0.0.1:1", environment: ["JOBS_SIGNING_SECRET": "whsec_!"], logger: Logger(label: "test"))
        await #expect(throws: SandboxError.badSigningSecret(variable: "JOBS_SIGNING_SECRET")) { try await server.run() }
    }
}
