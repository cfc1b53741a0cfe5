import Conversation
import Testing

@testable import Sandbox

@Suite(.timeLimit(.minutes(1))) struct SayTests {
    private static let question: JSONValue = [
        "messaging_product": "whatsapp", "to": "15550100100", "type": "interactive",
        "interactive": [
            "type": "list", "body": ["text": "Which service?"],
            "action": [
                "button": "Choose",
                "sections": [["rows": [["id": "r1", "title": "Haircut"], ["id": "r2", "title": "Colour", "description": "Two hours"]]]],
            ],
        ],
    ]

    @Test func aTextIsSignedOverItsVeryBytesAndCarriesWhoWrote() async throws {
        try await Rig.run { rig in
            var webhooks = rig.gateway.webhooks()
            let answer = try await rig.say([
                "instance": "jobs-whatsapp", "from": "+15550100100", "from_user_id": "US.1349", "name": "Customer 7", "text": "Hi 👋",
            ])
            let webhook = try #require(await webhooks.next())
            #expect(webhook.signature == Signatures.meta(body: webhook.body, secret: Array("an app secret for tests".utf8)))
            let value = try #require(webhook.json.at(pointer: "/entry/0/changes/0/value"))
            #expect(value.at(pointer: "/metadata/phone_number_id") == "106540352242999")
            #expect(value["contacts"] == [["profile": ["name": "Customer 7"], "wa_id": "15550100100", "user_id": "US.1349"]])
            #expect(webhook.message["from"] == "15550100100")
            #expect(webhook.message["from_user_id"] == "US.1349")
            #expect(webhook.message["timestamp"] == "1795186800")
            #expect(webhook.message["text"] == ["body": "Hi 👋"])
            #expect(answer.json["id"] == webhook.message["id"])
            #expect(answer.json["gateway_status"] == 200)
            #expect(answer.json["gateway_body"] == ["accepted": 1])
        }
    }

    @Test func aUserWithoutAPhoneHasNone() async throws {
        try await Rig.run { rig in
            var webhooks = rig.gateway.webhooks()
            _ = try await rig.say(["instance": "salon-whatsapp", "from_user_id": "US.1349", "text": "Hi"])
            let webhook = try #require(await webhooks.next())
            #expect(webhook.message["from"] == nil)
            #expect(webhook.json.at(pointer: "/entry/0/changes/0/value/contacts/0/wa_id") == nil)
        }
    }

    @Test(arguments: [["id": "r2"], ["title": "colour"], ["index": 2]] as [JSONValue])
    func pressingAnOptionLooksUpItsKindTitleAndMessage(press: JSONValue) async throws {
        try await Rig.run { rig in
            let sent = try await rig.graph(Self.question).json.at(pointer: "/messages/0/id")
            var webhooks = rig.gateway.webhooks()
            for _ in 0..<3 { _ = await webhooks.next() }
            _ = try await rig.say(["instance": "salon-whatsapp", "from": "15550100100", "reply": press])
            let message = try #require(await webhooks.next()).message
            #expect(message["type"] == "interactive")
            #expect(
                message["interactive"] == [
                    "type": "list_reply", "list_reply": ["id": "r2", "title": "Colour", "description": "Two hours"],
                ])
            #expect(message.at(pointer: "/context/id") == sent)
        }
    }

    @Test func anIdThatWasNeverSentIsPressedAllTheSame() async throws {
        try await Rig.run { rig in
            var webhooks = rig.gateway.webhooks()
            _ = try await rig.say(["instance": "salon-whatsapp", "from": "15550100100", "reply": ["id": "forged"]])
            #expect(try #require(await webhooks.next()).message.at(pointer: "/interactive/button_reply/id") == "forged")
        }
    }

    @Test func aRawElementIsSentAsItIsAndFilledUp() async throws {
        try await Rig.run { rig in
            var webhooks = rig.gateway.webhooks()
            let raw: JSONValue = ["type": "order", "order": ["catalog_id": "1"], "id": "wamid.RAW"]
            let answer = try await rig.say(["instance": "salon-whatsapp", "from": "15550100100", "raw": raw])
            let message = try #require(await webhooks.next()).message
            #expect(message["order"] == ["catalog_id": "1"])
            #expect(message["id"] == "wamid.RAW" && answer.json["id"] == "wamid.RAW")
            #expect(message["from"] == "15550100100" && message["timestamp"] != nil)
        }
    }

    @Test(
        arguments: [
            [:], ["instance": "nowhere", "from": "15550100100", "text": "a"], ["instance": "salon-whatsapp", "text": "a"],
            ["instance": "salon-whatsapp", "from": "15550100100"], ["instance": "salon-whatsapp", "from": "abc", "text": "a"],
            ["instance": "salon-whatsapp", "from": "15550100100", "text": "a", "raw": [:]],
            ["instance": "salon-whatsapp", "from": "15550100100", "text": "a", "colour": 1],
            ["instance": "salon-whatsapp", "from": "15550100100", "reply": ["index": 1]],
            ["instance": "salon-whatsapp", "from_user_id": "15550100100", "text": "a"],
        ] as [JSONValue])
    func whatCannotBeSaidIsExplained(body: JSONValue) async throws {
        try await Rig.run { rig in
            let answer = try await rig.say(body)
            #expect(answer.status == 400)
            #expect(answer.header("content-type") == "application/problem+json")
            #expect(answer.json["detail"]?.string?.isEmpty == false)
        }
    }

    @Test func deliveredBodiesArePostedInOrderSignedOrNot() async throws {
        try await Rig.run { rig in
            var webhooks = rig.gateway.webhooks()
            let answer = try await rig.call("POST", "/_sandbox/deliver", ["bodies": [["object": "a"], "not json"], "sign": false])
            #expect(answer.json["answers"]?.array?.count == 2)
            #expect(try #require(await webhooks.next()).signature == nil)
            #expect(try #require(await webhooks.next()).body == Array("not json".utf8))
            _ = try await rig.call("POST", "/_sandbox/deliver", ["body": "not json"])
            let signed = try #require(await webhooks.next())
            #expect(signed.signature == Signatures.meta(body: Array("not json".utf8), secret: Array("an app secret for tests".utf8)))
        }
    }

    @Test func onRequestAMessageIsRepeatedUntilItIsAcknowledged() async throws {
        try await Rig.run { rig in
            rig.gateway.refuse(next: 2)
            var webhooks = rig.gateway.webhooks()
            let once = try await rig.say(["instance": "salon-whatsapp", "from": "15550100100", "text": "Hi"])
            #expect(once.json["gateway_status"] == 503)
            let kept = try await rig.say(["instance": "salon-whatsapp", "from": "15550100100", "text": "Hi", "retry": true])
            #expect(kept.json["gateway_status"] == 200)
            _ = await webhooks.next()
            let first = try #require(await webhooks.next())
            let second = try #require(await webhooks.next())
            #expect(first.body == second.body)
        }
    }

    @Test func aPersonCanSeeWhatWasSentToThem() async throws {
        try await Rig.run { rig in
            _ = try await rig.graph(Self.question)
            _ = try await rig.graph(["messaging_product": "whatsapp", "to": "15550100999", "type": "text", "text": ["body": "Other"]])
            let messages = try await rig.call("GET", "/_sandbox/last?to=+15550100100").json["messages"]?.array ?? []
            #expect(messages.count == 1)
            #expect(messages.first?["text"] == "Which service?")
            #expect(messages.first?["options"] == [["id": "r1", "title": "Haircut"], ["id": "r2", "title": "Colour"]])
        }
    }

    @Test func theGatewayStaysOnThisMachine() async throws {
        try await Rig.run { rig in
            for url in ["http://example.com:80", "https://127.0.0.1:1", "http://127.0.0.1.example.com:80", "http://10.0.0.1:80"] {
                let answer = try await rig.call("PUT", "/_sandbox/gateway", ["url": .string(url)])
                #expect(answer.status == 400, "\(url)")
            }
        }
    }
}
