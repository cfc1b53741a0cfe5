import Conversation
import TestKit
import Testing

@testable import Web

@Suite struct MessageTests {
    @Test func aTextIsStoredAndAcknowledgedWithItsID() async throws {
        let world = World()
        let answer = try await world.call(.post, "/web/salon-web/messages", body: Payload.bytes("text"))
        #expect(answer.status == 202)
        #expect(try answer.json == ["message_id": .string(messageID(1).description), "duplicate": false])
        let webhook = try #require(world.intake.webhooks.first)
        #expect(webhook.channel == WebChannel.name && webhook.app == "web" && webhook.items.count == 1)
        guard case .message(let message, let address, _) = webhook.items[0] else { throw Missing(what: "a message") }
        #expect(message.content == .text("book a haircut on Wednesday at 3pm"))
        #expect(message.providerID == "\(user(1)).1f0c9d2e-1")
        #expect(message.sender == Sender(identifiers: [Identifier(kind: .guest, value: "guest-1")]))
        #expect(message.sentAt == world.clock.now)
        #expect(address == WebChannel.descriptor.address(instance()))
    }

    @Test func theSameRequestTwiceIsOneMessage() async throws {
        let world = World()
        let first = try await world.say("hello", id: "a")
        let again = try await world.say("hello", id: "a")
        #expect(again.status == 202)
        #expect(try again.json == ["message_id": first.json["message_id"] ?? nil, "duplicate": true])
        #expect(try await world.say("hello", id: "b").json["duplicate"] == false)
    }

    @Test func twoVisitorsMayUseTheSameRequestID() async throws {
        let world = World()
        #expect(try await world.say("hello", id: "a").json["duplicate"] == false)
        #expect(try await world.say("hello", id: "a", token: "second-token").json["duplicate"] == false)
        #expect(Set(world.intake.messages.map(\.providerID)).count == 2)
    }

