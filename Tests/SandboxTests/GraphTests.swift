import Conversation
import Testing

@testable import Sandbox

@Suite(.timeLimit(.minutes(1))) struct GraphTests {
    private static let base: [String: JSONValue] = ["messaging_product": "whatsapp", "to": "15550100100"]

    private static func message(_ members: [String: JSONValue]) -> JSONValue { .object(base.merging(members) { $1 }) }

    private static func buttons(_ options: [(id: String, title: String)], text: String = "Which?") -> JSONValue {
        message([
            "type": "interactive",
            "interactive": [
                "type": "button", "body": ["text": .string(text)],
                "action": [
                    "buttons": .array(options.map { ["type": "reply", "reply": ["id": .string($0.id), "title": .string($0.title)]] })
                ],
            ],
        ])
    }

    private static func list(rows: Int, title: String = "Row", description: String = "More") -> JSONValue {
        let rows = (0..<rows).map { number -> JSONValue in
            ["id": .string("row-\(number)"), "title": .string("\(title) \(number)"), "description": .string(description)]
        }
        return message([
            "type": "interactive",
            "interactive": [
                "type": "list", "body": ["text": "Which?"],
                "action": ["button": "Choose", "sections": [["title": "All", "rows": .array(rows)]]],
            ],
        ])
    }

    private static let plain = message([
        "type": "text", "text": ["body": "Hello", "preview_url": false], "recipient_type": "individual",
    ])
    private static let referenced = message([
        "type": "text", "text": ["body": "Hello"], "context": ["message_id": "wamid.A"], "biz_opaque_callback_data": "ref",
    ])
    private static let toUser: JSONValue = [
        "messaging_product": "whatsapp", "recipient": "US.1349", "type": "text", "text": ["body": "Hello"],
    ]
    private static let template = message([
        "type": "template",
        "template": [
            "name": "reminder_1", "language": ["code": "en_US"],
            "components": [
                ["type": "body", "parameters": [["type": "text", "text": "10:00"]]],
                ["type": "button", "sub_type": "quick_reply", "index": "0", "parameters": [["type": "payload", "payload": "yes"]]],
            ],
        ],
    ])

    private static let accepted: [JSONValue] = [
        plain, referenced, toUser, template,
        message(["type": "image", "image": ["id": "900", "caption": "A cut"]]),
        message(["type": "audio", "audio": ["link": "https://example.com/a.ogg"]]),
        message(["type": "video", "video": ["id": "901"]]),
        message(["type": "document", "document": ["id": "902", "filename": "a.pdf", "caption": "Terms"]]),
        message(["type": "sticker", "sticker": ["id": "903"]]),
        message(["type": "location", "location": ["latitude": 40.7, "longitude": -74, "address": nil]]),
        message(["type": "reaction", "reaction": ["message_id": "wamid.A", "emoji": ""]]),
        message(["type": "location", "location": ["latitude": 40.7, "longitude": -74, "name": "Salon"]]),
        message(["type": "contacts", "contacts": [["name": ["formatted_name": "Front desk"], "phones": [["phone": "+15550100100"]]]]]),
        buttons([("a", "Yes"), ("b", "No"), ("c", "Later")]),
        list(rows: 10),
        ["messaging_product": "whatsapp", "status": "read", "message_id": "wamid.A", "typing_indicator": ["type": "text"]],
    ]

    private static let refused: [(why: String, body: JSONValue)] = [
        ("an unknown field", message(["type": "text", "text": ["body": "Hello"], "surprise": 1])),
        ("an unknown field that is null", message(["type": "text", "text": ["body": "Hello"], "surprise": nil])),
        ("a required field that is null", message(["type": "text", "text": ["body": nil]])),
        ("an unknown field inside", message(["type": "text", "text": ["body": "Hello", "color": "red"]])),
        ("no product", ["to": "15550100100", "type": "text", "text": ["body": "Hello"]]),
        ("no type", message(["text": ["body": "Hello"]])),
        ("an unknown type", message(["type": "fax", "fax": [:]])),
        ("content of another type", message(["type": "text", "image": ["id": "1"]])),
        ("content of two types", message(["type": "text", "text": ["body": "Hello"], "image": ["id": "1"]])),
        ("no recipient", ["messaging_product": "whatsapp", "type": "text", "text": ["body": "Hello"]]),
        ("two recipients", message(["recipient": "US.1349", "type": "text", "text": ["body": "Hello"]])),
        ("a user id as phone", ["messaging_product": "whatsapp", "to": "US.1349", "type": "text", "text": ["body": "Hello"]]),
        ("a phone as user id", ["messaging_product": "whatsapp", "recipient": "15550100100", "type": "text", "text": ["body": "Hello"]]),
        ("an empty text", message(["type": "text", "text": ["body": ""]])),
        ("a text over 4096", message(["type": "text", "text": ["body": .string(String(repeating: "a", count: 4097))]])),
        ("a text that is a number", message(["type": "text", "text": ["body": 5]])),
        (
            "a reference over 512",
            message(["type": "text", "text": ["body": "a"], "biz_opaque_callback_data": .string(String(repeating: "a", count: 513))])
        ),
        ("an image by id and link", message(["type": "image", "image": ["id": "1", "link": "https://example.com"]])),
        ("an image by neither", message(["type": "image", "image": ["caption": "a"]])),
        ("a sticker with a caption", message(["type": "sticker", "sticker": ["id": "1", "caption": "a"]])),
        ("four buttons", buttons([("a", "A"), ("b", "B"), ("c", "C"), ("d", "D")])),
        ("no buttons", buttons([])),
        ("a button title over 20", buttons([("a", String(repeating: "t", count: 21))])),
        ("a button id over 256", buttons([(String(repeating: "i", count: 257), "A")])),
        ("a button id twice", buttons([("a", "A"), ("a", "B")])),
        ("an interactive body over 1024", buttons([("a", "A")], text: String(repeating: "b", count: 1025))),
        ("eleven rows", list(rows: 11)),
        ("a row title over 24", list(rows: 1, title: String(repeating: "t", count: 24))),
        ("a row description over 72", list(rows: 1, description: String(repeating: "d", count: 73))),
        ("a template without language", message(["type": "template", "template": ["name": "reminder_1"]])),
        ("a latitude beyond the pole", message(["type": "location", "location": ["latitude": 91, "longitude": 0]])),
        ("an unknown status", ["messaging_product": "whatsapp", "status": "seen", "message_id": "wamid.A"]),
        ("a receipt without a message", ["messaging_product": "whatsapp", "status": "read"]),
    ]

    @Test func everyDocumentedKindOfMessageIsAccepted() async throws {
        try await Rig.run { rig in
            for body in Self.accepted {
                let answer = try await rig.graph(body)
                #expect(answer.status == 200, "\(CanonicalJSON.text(body)) → \(answer.json.plainText)")
            }
        }
    }

    @Test func whatMetaWouldRefuseIsRefusedInItsForm() async throws {
        try await Rig.run { rig in
            for (why, body) in Self.refused {
                let answer = try await rig.graph(body)
                #expect(answer.status == 400, "\(why)")
                #expect(answer.json.at(pointer: "/error/code") == 100, "\(why)")
                #expect(answer.json.at(pointer: "/error/type") == "OAuthException", "\(why)")
                #expect(answer.json.at(pointer: "/error/error_data/messaging_product") == "whatsapp", "\(why)")
                #expect(answer.json.at(pointer: "/error/error_data/details")?.string?.isEmpty == false, "\(why)")
                #expect(answer.json.at(pointer: "/error/fbtrace_id")?.string?.isEmpty == false, "\(why)")
            }
            #expect(try await rig.call("GET", "/_sandbox/last").json == ["messages": []])
        }
    }

    @Test func theAnswerNamesTheRecipientInTheFormOfTheRequest() async throws {
        try await Rig.run { rig in
            let phone = try await rig.graph(Self.message(["to": "+1 555 010 0100", "type": "text", "text": ["body": "Hello"]])).json
            #expect(phone["contacts"] == [["input": "+1 555 010 0100", "wa_id": "15550100100"]])
            let user = try await rig.graph(Self.toUser).json
            #expect(user["contacts"] == [["input": "US.1349", "user_id": "US.1349"]])
            let ids = [phone, user].compactMap { $0.at(pointer: "/messages/0/id")?.string }
            #expect(ids.count == 2 && Set(ids).count == 2 && ids.allSatisfy { $0.hasPrefix("wamid.") })
        }
    }

    @Test func aTokenOfAnotherNumberIsRefused() async throws {
        try await Rig.run { rig in
            for token in ["jobs-graph", "", nil] {
                let answer = try await rig.call("POST", "/graph/v23.0/106540352242922/messages", Self.plain, token: token)
                #expect(answer.status == 401)
                #expect(answer.json.at(pointer: "/error/code") == 190)
            }
            let stranger = try await rig.call("POST", "/graph/v23.0/999/messages", Self.plain, token: "salon-graph")
            #expect(stranger.status == 400)
            #expect(stranger.json.at(pointer: "/error/error_subcode") == 33)
        }
    }

    @Test func statusesComeInOrderSignedAndWithTheReference() async throws {
        try await Rig.run { rig in
            var webhooks = rig.gateway.webhooks()
            let id = try await rig.graph(Self.referenced).json.at(pointer: "/messages/0/id")
            for expected in ["sent", "delivered", "read"] {
                let webhook = try #require(await webhooks.next())
                #expect(webhook.path == "/webhooks/whatsapp/main")
                #expect(webhook.status["status"]?.string == expected)
                #expect(webhook.status["id"] == id)
                #expect(webhook.status["recipient_id"] == "15550100100")
                #expect(webhook.status["biz_opaque_callback_data"] == "ref")
                #expect(webhook.signature == Signatures.meta(body: webhook.body, secret: Array("an app secret for tests".utf8)))
            }
        }
    }

    @Test func aStatusIsRepeatedUntilItIsAcknowledgedAndTheNextOneWaits() async throws {
        try await Rig.run { rig in
            rig.gateway.refuse(next: 3)
            var webhooks = rig.gateway.webhooks()
            _ = try await rig.graph(Self.toUser)
            var seen: [String] = []
            for _ in 0..<6 { seen.append(try #require(await webhooks.next()).status["status"]?.string ?? "") }
            #expect(seen == ["sent", "sent", "sent", "sent", "delivered", "read"])
        }
    }

    @Test func otherStatusesOrNoneCanBeOrdered() async throws {
        try await Rig.run { rig in
            var webhooks = rig.gateway.webhooks()
            try await rig.fault(["path": "/graph", "statuses": [], "times": 1])
            try await rig.fault(["path": "/graph", "statuses": ["sent", "failed"], "times": 1])
            let quiet = try await rig.graph(Self.plain)
            let failing = try await rig.graph(Self.referenced).json.at(pointer: "/messages/0/id")
            #expect(quiet.status == 200)
            let sent = try #require(await webhooks.next()).status
            let failed = try #require(await webhooks.next()).status
            #expect([sent["id"], failed["id"]] == [failing, failing])
            #expect(failed["status"] == "failed" && failed.at(pointer: "/errors/0/code") == 131026)
        }
    }

    @Test func aDayAfterTheLastMessageOnlyTemplatesGo() async throws {
        try await Rig.run { rig in
            let long = rig.clock.now.milliseconds / 1000 - 24 * 3600 - 1
            _ = try await rig.say(["instance": "salon-whatsapp", "from": "15550100100", "text": "Hi", "timestamp": .integer(long)])
            let text = try await rig.graph(Self.plain)
            #expect(text.status == 400)
            #expect(text.json.at(pointer: "/error/code") == 131047)
            #expect(try await rig.graph(Self.template).status == 200)
            _ = try await rig.say(["instance": "salon-whatsapp", "from": "15550100100", "text": "Hi again"])
            #expect(try await rig.graph(Self.plain).status == 200)
        }
    }

    @Test func mediaHaveADescriptionAndContentBehindTheToken() async throws {
        try await Rig.run { rig in
            let media = try await rig.call("GET", "/graph/v23.0/12345", token: "jobs-graph")
            let url = try #require(media.json["url"]?.string)
            let prefix = "http://127.0.0.1:\(rig.port)"
            #expect(url.hasPrefix(prefix))
            let target = String(url.dropFirst(prefix.count))
            let content = try await rig.call("GET", target, token: "jobs-graph")
            #expect(Hex.encode(Signatures.sha256(content.body)) == media.json["sha256"]?.string)
            #expect(try await rig.call("GET", target).status == 401)
        }
    }
}
