@_spi(Policy) import Conversation
import Testing

@testable import Web

private func part(_ content: OutboundContent) -> OutboundPart {
    OutboundPart(reference: messageID(1), instance: instance(), recipient: [guest().identifier], content: content)
}

@Suite struct ChannelTests {
    @Test func sendingAnswersTheReferenceAndCanBeRepeated() async throws {
        let channel = World().channel
        for _ in 1...2 {
            let outcome = await channel.send(part(.text("x")), permit: SendPermit(brand: brand, message: messageID(1)))
            guard case .sent(messageID(1).description) = outcome else { throw Missing(what: "\(outcome)") }
        }
        #expect(channel.capabilities.isRepeatable && channel.capabilities.keepsFeed && !channel.capabilities.provesIdentity)
    }

    @Test func aPermitForAnotherMessageOrBrandSendsNothing() async throws {
        for permit in [
            SendPermit(brand: brand, message: messageID(2)), SendPermit(brand: BrandID(rawValue: "jobs"), message: messageID(1)),
        ] {
            let outcome = await World().channel.send(part(.text("x")), permit: permit)
            guard case .refused(let error) = outcome else { throw Missing(what: "\(outcome)") }
            #expect(error.code == "permit_mismatch" && error.reaction == .page)
        }
    }

    @Test func templatesAreRefusedAndAnythingElseMayGoAtAnyTime() async throws {
        let channel = World().channel
        let template = OutboundContent.template(TemplateMessage(name: "offer", language: "en"))
        let now = Timestamp(seconds: 1_800_000_000)
        #expect(channel.refusal(of: template, lastInboundAt: now, now: now)?.reaction == .never)
        #expect(channel.refusal(of: .text("x"), lastInboundAt: nil, now: now) == nil)
        let outcome = await channel.send(part(template), permit: SendPermit(brand: brand, message: messageID(1)))
        guard case .refused = outcome else { throw Missing(what: "\(outcome)") }
    }

    @Test func longTextsAreSplitAndRenderingAgainChangesNothing() {
        let channel = World().channel
        let long = String(repeating: "Eighteen letters. ", count: 1000)
        let parts = channel.render(.text(long))
        #expect(parts.count == 5)
        #expect(parts.map(\.plainText).joined() == long)
        #expect(parts.allSatisfy { $0.plainText.count <= 4096 && channel.render($0) == [$0] })
        #expect(channel.render(.text("")) == [.text("")])
    }

    @Test func optionsStayAsTheyAreHoweverManyThereAre() {
        let channel = World().channel
        let prompt = ChoicePrompt(text: "Which?", options: (1...40).map { .init(id: "\($0)", title: "Service \($0)") })
        #expect(channel.render(.choices(prompt)) == [.choices(prompt)])
        var long = prompt
        long.text = String(repeating: "x", count: 5000)
        let parts = channel.render(.choices(long))
        #expect(parts.count == 2 && parts[0] == .text(String(repeating: "x", count: 4096)))
        guard case .choices(let last) = parts[1] else {
            Issue.record("\(parts[1])")
            return
        }
        #expect(last.options == prompt.options && last.text == String(repeating: "x", count: 904))
    }

    @Test func readingIsShownToTheWriterOfTheMessage() async {
        let world = World()
        await world.channel.signalReading(providerMessageID: "\(user(4)).request-1", instance: instance())
        await world.channel.signalReading(providerMessageID: "nobody", instance: instance())
        #expect(world.feed.typed == [user(4)])
    }

    @Test(arguments: [
        Content.text("hello"), .reply(InteractiveReply(kind: .list, id: "row-1", title: "Haircut")),
        .reply(InteractiveReply(kind: .button, id: "x")),
    ])
    func whatWasKeptRawIsTheSameMessageAgain(_ content: Content) throws {
        let event = WebEvent(visitor: guest(), requestID: "r1", content: content, sentAt: Timestamp(milliseconds: 1_800_000_000_123))
        guard case .message(let message, let address, let raw) = event.item else { throw Missing(what: "a message") }
        let items = World().channel.items(replaying: raw(), app: "web", account: nil)
        guard items.count == 1, case .message(let again, let whither, _) = items[0] else { throw Missing(what: "\(items)") }
        #expect(again == message && whither == address)
    }

