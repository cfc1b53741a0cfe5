import Conversation
import Testing

@testable import WhatsApp

@Suite struct RouteTests {
    private func route(_ method: ChannelRoute.Method, of channel: WhatsAppChannel) throws -> ChannelRoute {
        let route = try #require(channel.routes.first { $0.method == method })
        #expect(route.path == "/webhooks/whatsapp/{app}")
        return route
    }

    private func shake(_ query: [String: String], app: String = "main") async throws -> ChannelResponse {
        try await route(.get, of: .under()).handle(ChannelRequest(parameters: ["app": app], query: query) { _ in [] })
    }

    private let goodQuery = ["hub.mode": "subscribe", "hub.verify_token": WhatsAppChannel.verifyToken, "hub.challenge": "1158201444"]

    @Test func theHandshakeEchoesTheChallengeAsPlainText() async throws {
        let response = try await shake(goodQuery)
        #expect(response.status == 200)
        #expect(response.contentType.hasPrefix("text/plain"))
        #expect(response.body == Array("1158201444".utf8))
    }

    @Test func aHandshakeWithAnythingWrongIsRefused() async throws {
        for key in ["hub.mode", "hub.verify_token"] {
            for value in [nil, "", "other", WhatsAppChannel.verifyToken + "x", String(WhatsAppChannel.verifyToken.dropLast())] {
                var query = goodQuery
                query[key] = value
                #expect(try await shake(query).status == 403)
            }
        }
        var query = goodQuery
        query["hub.challenge"] = nil
        #expect(try await shake(query).status == 400)
        #expect(try await shake(goodQuery, app: "unknown").status == 404)
    }

    @Test func anAppWithoutATokenShakesNoHands() async throws {
        for token in ["", "x"] {
            var query = goodQuery
            query["hub.verify_token"] = token
            #expect(try await shake(query, app: "bare").status == 403)
        }
    }

    private func signature(_ body: [UInt8], _ secret: String) -> String {
        "sha256=" + Hex.encode(MixingAuthenticator().key(Secret(secret)).authenticationCode(for: body))
    }

    private func post(_ body: [UInt8], signatures: [String], app: String = "main", intake: RecordingIntake) async throws -> ChannelResponse
    {
        let request = ChannelRequest(
            parameters: ["app": app], query: [:], headers: { $0 == "x-hub-signature-256" ? signatures : [] }, body: body)
        return try await route(.post, of: .under(intake: intake)).handle(request)
    }

    @Test func anyOfTheAppsSecretsIsGoodAndTheAnswerCounts() async throws {
        let body = try Payload.bytes("many-entries")
        for secret in [WhatsAppChannel.firstSecret, WhatsAppChannel.secondSecret] {
            let intake = RecordingIntake()
            let response = try await post(body, signatures: [signature(body, secret)], intake: intake)
            #expect(response.status == 200)
            #expect(String(decoding: response.body, as: UTF8.self) == #"{"accepted":4,"duplicates":0,"ignored":0,"quarantined":0}"#)
            #expect(intake.webhooks.count == 1)
            #expect(intake.webhooks.first?.app == "main")
        }
    }

    @Test func everyOtherSignatureIsRefusedAndNothingIsHandedOn() async throws {
        let body = try Payload.bytes("text")
        let good = signature(body, WhatsAppChannel.firstSecret)
        let digits = good.dropFirst(7)
        let other = good.hasSuffix("0") ? "1" : "0"
        let bad: [[String]] = [
            [], [""], ["sha256="], [String(digits)], ["sha1=" + digits], ["SHA256=" + digits], ["sha256=" + digits.uppercased()],
            [String(good.dropLast())], [String(good.dropLast(2))], [good + "00"], [good + " "], [" " + good], [good.dropLast() + other],
            [good, good],
            [good, "sha256=00"], [good + "," + good], ["sha256=" + String(repeating: "0", count: 64)],
            ["sha256=" + String(repeating: "g", count: 64)], ["sha256=" + String(repeating: "é", count: 32)],
            [signature(body, "a secret of nobody")], [signature(body + [0x20], WhatsAppChannel.firstSecret)],
            [signature([], WhatsAppChannel.firstSecret)], [signature(body, "")],
        ]
        for signatures in bad {
            let intake = RecordingIntake()
            let response = try await post(body, signatures: signatures, intake: intake)
            #expect(response.status == 401, "\(signatures)")
            #expect(intake.webhooks.isEmpty)
        }
        #expect(digits.uppercased() != digits)
    }

    @Test func anUnknownAppIsNotFoundAndAnAppWithoutSecretsTrustsNobody() async throws {
        let body = try Payload.bytes("text")
        let good = signature(body, WhatsAppChannel.firstSecret)
        #expect(try await post(body, signatures: [good], app: "unknown", intake: .init()).status == 404)
        #expect(try await post(body, signatures: [good], app: "bare", intake: .init()).status == 401)
        #expect(try await post(body, signatures: [signature(body, "")], app: "bare", intake: .init()).status == 401)
    }

    @Test func whatCannotBeStoredIsAskedForAgain() async throws {
        let body = try Payload.bytes("text")
        let response = try await post(
            body, signatures: [signature(body, WhatsAppChannel.firstSecret)], intake: RecordingIntake(fails: true))
        #expect(response.status == 503)
        #expect(response.headers["Retry-After"] == "1")
        #expect(response.contentType == "application/problem+json")
    }

    @Test(arguments: ["", "not json", "{\"object\":", "[]", "null", "5", "<html></html>", "{\"object\":\"page\",\"entry\":[]}"])
    func aSignedBodyThatIsNoDeliveryIsQuarantinedWhole(_ text: String) async throws {
        let body = Array(text.utf8)
        let intake = RecordingIntake()
        let response = try await post(body, signatures: [signature(body, WhatsAppChannel.firstSecret)], intake: intake)
        #expect(response.status == 200)
        #expect(String(decoding: response.body, as: UTF8.self) == #"{"accepted":0,"duplicates":0,"ignored":0,"quarantined":1}"#)
        guard case .unreadable(_, let kept, nil) = intake.webhooks.first?.items.first else {
            Issue.record("not kept")
            return
        }
        #expect(kept == body)
    }

    @Test func aHundredThousandLevelsAreQuarantinedToo() async throws {
        let body = Array(String(repeating: "{\"object\":", count: 100_000).utf8)
        let response = try await post(body, signatures: [signature(body, WhatsAppChannel.firstSecret)], intake: .init())
        #expect(response.status == 200)
        #expect(String(decoding: response.body, as: UTF8.self).contains(#""quarantined":1"#))
    }
}
