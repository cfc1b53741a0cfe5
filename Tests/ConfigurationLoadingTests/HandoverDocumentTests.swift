import Conversation
import Foundation
import Testing

@testable import ConfigurationLoading

@Suite struct HandoverDocumentTests {
    private static let file = "config/brands/shop/handover.yaml"
    private static let secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
    private static let whole = """
        desk:
          id: shop-desk
          kind: webhook
          base_url: "${DESK_URL}"
          webhook_secret: "${DESK_SECRET}"
          timeout_s: 4
          max_concurrent: 3
          poll_interval_s: 9
          allow_private_addresses: ["127.0.0.1"]
        channel: ticket
        channels: { sensitive_topic: live_transfer }
        priorities: { user_request: urgent }
        nobody_available_s: 600
        sensitive_topics: ['(?i)lawyer']

        """

    private func fixture(_ text: String, _ environment: [String: String] = [:]) throws -> Fixture {
        var fixture = try Fixture()
        fixture.environment["DESK_URL"] = "https://desk.test/hook"
        fixture.environment["DESK_SECRET"] = Self.secret
        fixture.environment.merge(environment) { $1 }
        try fixture.write(Self.file, text)
        return fixture
    }

    private func problems(_ text: String) throws -> [Problem] { try fixture(text).load().errors }

    @Test func everythingIsRead() throws {
        let loaded = try fixture(Self.whole).load()
        #expect(loaded.problems.isEmpty, "\(loaded.problems)")
        let handover = try #require(loaded.brands.first { $0.id.rawValue == "shop" }).handover
        let desk = try #require(handover.desk)
        #expect(desk.id == "shop-desk" && desk.kind == .webhook && desk.baseURL == "https://desk.test/hook")
        #expect(desk.webhookSecret == Secret(Self.secret))
        #expect(desk.timeout == .seconds(4) && desk.maxConcurrent == 3 && desk.pollInterval == .seconds(9))
        #expect(desk.allowPrivateAddresses.count == 1)
        #expect(handover.channel == .ticket && handover.channel(for: .sensitiveTopic) == .liveTransfer)
        #expect(handover.priority(of: .userRequest) == .urgent && handover.priority(of: .complexity) == .normal)
        #expect(handover.nobodyAvailable == .seconds(600) && handover.sensitiveTopics == ["(?i)lawyer"])
    }

    @Test func anEmptyAddressMeansNoDeskAndAsksForNoSecret() throws {
        var fixture = try fixture(Self.whole.replacing("${DESK_URL}", with: "${DESK_URL:-}"), ["DESK_URL": ""])
        fixture.environment["DESK_SECRET"] = nil
        let loaded = fixture.load()
        #expect(loaded.problems.isEmpty, "\(loaded.problems)")
        #expect(loaded.brands.allSatisfy { $0.handover.desk == nil })
    }

    @Test func aBrandWithoutTheFileHasTheUsualHandover() throws {
        let handover = try #require(try Fixture().load().brands.first).handover
        #expect(handover.desk == nil && handover.channel == .queue && handover.nobodyAvailable == .seconds(1_800))
    }

    @Test(arguments: [
        ("kind: webhook", "kind: webhok", "desk.kind", "\"webhok\" is not allowed", 3),
        ("id: shop-desk", "id: Shop_Desk", "desk.id", "is not a desk's id", 2),
        ("  webhook_secret: \"${DESK_SECRET}\"\n", "", "desk.webhook_secret", "is missing", 2),
        ("${DESK_SECRET}", "whsec_c2hvcnQ=", "desk.webhook_secret", "shorter than 16 bytes", 5),
        ("${DESK_SECRET}", "no-standard-webhooks-secret", "desk.webhook_secret", "no Standard Webhooks secret", 5),
        ("${DESK_URL}", "https://user:secret@desk.test", "desk.base_url", "is not a plain base URL", 4),
        ("timeout_s: 4", "timeout_s: 0", "desk.timeout_s", "out of range", 6),
        ("channel: ticket", "channel: tickets", "channel", "\"tickets\" is not allowed", 10),
        ("user_request: urgent", "user_request: very", "priorities.user_request", "is not allowed", 12),
        ("sensitive_topic: live_transfer", "sensitive_topics: queue", "channels.sensitive_topics", "unknown key", 11),
        ("nobody_available_s", "nobody_s", "nobody_s", "unknown key", 13),
        ("(?i)lawyer", "(?=lawyer)", "sensitive_topics[0]", "is not an RE2 pattern", 14),
    ])
    func aMistakeIsPlaced(_ old: String, _ new: String, _ key: String, _ what: String, _ line: Int) throws {
        let found = try problems(Self.whole.replacing(old, with: new))
        #expect(found.contains { $0.key == key && $0.what.contains(what) && $0.line == line }, "\(found)")
    }

