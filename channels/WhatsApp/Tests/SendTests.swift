@_spi(Policy) import Conversation
import JSON
import Testing

@testable import WhatsApp

private let reference = MessageID(UniqueID(high: 0x0196_0000_0000_7000, low: 0x8000_0000_0000_0001))
private let phone = Identifier(kind: .phone, value: "+15550123456")
private let userID = Identifier(kind: .bsuid, value: "US.13491208655302741918")

private func instance(_ changes: [String: Settings.Value?] = [:]) -> InstanceConfiguration {
    var values: [String: Settings.Value] = [
        "app": .text("main"), "phone_number_id": .text("106540352242922"), "access_token": .secret(Secret("token-of-the-number")),
    ]
    for (key, value) in changes { values[key] = value }
    return InstanceConfiguration(
        id: InstanceID(rawValue: "salon-whatsapp"), brand: BrandID(rawValue: "salon"), channel: ChannelName(rawValue: "whatsapp"),
        settings: Settings(values))
}

private func part(_ content: OutboundContent, to recipient: [Identifier] = [phone], inReplyTo: String? = nil) -> OutboundPart {
    OutboundPart(reference: reference, instance: instance(), recipient: recipient, content: content, inReplyTo: inReplyTo)
}

private func send(_ part: OutboundPart, over http: ScriptedHTTP) async -> SendOutcome {
    await WhatsAppChannel.under(http: http).send(part, permit: SendPermit(brand: part.instance.brand, message: part.reference))
}