    @Test(arguments: ["", "{}", "[]", #"{"instance":"salon-web"}"#, #"{"instance":"salon-web","user":7}"#])
    func whatWeNeverWroteIsUnreadable(_ body: String) throws {
        let items = World().channel.items(replaying: Array(body.utf8), app: "web", account: "salon-web")
        guard items.count == 1, case .unreadable(_, Array(body.utf8), WebChannel.descriptor.address(instance())) = items[0] else {
            throw Missing(what: "\(items)")
        }
    }

    @Test func anInstanceOfAnotherChannelHasNoAddressHere() {
        #expect(WebChannel.descriptor.address(instance(channel: ChannelName(rawValue: "whatsapp"))) == nil)
        #expect(
            WebChannel.descriptor.address(instance())
                == InstanceAddress(channel: ChannelName(rawValue: "web"), app: "web", account: "salon-web"))
    }
}

@Suite struct PageTests {
    @Test func theChatPageNamesInstanceAndBrandInAttributes() async throws {
        let answer = try await World().call(.get, "/chat/salon-web", origin: nil, token: nil)
        #expect(answer.status == 200 && answer.contentType == "text/html; charset=utf-8")
        #expect(answer.text.contains(#"data-instance="salon-web""#))
        #expect(answer.text.contains(#"data-brand="Blue Door Salon""#))
        #expect(!answer.text.contains("{{"))
        #expect(try await World(name: nil).call(.get, "/chat/salon-web", origin: nil, token: nil).text.contains(#"data-brand="salon""#))
    }

    @Test func thePolicyAllowsNothingInlineAndNothingFromElsewhere() async throws {
        let answer = try await World().call(.get, "/chat/salon-web", origin: nil, token: nil)
        let policy = try #require(answer.headers["Content-Security-Policy"])
        let directives = Set(policy.split(separator: "; ").map(String.init))
        #expect(
            directives == [
                "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self' data:",
                "base-uri 'none'", "form-action 'none'", "frame-ancestors 'self'",
            ])
        #expect(answer.headers["X-Content-Type-Options"] == "nosniff")
        #expect(answer.headers["Cache-Control"] == "no-cache")
        #expect(answer.headers["Referrer-Policy"] == "no-referrer")
        // An inline script, style or handler would be dead under this policy.
        let page = answer.text.lowercased()
        #expect(page.matches(of: /<script(?![^>]*\ssrc=)/).isEmpty)
        #expect(page.matches(of: /<style|\sstyle=|\son[a-z]+=/).isEmpty)
    }

    @Test(arguments: [
        #""><script>alert(1)</script>"#, "' onload='alert(1)", "{{instance}}", "</title><img src=x onerror=alert(1)>", "&lt;b&gt;", "`x`",
    ])
    func aBrandsNameIsTextAndNeverMarkup(_ name: String) {
        let page = String(
            decoding: Pages.page(#"<b data-brand="{{brand}}">{{brand}}</b>"#, ["brand": name, "instance": "x"]).body, as: UTF8.self)
        let escaped = Pages.escaped(name)
        #expect(page == #"<b data-brand="\#(escaped)">\#(escaped)</b>"#)
        #expect(!escaped.contains { "<>\"'`".contains($0) })
    }

    @Test func placeholdersWithoutAValueStay() {
        let page = Pages.page("{{a}}-{{b}}-{{", ["a": "1"])
        #expect(String(decoding: page.body, as: UTF8.self) == "1-{{b}}-{{")
    }

    @Test(arguments: [
        ("/widget.js", "text/javascript; charset=utf-8"), ("/chat/assets/chat.js", "text/javascript; charset=utf-8"),
        ("/chat/assets/chat.css", "text/css; charset=utf-8"),
    ])
    func filesAreForEveryoneAndAskedForAgain(_ path: String, _ type: String) async throws {
        let world = World()
        let answer = try await world.call(.get, path, origin: "https://anywhere.test", token: nil)
        #expect(answer.status == 200 && answer.contentType == type && !answer.body.isEmpty)
        #expect(answer.headers["Access-Control-Allow-Origin"] == "*")
        #expect(answer.headers["X-Content-Type-Options"] == "nosniff")
        let tag = try #require(answer.headers["ETag"])
        for known in [tag, "W/\(tag)", #""other", \#(tag)"#, "*"] {
            let again = try await world.call(.get, path, token: nil, headers: ["if-none-match": known])
            #expect(again.status == 304 && again.body.isEmpty && again.headers["ETag"] == tag, "\(known)")
        }
        #expect(try await world.call(.get, path, token: nil, headers: ["if-none-match": #""other""#]).status == 200)
    }

    @Test(arguments: ["chat.html", "widget.txt", "..", "channel.yaml", "%2e%2e"])
    func whatIsNoFileOfThePageIsNotThere(_ file: String) async throws {
        #expect(try await World().call(.get, "/chat/assets/\(file)").status == 404)
    }

    @Test func pagesOfTwoInstancesHaveTwoTags() {
        let pages = Pages()
        #expect(
            pages.chat(instance: salon, brand: PageBrand(name: "A", locale: "en")).etag
                != pages.chat(instance: salon, brand: PageBrand(name: "B", locale: "en")).etag)
    }
}