    @Test(arguments: [
        ("request_tracker", "user: gateway\n  queue: General", "desk.token"),
        ("request_tracker", "token: t\n  queue: General", "desk.user"),
        ("request_tracker", "token: t\n  user: gateway", "desk.queue"), ("zendesk", "user: gateway@shop.test", "desk.token"),
        ("zendesk", "token: t\n  queue: Support", "desk.queue"), ("freshdesk", "user: gateway", "desk.token"),
    ])
    func eachSystemSaysWhatItNeeds(_ kind: String, _ rest: String, _ key: String) throws {
        let text = "desk:\n  id: shop-desk\n  kind: \(kind)\n  base_url: https://desk.test\n  \(rest)\n"
        #expect(try problems(text).map(\.key) == [key])
    }

    @Test(arguments: [
        ("request_tracker", "user: gateway\n  password: p\n  queue: General"), ("zendesk", "user: a@shop.test\n  token: t\n  queue: 360"),
        ("zendesk", "token: t"), ("freshdesk", "token: t\n  webhook_secret: at-least-sixteen-bytes"),
    ])
    func eachSystemIsContentWithWhatItNeeds(_ kind: String, _ rest: String) throws {
        let text = "desk:\n  id: shop-desk\n  kind: \(kind)\n  base_url: https://desk.test\n  \(rest)\n"
        #expect(try problems(text).isEmpty)
    }

    @Test(arguments: [
        ("request_tracker", "user: gateway\n  password: p\n  queue: General", 15), ("zendesk", "token: t", 15),
        ("zendesk", "token: t\n  webhook_secret: at-least-sixteen-bytes", 60),
        ("freshdesk", "token: t\n  webhook_secret: at-least-sixteen-bytes\n  poll_interval_s: 20", 20),
    ])
    func aDeskThatCallsIsAskedLessOften(_ kind: String, _ rest: String, _ seconds: Int64) throws {
        let text = "desk:\n  id: shop-desk\n  kind: \(kind)\n  base_url: https://desk.test\n  \(rest)\n"
        let loaded = try fixture(text).load()
        #expect(loaded.brands.compactMap(\.handover.desk?.pollInterval) == [.seconds(seconds)], "\(loaded.errors)")
    }

    @Test func aDeskBelongsToOneBrand() throws {
        let fixture = try fixture(Self.whole)
        try fixture.write("config/brands/gym/handover.yaml", Self.whole)
        let loaded = fixture.load()
        // The fixture's brands are read by name: the gym comes first.
        #expect(loaded.stopped.map(\.folder) == ["shop"])
        #expect(loaded.errors.contains { $0.key == "desk.id" && $0.what.contains("desk \"shop-desk\" is already defined at") })
    }

    @Test func theGuideNamesEveryKey() throws {
        let found = try problems(
            Self.whole.replacing("desk:\n", with: "zzzz: 1\ndesk:\n  zzzz: 1\n").replacing("{ user", with: "{ zzzz: 1, user"))
        let keys = Set(
            found.filter { $0.what.contains("zzzz") }.flatMap { $0.remedy.dropFirst("known: ".count).components(separatedBy: ", ") })
        #expect(keys.count > 20, "only \(keys.count) keys found")
        let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let guide = try String(contentsOf: package.appending(path: "docs/handover.md"), encoding: .utf8)
        for key in keys.sorted() { #expect(guide.contains(key), "docs/handover.md does not name \(key)") }
    }
}