private func body(of part: OutboundPart) async throws -> JSONValue {
    let http = ScriptedHTTP(200, #"{"messages":[{"id":"wamid.OUT1"}]}"#)
    guard case .sent("wamid.OUT1") = await send(part, over: http) else { throw Payload.Mismatch(found: "not sent") }
    return try JSONValue(parsing: try #require(http.calls.first?.body))
}

@Suite struct SendRequestTests {
    @Test func aTextGoesToTheNumbersEndpointWithTokenAndReference() async throws {
        let http = ScriptedHTTP(200, #"{"messages":[{"id":"wamid.OUT1"}]}"#)
        _ = await send(part(.text("Hello"), inReplyTo: "wamid.IN1"), over: http)
        let call = try #require(http.calls.first)
        #expect(http.calls.count == 1)
        #expect(call.method == "POST")
        #expect(call.url == "http://127.0.0.1:8090/graph/v23.0/106540352242922/messages")
        #expect(call.headers.contains { $0 == ("Authorization", "Bearer token-of-the-number") })
        #expect(call.headers.contains { $0 == ("Content-Type", "application/json") })
        #expect(call.pool == "brand:salon:graph")
        #expect(call.allowPrivateAddresses.map(\.description) == ["127.0.0.1"])
        let expected: JSONValue = [
            "messaging_product": "whatsapp", "recipient_type": "individual", "to": "15550123456", "type": "text",
            "text": ["body": "Hello", "preview_url": false], "biz_opaque_callback_data": .string(reference.description),
            "context": ["message_id": "wamid.IN1"],
        ]
        #expect(call.body == CanonicalJSON.bytes(expected))
    }

    @Test func aUserIDGoesToRecipientAndAPhoneToTo() async throws {
        let byID = try await body(of: part(.text("x"), to: [userID, phone]))
        #expect(byID["recipient"] == "US.13491208655302741918")
        #expect(byID["to"] == .none)
        let byPhone = try await body(of: part(.text("x"), to: [phone]))
        #expect(byPhone["to"] == "15550123456")
        #expect(byPhone["recipient"] == .none)
    }

    @Test func promptsBecomeButtonsOrAList() async throws {
        func choice(_ count: Int) -> OutboundContent {
            let options = (0..<count).map { ChoicePrompt.Option(id: "o\($0)", title: "T\($0)", description: $0 == 0 ? "D" : nil) }
            return .choices(ChoicePrompt(text: "Which?", options: options, listTitle: "Pick"))
        }
        let buttons = try await body(of: part(choice(2)))
        #expect(
            buttons["interactive"] == [
                "type": "button", "body": ["text": "Which?"],
                "action": [
                    "buttons": [
                        ["type": "reply", "reply": ["id": "o0", "title": "T0"]], ["type": "reply", "reply": ["id": "o1", "title": "T1"]],
                    ]
                ],
            ])
        let list = try await body(of: part(choice(4)))
        #expect(list.at(pointer: "/interactive/type") == "list")
        #expect(list.at(pointer: "/interactive/action/button") == "Pick")
        #expect(list.at(pointer: "/interactive/action/sections/0/rows/0") == ["id": "o0", "title": "T0", "description": "D"])
        #expect(list.at(pointer: "/interactive/action/sections/0/rows/3") == ["id": "o3", "title": "T3"])
    }

    @Test func templatesMediaAndReactionsHaveTheirForms() async throws {
        let template = try await body(
            of: part(.template(TemplateMessage(name: "reminder", language: "en_US", parameters: ["3 pm", "Monday"]))))
        #expect(
            template["template"] == [
                "name": "reminder", "language": ["code": "en_US"],
                "components": [["type": "body", "parameters": [["type": "text", "text": "3 pm"], ["type": "text", "text": "Monday"]]]],
            ])
        let bare = try await body(of: part(.template(TemplateMessage(name: "hello", language: "en"))))
        #expect(bare["template"] == ["name": "hello", "language": ["code": "en"]])
        let document = Media(
            kind: .document, url: "https://files.example/a.pdf", mimeType: "application/pdf", caption: "C", filename: "a.pdf")
        let file = try await body(of: part(.media(document)))
        #expect(file["type"] == "document")
        #expect(file["document"] == ["link": "https://files.example/a.pdf", "caption": "C", "filename": "a.pdf"])
        let voice = try await body(of: part(.media(Media(kind: .voice, id: "77", caption: "C"))))
        #expect(voice["type"] == "audio")
        #expect(voice["audio"] == ["id": "77"])
        let reaction = try await body(of: part(.reaction(Reaction(messageID: "wamid.IN1", emoji: nil)), inReplyTo: "wamid.IN1"))
        #expect(reaction["reaction"] == ["message_id": "wamid.IN1", "emoji": ""])
        #expect(reaction["context"] == .none)
    }

    @Test func whatCannotBeSentIsRefusedWithoutACall() async {
        var unknownApp = part(.text("x"))
        unknownApp.instance = instance(["app": .text("other")])
        var badNumber = part(.text("x"))
        badNumber.instance = instance(["phone_number_id": .text("1/../2")])
        var noToken = part(.text("x"))
        noToken.instance = instance(["access_token": .secret(Secret(""))])
        var bareApp = part(.text("x"))
        bareApp.instance = instance(["app": .text("bare")])
        let cases: [(OutboundPart, String, ChannelError.Reaction)] = [
            (part(.text("x"), to: []), "no_recipient", .never),
            (part(.text("x"), to: [Identifier(kind: .guest, value: "g")]), "no_recipient", .never),
            (part(.text(" \n ")), "empty_message", .never), (part(.media(Media(kind: .image))), "no_media", .never),
            (part(.choices(ChoicePrompt(text: "?", options: []))), "not_rendered", .never), (unknownApp, "configuration", .page),
            (badNumber, "configuration", .page), (noToken, "configuration", .reauthorize), (bareApp, "configuration", .page),
        ]
        for (part, code, reaction) in cases {
            let http = ScriptedHTTP(200, "{}")
            guard case .refused(let error) = await send(part, over: http) else {
                Issue.record("\(code) was not refused")
                continue
            }
            #expect(error.code == code)
            #expect(error.reaction == reaction)
            #expect(http.calls.isEmpty)
        }
    }

    @Test func aPermitForAnotherMessageOrBrandSendsNothing() async {
        let http = ScriptedHTTP(200, "{}")
        let other = MessageID(UniqueID(high: 1, low: 2))
        for permit in [
            SendPermit(brand: BrandID(rawValue: "salon"), message: other), SendPermit(brand: BrandID(rawValue: "jobs"), message: reference),
        ] {
            guard case .refused(let error) = await WhatsAppChannel.under(http: http).send(part(.text("x")), permit: permit) else {
                Issue.record("sent without a permit")
                continue
            }
            #expect(error.code == "permit_mismatch")
        }
        #expect(http.calls.isEmpty)
    }

    @Test func readingIsSignalledInOneCallWhateverBecomesOfIt() async throws {
        for http in [
            ScriptedHTTP(200, "{}"), ScriptedHTTP(500, ""),
            ScriptedHTTP(.failed(HTTPFailure(kind: .timeout, mayHaveBeenSent: true, detail: ""))),
        ] {
            await WhatsAppChannel.under(http: http).signalReading(providerMessageID: "wamid.IN1", instance: instance())
            #expect(http.calls.count == 1)
            let sent = try JSONValue(parsing: try #require(http.calls.first?.body))
            let expected: JSONValue = [
                "messaging_product": "whatsapp", "status": "read", "message_id": "wamid.IN1", "typing_indicator": ["type": "text"],
            ]
            #expect(sent == expected)
        }
        let http = ScriptedHTTP(200, "{}")
        await WhatsAppChannel.under(http: http).signalReading(providerMessageID: "wamid.IN1", instance: instance(["app": .text("other")]))
        #expect(http.calls.isEmpty)
    }
}

@Suite struct SendOutcomeTests {
    private enum Expected: Equatable { case sent, notSent(Duration?), refused(String, ChannelError.Reaction), unknown }

    private func outcome(_ http: ScriptedHTTP) async -> Expected {
        switch await send(part(.text("x")), over: http) {
        case .sent: .sent
        case .notSent(_, let wait): .notSent(wait)
        case .refused(let error): .refused(error.code, error.reaction)
        case .unknown: .unknown
        }
    }

    private func outcome(_ status: Int, code: Int, headers: [(name: String, value: String)] = []) async -> Expected {
        await outcome(
            ScriptedHTTP(
                status, #"{"error":{"message":"m","type":"OAuthException","code":\#(code),"error_data":{"details":"d"}}}"#, headers: headers
            ))
    }

    @Test func anAnswerWithAnIDIsSentAndOneWithoutIsUnknown() async {
        #expect(await outcome(ScriptedHTTP(200, #"{"messages":[{"id":"wamid.1","message_status":"accepted"}]}"#)) == .sent)
        for body in ["", "<html>ok</html>", "{}", #"{"messages":[]}"#, #"{"messages":[{"id":""}]}"#, #"{"messages":{"id":"x"}}"#, "[1"] {
            #expect(await outcome(ScriptedHTTP(200, body)) == .unknown, "\(body)")
        }
    }

    @Test func tooMuchIsNotSentAndSaysHowLongToWait() async {
        #expect(await outcome(429, code: 130_429, headers: [("retry-after", "7")]) == .notSent(.seconds(7)))
        #expect(await outcome(ScriptedHTTP(429, "")) == .notSent(nil))
        #expect(await outcome(400, code: 131_056) == .notSent(.seconds(6)))
        for code in [4, 17, 613, 80_007, 130_429, 131_048, 131_056, 133_016] {
            for status in [400, 403, 429, 500] {
                guard case .notSent(let wait) = await outcome(status, code: code) else {
                    Issue.record("\(status) \(code)")
                    continue
                }
                #expect(wait != nil)
            }
        }
        #expect(await outcome(429, code: 4, headers: [("retry-after", "Fri, 20 Nov 2026 10:00:00 GMT")]) == .notSent(.seconds(60)))
        #expect(await outcome(429, code: 4, headers: [("retry-after", "-5")]) == .notSent(.seconds(60)))
    }

    @Test func serverErrorsAreUnknownAndTheSameCodesAs4xxAreNot() async {
        for status in [500, 502, 503, 504, 301, 302, 408] { #expect(await outcome(ScriptedHTTP(status, "")) == .unknown) }
        for code in [1, 2, 131_000, 131_016] {
            #expect(await outcome(500, code: code) == .unknown)
            #expect(await outcome(400, code: code) == .notSent(nil))
        }
    }

    @Test(arguments: [
        (131_047, ChannelError.Reaction.askForTemplate), (131_026, .never), (131_049, .never), (131_050, .stopContact), (131_062, .never),
        (132_015, .pauseTemplate), (132_016, .pauseTemplate), (190, .reauthorize), (10, .reauthorize), (200, .reauthorize),
        (299, .reauthorize),
        (100, .never), (131_008, .never), (131_009, .never), (131_051, .never), (132_000, .never), (132_001, .never), (131_031, .page),
        (368, .page), (131_042, .page), (999_999, .never),
    ])
    func refusalsSayWhatToDo(code: Int, reaction: ChannelError.Reaction) async {
        #expect(await outcome(400, code: code) == .refused(String(code), reaction))
    }

    @Test func refusalsWithoutACodeGoByTheStatus() async {
        #expect(await outcome(ScriptedHTTP(401, "")) == .refused("http_401", .reauthorize))
        #expect(await outcome(ScriptedHTTP(404, "<html>")) == .refused("http_404", .never))
        #expect(await outcome(ScriptedHTTP(400, #"{"error":{"code":"x"}}"#)) == .refused("http_400", .never))
    }

    @Test func failuresAreUnknownExactlyWhenBytesMayHaveLeft() async {
        let kinds: [HTTPFailure.Kind] = [
            .invalidRequest, .resolve, .connect, .tls, .forbiddenAddress, .timeout, .tooLarge, .reset, .secondPass, .cancelled,
            .protocolError, .breakerOpen,
        ]
        for kind in kinds {
            #expect(await outcome(ScriptedHTTP(.failed(HTTPFailure(kind: kind, mayHaveBeenSent: true, detail: "d")))) == .unknown)
            let before = await outcome(ScriptedHTTP(.failed(HTTPFailure(kind: kind, mayHaveBeenSent: false, detail: "d"))))
            switch kind {
            case .invalidRequest, .forbiddenAddress: #expect(before == .refused(kind.rawValue, .page))
            case .resolve, .connect, .tls, .timeout, .tooLarge, .reset, .secondPass, .cancelled, .protocolError, .breakerOpen:
                #expect(before == .notSent(nil))
            }
        }
    }

    @Test func errorsNeverShowTheToken() async {
        guard
            case .refused(let error) = await send(part(.text("x")), over: ScriptedHTTP(401, #"{"error":{"code":190,"message":"expired"}}"#))
        else {
            Issue.record("not refused")
            return
        }
        #expect(!"\(error)".contains("token-of-the-number"))
        #expect(error.message == "HTTP 401, code 190: expired")
    }
}
