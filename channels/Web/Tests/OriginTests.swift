import Conversation
import Testing

@testable import Web

@Suite struct OriginTests {
    private let rules = OriginRules(rules: [
        "https://salon.example", "http://localhost:*", "http://127.0.0.1:8080", "HTTPS://Shop.Example:443", "*", "https://*",
    ])

    @Test(arguments: [
        "https://salon.example", "https://salon.example:443", "https://shop.example", "http://localhost", "http://localhost:3000",
        "http://localhost:65535", "http://127.0.0.1:8080",
    ])
    func anOriginOfTheListIsLetIn(_ origin: String) {
        #expect(rules.verdict(on: [origin]) == .allowed(origin))
    }

    @Test(arguments: [
        "null", "", " ", "*", "https://salon.example.evil.test", "https://evil-salon.example", "https://evilsalon.example",
        "https://salon.example.", "https://salon.example:8443", "http://salon.example", "https://salon.example/", "https://salon.example/x",
        "https://salon.example?x", "https://salon.example#x", "https://salon.example@evil.test", "https://evil.test@salon.example",
        "https://salon.example https://evil.test", "https://salon.example,https://evil.test", "https://salon.example\\.evil.test",
        "https://salon.example%2eevil.test", "https://salon.example\u{0}", "https://salon.example\n", "//salon.example", "salon.example",
        "https:salon.example", "https:///salon.example", "https://", "https://:443", "file://", "http://localhost.evil.test:80",
        "http://localhost:", "http://localhost:0", "http://localhost:65536", "http://localhost:80a", "http://localhost:*",
        "http://localhost:-1", "http://localhost:80:80", "https://localhost:3000", "http://127.0.0.1", "http://127.0.0.1:80801",
        "https://ѕalon.example", "http://loca\u{212A}host:1", "\u{212A}://salon.example", "https://[::1]", "javascript://salon.example",
        "https://anything.test",
    ])
    func anyOtherOriginIsRefused(_ origin: String) {
        #expect(rules.verdict(on: [origin]) == .refused)
    }

    @Test func noOriginIsNotARefusalAndTwoAre() {
        #expect(rules.verdict(on: []) == .absent)
        #expect(rules.verdict(on: ["https://salon.example", "https://salon.example"]) == .refused)
    }

    @Test func caseAndDefaultPortMakeNoDifference() {
        #expect(rules.verdict(on: ["HTTPS://SALON.example"]) == .allowed("HTTPS://SALON.example"))
        #expect(Origin("https://[2001:DB8::1]:8443") == Origin("https://[2001:db8::1]:8443"))
        #expect(Origin("capacitor://localhost")?.port == nil)
    }

    /// What can let somebody in may stand in a list; what cannot is told when the configuration is read.
    @Test func whatCanLetNobodyInIsNoRule() throws {
        for text in ["https://salon.example", "HTTPS://Shop.Example:443", "http://localhost:*", "capacitor://localhost", "http://[::1]:*"] {
            #expect(OriginRules.isRule(text), "\(text)")
        }
        for text in [
            "*", "https://*", "https://*.salon.example", "https://salon.example/", "https://salon.example/chat", "salon.example", "null",
            "",
            "http://localhost:*/", "http://localhost::*", "https://salon.example,https://shop.example", ":*",
        ] {
            #expect(!OriginRules.isRule(text), "\(text)")
        }
        let rule = try #require(WebChannel.descriptor.instanceSettings.first { $0.key == "origins" })
        guard case .formed(let form) = rule.kind else {
            Issue.record("\(rule.kind)")
            return
        }
        #expect(form.accepts("https://salon.example") && !form.accepts("https://salon.example/"))
    }

    @Test func anEmptyListLetsNobodyIn() {
        #expect(OriginRules(rules: []).verdict(on: ["https://salon.example"]) == .refused)
    }

    @Test(arguments: ["sessions", "messages", "events"])
    func preflightNamesWhatThePageMayDo(_ route: String) async throws {
        let answer = try await World().call(.options, "/web/salon-web/\(route)", token: nil)
        #expect(answer.status == 204 && answer.body.isEmpty)
        #expect(answer.headers["Access-Control-Allow-Origin"] == page)
        #expect(answer.headers["Access-Control-Allow-Headers"] == "authorization, content-type, last-event-id")
        #expect(answer.headers["Access-Control-Allow-Methods"] == "GET, POST")
        #expect(answer.headers["Access-Control-Max-Age"] == "600")
        #expect(answer.headers["Access-Control-Allow-Credentials"] == nil)
        #expect(answer.headers["Vary"] == "Origin")
    }

    @Test(arguments: [
        (ChannelRoute.Method.options, "sessions"), (.options, "messages"), (.options, "events"), (.post, "sessions"), (.post, "messages"),
        (.get, "messages"), (.get, "events"),
    ])
    func everyRouteRefusesAForeignOriginBeforeAnythingElse(_ method: ChannelRoute.Method, _ route: String) async throws {
        for origin in ["null", "https://evil.test", "https://salon.example.evil.test"] {
            let world = World()
            let answer = try await world.call(method, "/web/salon-web/\(route)", body: Array("{".utf8), origin: origin)
            #expect(answer.status == 403)
            #expect(answer.headers["Access-Control-Allow-Origin"] == nil)
            #expect(answer.headers["Vary"] == "Origin")
            #expect(world.visitors.opened.isEmpty && world.visitors.lookups == 0 && world.intake.webhooks.isEmpty)
        }
    }

    @Test func anUnknownInstanceOrOneOfAnotherChannelIsNotThere() async throws {
        let whatsApp = instance(InstanceID(rawValue: "salon-whatsapp"), channel: ChannelName(rawValue: "whatsapp"))
        let world = World(instance(), whatsApp)
        for id in ["nobody", "salon-whatsapp", "Salon-Web", "..", "salon-web%00"] {
            #expect(try await world.call(.post, "/web/\(id)/sessions").status == 404)
            #expect(try await world.call(.get, "/chat/\(id)").status == 404)
        }
    }

    @Test func errorsCanBeReadByThePageThatMadeThem() async throws {
        let answer = try await World().say("x", token: "wrong")
        #expect(answer.status == 401)
        #expect(answer.headers["Access-Control-Allow-Origin"] == page)
        #expect(answer.headers["Access-Control-Expose-Headers"] == "retry-after, x-request-id")
        #expect(answer.headers["Cache-Control"] == "no-store")
        #expect(answer.contentType == "application/problem+json")
    }
}