    @Test func aReplyCarriesTheTitleThatWeSent() async throws {
        let world = World()
        let few = ChoicePrompt(text: "Book it?", options: [.init(id: "choice-yes", title: "Yes"), .init(id: "choice-no", title: "No")])
        let many = ChoicePrompt(text: "Which?", options: (1...5).map { .init(id: "row-\($0)", title: "Service \($0)") })
        world.feed.setMessages([
            FeedMessage(id: messageID(1), isInbound: false, content: OutboundContent.choices(many).json, at: world.clock.now),
            FeedMessage(
                id: messageID(2), isInbound: true, content: ["type": "choices", "options": [["id": "choice-yes", "title": "Forged"]]],
                at: world.clock.now),
            FeedMessage(id: messageID(3), isInbound: false, content: OutboundContent.choices(few).json, at: world.clock.now),
        ])
        #expect(try await world.call(.post, "/web/salon-web/messages", body: Payload.bytes("reply")).status == 202)
        #expect(try await world.post("/web/salon-web/messages", ["request_id": "2", "reply": ["id": "row-4"]]).status == 202)
        #expect(try await world.post("/web/salon-web/messages", ["request_id": "3", "reply": ["id": "row-9"]]).status == 202)
        #expect(
            world.intake.messages.map(\.content) == [
                .reply(InteractiveReply(kind: .button, id: "choice-yes", title: "Yes")),
                .reply(InteractiveReply(kind: .list, id: "row-4", title: "Service 4")),
                .reply(InteractiveReply(kind: .button, id: "row-9")),
            ])
    }

    @Test func anAttachmentIsNotTakenYet() async throws {
        let world = World()
        let answer = try await world.call(.post, "/web/salon-web/messages", body: Payload.bytes("attachment"))
        #expect(answer.status == 422)
        #expect(try answer.pointers == ["/attachment"])
        #expect(try answer.json["errors"]?.at(pointer: "/0/message")?.string?.contains("not taken yet") == true)
        #expect(world.intake.webhooks.isEmpty)
    }

    @Test(arguments: [
        (#"{"text":"x"}"#, ["/request_id"]), (#"{"request_id":"a"}"#, [""]), (#"{"request_id":"a","text":"x","reply":{"id":"y"}}"#, [""]),
        (#"{"request_id":"","text":"x"}"#, ["/request_id"]), (#"{"request_id":"a b","text":"x"}"#, ["/request_id"]),
        (#"{"request_id":"a.b","text":"x"}"#, ["/request_id"]), (#"{"request_id":"é","text":"x"}"#, ["/request_id"]),
        (#"{"request_id":7,"text":8}"#, ["/request_id", "/text"]), (#"{"request_id":"a","text":""}"#, ["/text"]),
        (#"{"request_id":"a","text":" \n\t "}"#, ["/text"]), (#"{"request_id":"a","text":["x"]}"#, ["/text"]),
        (#"{"request_id":"a","reply":"x"}"#, ["/reply"]), (#"{"request_id":"a","reply":{}}"#, ["/reply/id"]),
        (#"{"request_id":"a","reply":{"id":7}}"#, ["/reply/id"]),
        (#"{"request_id":"a","reply":{"id":"x","title":"Forged"}}"#, ["/reply/title"]),
        (#"{"request_id":"a","text":"x","user_id":"other"}"#, ["/user_id"]), (#"{"request_id":"a","text":null}"#, [""]),
        (#"{"request_id":"a","request_id":"b","text":"x"}"#, ["/request_id"]), ("[]", ["", "/request_id", ""]),
    ])
    func whatIsWrongWithABodyIsPointedAt(_ body: String, _ pointers: [String]) async throws {
        let world = World()
        let answer = try await world.call(.post, "/web/salon-web/messages", body: Array(body.utf8))
        #expect(answer.status == 422)
        #expect(try answer.pointers == pointers)
        #expect(world.intake.webhooks.isEmpty)
    }

    @Test func lengthsAreTakenUpToTheLimitAndNotBeyond() async throws {
        let world = World()
        #expect(try await world.say(String(repeating: "x", count: 4096), id: String(repeating: "i", count: 64)).status == 202)
        #expect(try await world.say(String(repeating: "👍", count: 4096), id: "emoji").status == 202)
        #expect(try await world.say(String(repeating: "x", count: 4097), id: "long").pointers == ["/text"])
        #expect(try await world.say("x", id: String(repeating: "i", count: 65)).pointers == ["/request_id"])
        // One visible character with thousands of marks on it.
        #expect(try await world.say("a" + String(repeating: "\u{301}", count: 4096), id: "marks").pointers == ["/text"])
    }

    @Test func escapedTextOfFullLengthFitsTheRoute() throws {
        let route = try #require(World().channel.routes.first { $0.method == .post && $0.path.hasSuffix("messages") })
        #expect(route.maxBodyBytes > 4096 * "\\ud83d\\udc4d".utf8.count + 200)
    }

    @Test func hostileBodiesAreRefusedAndNothingIsStored() async throws {
        let world = World()
        func status(_ body: String) async throws -> Int {
            try await world.call(.post, "/web/salon-web/messages", body: Array(body.utf8)).status
        }
        #expect(try await status(#"{"request_id":"a","text":""# + String(repeating: "x", count: 200_000) + #""}"#) == 413)
        #expect(try await status(String(repeating: "[", count: 60_000)) == 400)
        #expect(try await status(String(repeating: #"{"a":"#, count: 600) + "1" + String(repeating: "}", count: 600)) == 400)
        #expect(try await status("") == 400)
        #expect(try await status("{") == 400)
        #expect(try await status("\u{FEFF}") == 400)
        #expect(try await status("request_id=a&text=x") == 400)
        let many = "{" + (0..<3000).map { #""key\#($0)":1"# }.joined(separator: ",") + "}"
        let answer = try await world.call(.post, "/web/salon-web/messages", body: Array(many.utf8))
        #expect(answer.status == 422)
        #expect(try answer.pointers.count == 20)
        #expect(answer.body.count < 8192)
        #expect(world.intake.webhooks.isEmpty)
    }

    @Test func brokenCharactersCostThemselvesOnly() async throws {
        let world = World()
        #expect(try await world.call(.post, "/web/salon-web/messages", body: Payload.bytes("lone-surrogate")).status == 202)
        #expect(
            try await world.call(.post, "/web/salon-web/messages", body: Array(#"{"request_id":"b","text":"a\u0000b"}"#.utf8)).status == 202
        )
        #expect(world.intake.messages.map(\.content) == [.text("half a \u{FFFD} character"), .text("a\u{FFFD}b")])
    }

    @Test func aMessageThatCannotBeStoredIsNotAcknowledged() async throws {
        let world = World()
        world.intake.setDown(true)
        let answer = try await world.say("x")
        #expect(answer.status == 503 && answer.headers["Retry-After"] == "1")
        world.intake.setDown(false)
        #expect(try await world.say("x").json["duplicate"] == false)
        let gone = World()
        gone.intake.setUnrouted()
        #expect(try await gone.say("x").status == 503)
        let blind = World()
        blind.feed.setDown(true)
        #expect(try await blind.post("/web/salon-web/messages", ["request_id": "a", "reply": ["id": "x"]]).status == 503)
        #expect(blind.intake.webhooks.isEmpty)
    }

    @Test(arguments: [
        "Bearer wrong", "Bearer", "Bearer ", "Basic good-token", "good-token", "Bearer good-token, Bearer good-token", "Bearer good token",
    ])
    func onlyAGoodBearerTokenSpeaks(_ header: String) async throws {
        let world = World()
        for (method, path) in [(ChannelRoute.Method.post, "messages"), (.get, "messages"), (.get, "events")] {
            let answer = try await world.call(
                method, "/web/salon-web/\(path)?token=good-token&access_token=good-token", body: Payload.bytes("text"), token: nil,
                headers: ["authorization": header])
            #expect(answer.status == 401)
            #expect(answer.headers["WWW-Authenticate"] == "Bearer")
        }
        #expect(world.intake.webhooks.isEmpty && world.channel.streams.count == 0)
    }

    @Test func aTokenWithoutAnOriginIsEnoughAndTheSchemeHasNoCase() async throws {
        let world = World()
        let headers = ["authorization": "bearer good-token"]
        let answer = try await world.call(
            .post, "/web/salon-web/messages", body: Payload.bytes("text"), origin: nil, token: nil, headers: headers)
        #expect(answer.status == 202)
        #expect(answer.headers["Access-Control-Allow-Origin"] == nil)
    }

    @Test func aTokenOfAnotherInstanceIsNobodysHere() async throws {
        let world = World()
        var stranger = guest(3)
        stranger.instance = InstanceID(rawValue: "jobs-web")
        world.visitors.set("jobs-token", stranger)
        #expect(try await world.say("x", token: "jobs-token").status == 401)
        world.visitors.setDown(true)
        #expect(try await world.say("x").status == 503)
    }
}

@Suite struct HistoryTests {
    @Test func theConversationIsShownOldestFirst() async throws {
        let world = World()
        let at = Timestamp(seconds: 1_800_000_000)
        world.feed.setMessages([
            FeedMessage(id: messageID(1), isInbound: true, content: Content.text("hello").json, at: at),
            FeedMessage(id: messageID(2), isInbound: false, content: OutboundContent.text("Hi!").json, at: at),
        ])
        let answer = try await world.call(.get, "/web/salon-web/messages")
        #expect(answer.status == 200)
        let expected: JSONValue = [
            "messages": [
                [
                    "id": .string(messageID(1).description), "direction": "in", "content": ["type": "text", "text": "hello"],
                    "at": .string(at.description),
                ],
                [
                    "id": .string(messageID(2).description), "direction": "out", "content": ["type": "text", "text": "Hi!"],
                    "at": .string(at.description),
                ],
            ]
        ]
        #expect(try answer.json == expected)
        #expect(world.feed.asked.first?.after == nil && world.feed.asked.first?.limit == 50)
    }

    @Test func pagesAreAskedForWithAfterAndLimit() async throws {
        let world = World()
        #expect(try await world.call(.get, "/web/salon-web/messages?after=\(messageID(4))&limit=100").status == 200)
        #expect(world.feed.asked.first?.after == messageID(4) && world.feed.asked.first?.limit == 100)
        for query in ["after=x", "after=", "limit=0", "limit=101", "limit=-1", "limit=ten", "limit=", "limit=99999999999999999999"] {
            #expect(try await world.call(.get, "/web/salon-web/messages?\(query)").status == 400, "\(query)")
        }
        #expect(world.feed.asked.count == 1)
        world.feed.setDown(true)
        #expect(try await world.call(.get, "/web/salon-web/messages").status == 503)
    }
}

@Suite struct LimitTests {
    @Test func aVisitorMaySendSoManyMessagesAMinute() async throws {
        let world = World(instance(salon, ["messages_per_minute": .integer(3)]))
        for id in 1...3 { #expect(try await world.say("x", id: "\(id)").status == 202) }
        let refused = try await world.say("x", id: "4")
        #expect(refused.status == 429)
        #expect(refused.headers["Retry-After"] == "20")
        #expect(refused.headers["Access-Control-Allow-Origin"] == page)
        #expect(world.intake.webhooks.count == 3)
        #expect(try await world.say("x", token: "second-token").status == 202)
        world.clock.advance(by: .seconds(20))
        #expect(try await world.say("x", id: "4").status == 202)
        #expect(try await world.say("x", id: "5").status == 429)
    }

    @Test func anAddressMayOpenSoManySessionsAMinute() async throws {
        let world = World(instance(salon, ["opens_per_minute": .integer(2)]))
        for _ in 1...2 { #expect(try await world.open().status == 201) }
        let refused = try await world.open()
        #expect(refused.status == 429 && refused.headers["Retry-After"] == "30")
        #expect(try await world.open(from: "203.0.113.8").status == 201)
        #expect(world.visitors.opened.count == 3)
        // Nothing is known of it: it may be everybody's.
        for _ in 1...5 { #expect(try await world.open(from: nil).status == 201) }
    }

    @Test func guessedSecretsAndWrongKeysCountAsOpenings() async throws {
        let world = World(instance(salon, ["opens_per_minute": .integer(5)]))
        for number in 1...5 { #expect(try await world.open(["app_key": .string("guess-\(number)")], origin: nil).status == 403) }
        #expect(try await world.open(["app_key": .string(appKey)], origin: nil).status == 429)
    }

    @Test func manyVisitorsOfOneAddressShareALimit() async throws {
        let world = World(instance(salon, ["messages_per_minute": .integer(1)]))
        for number in 1...101 { world.visitors.set("token-\(number)", guest(UInt64(100 + number))) }
        for number in 1...100 { #expect(try await world.say("x", token: "token-\(number)").status == 202) }
        #expect(try await world.say("x", token: "token-101").status == 429)
    }

    @Test func aNetworkOfTheSixthVersionIsOneCaller() {
        #expect(CallerAddress.key("203.0.113.7") == "203.0.113.7")
        #expect(CallerAddress.key("2001:db8:1:2:3:4:5:6") == CallerAddress.key("2001:DB8:1:2::9"))
        #expect(CallerAddress.key("2001:db8:1:2::") != CallerAddress.key("2001:db8:1:3::"))
        #expect(CallerAddress.key("2001:db8::1") == CallerAddress.key("2001:db8::2"))
        #expect(CallerAddress.key("fe80::1%eth0") == CallerAddress.key("fe80::2"))
        #expect(CallerAddress.key("::ffff:203.0.113.7") == "203.0.113.7")
        #expect(CallerAddress.key("::1") == "0:0:0:0::/64")
    }

    @Test func fullBucketsAreForgottenAndUsedOnesAreNot() {
        let world = World()
        let limits = RequestLimits(clock: world.clock, capacity: 1000)
        func take(_ name: Int) -> Bool { limits.wait(.opens, .address("a\(name)"), at: salon, perMinute: 1) == nil }
        #expect(take(1))
        #expect(!take(1))
        world.clock.advance(by: .seconds(30))
        #expect(!take(1))
        world.clock.advance(by: .seconds(30))
        #expect(take(1))
        world.clock.advance(by: .seconds(59))
        #expect(!take(1))
        for name in 2...200 { #expect(take(name)) }
        world.clock.advance(by: .seconds(61))
        #expect(take(999))
        world.clock.advance(by: .seconds(61))
        #expect(take(999))
        #expect(limits.count <= 2)
        for name in 1000...20_000 { _ = take(name) }
        #expect(limits.count <= 1000)
    }

    @Test func aClockThatGoesBackTakesNothingAway() {
        let clock = World().clock
        let limits = RequestLimits(clock: clock)
        #expect(limits.wait(.opens, .address("a"), at: salon, perMinute: 2) == nil)
        clock.advance(by: .seconds(-3600))
        #expect(limits.wait(.opens, .address("a"), at: salon, perMinute: 2) == nil)
        #expect(limits.wait(.opens, .address("a"), at: salon, perMinute: 2) == .seconds(30))
    }
}
