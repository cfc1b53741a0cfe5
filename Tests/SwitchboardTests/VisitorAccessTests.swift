import ConfigurationLoading
import Conversation
import Foundation
import Gateway
import HTTPCalls
import Signing
import Storage
import TestKit
import Testing

@testable import Switchboard

/// A channel that keeps feeds and is never asked for more.
private struct FeedChannel: Conversation.Channel {
    var descriptor: ChannelDescriptor {
        ChannelDescriptor(name: ChannelName(rawValue: "page"), appSettings: [], instanceSettings: [], address: { _ in nil })
    }
    var capabilities: ChannelCapabilities {
        ChannelCapabilities(maxTextLength: 1, maxButtons: 1, maxListRows: 1, provesIdentity: false, isRepeatable: true, keepsFeed: true)
    }
    var routes: [ChannelRoute] { [] }
    func items(replaying body: [UInt8], app: String, account: String?) -> [WebhookItem] { [] }
    func render(_ content: OutboundContent) -> [OutboundContent] { [content] }
    func refusal(of content: OutboundContent, lastInboundAt: Timestamp?, now: Timestamp) -> ChannelError? { nil }
    func send(_ message: OutboundPart, permit: SendPermit) async -> SendOutcome { .unknown(reason: "never sent") }
    func signalReading(providerMessageID: String, instance: InstanceConfiguration) async {}
}

@Suite(.timeLimit(.minutes(1))) struct VisitorAccessTests {
    private static func instance(_ brand: String, _ name: String) -> InstanceConfiguration {
        InstanceConfiguration(
            id: InstanceID(rawValue: "\(brand)-\(name)"), brand: BrandID(rawValue: brand), channel: ChannelName(rawValue: "page"))
    }

    private static func key(_ brand: String) -> String { "read-key-of-\(brand)" }

    private static func runtime(_ brand: String) throws -> BrandRuntime {
        let secret = Secret("whsec_" + Base64.encode(Array(repeating: 7, count: 32)))
        let configuration = BrandConfiguration(
            id: BrandID(rawValue: brand), name: brand, keys: [BrandKey(key: Secret(key(brand)), role: .read)],
            api: BrandAPI(baseURL: "http://\(brand).invalid", signingSecrets: [secret]),
            instances: [instance(brand, "web"), instance(brand, "app")])
        return try BrandAssembly.make(
            configuration, queue: QueueConfiguration(), http: CurlClient(), clock: SystemClock(), ids: SystemIDs(), usage: UnlimitedUsage())
    }

    private static func with(clock: any WallClock = SystemClock(), _ body: @escaping @Sendable (LocalServer) async throws -> Void)
        async throws
    {
        try await LocalServer.with(
            clock: clock, brands: [runtime("salon"), runtime("jobs")], channel: FeedChannel(),
            routes: { store, _ in SessionRoutes(store: store).routes }, body)
    }

    private static func open(_ server: LocalServer, _ brand: String, _ name: String = "web") async throws -> Visit {
        let visit = try await VisitorDesk(store: server.store, registry: server.registry).open(
            VisitRequest(proof: .guest(resumeSecret: nil)), at: instance(brand, name))
        try await server.store.brand(BrandID(rawValue: brand)).write {
            _ = try $0.append([StreamingUpdate(.actionLookup, at: $0.now)], session: visit.session)
        }
        return visit
    }

    private static func ask(
        _ server: LocalServer, _ session: SessionID, _ bearer: String?, path: String = "streaming-updates"
    ) async throws -> Int {
        let answer = try await server.get(
            "/v1/sessions/\(session)/\(path)", headers: bearer.map { ["Authorization: Bearer \($0)"] } ?? [])
        if answer.contains("action_lookup") { #expect(answer.hasPrefix("HTTP/1.1 200")) }
        return Int(answer.dropFirst(9).prefix(3)) ?? 0
    }

    @Test func aVisitorSeesTheUpdatesOfTheOwnSessionOnly() async throws {
        try await Self.with { server in
            let mine = try await Self.open(server, "salon")
            let others = [
                try await Self.open(server, "salon"), try await Self.open(server, "salon", "app"), try await Self.open(server, "jobs"),
            ]
            #expect(try await Self.ask(server, mine.session, mine.token) == 200)
            for other in others {
                #expect(try await Self.ask(server, other.session, mine.token) == 404)
                #expect(try await Self.ask(server, mine.session, other.token) == 404)
                #expect(try await Self.ask(server, other.session, other.token) == 200)
            }
        }
    }

    @Test func keysWorkAsBeforeAndNothingElseDoes() async throws {
        try await Self.with { server in
            let visit = try await Self.open(server, "salon")
            #expect(try await Self.ask(server, visit.session, Self.key("salon")) == 200)
            #expect(try await Self.ask(server, visit.session, Self.key("jobs")) == 404)
            #expect(try await Self.ask(server, visit.session, "operator-key-of-tests") == 403)
            let secret = try #require(visit.resumeSecret)
            for bad in [nil, "", "x", secret, visit.token + "A", String(repeating: "A", count: 43), visit.user.id.description] {
                #expect(try await Self.ask(server, visit.session, bad) == 401, "\(bad ?? "no key")")
            }
        }
    }

    @Test func aVisitorsTokenOpensNoOtherRoute() async throws {
        try await Self.with { server in
            let visit = try await Self.open(server, "salon")
            for path in ["messages", "intents", ""] {
                #expect(try await Self.ask(server, visit.session, visit.token, path: path) == 401, "/\(path)")
            }
            let list = try await server.get("/v1/sessions", headers: ["Authorization: Bearer \(visit.token)"])
            #expect(list.hasPrefix("HTTP/1.1 401"))
        }
    }

    @Test func anExpiredTokenIsNoKey() async throws {
        let clock = ControlledClock()
        try await Self.with(clock: clock) { server in
            let visit = try await Self.open(server, "salon")
            clock.advance(by: VisitorDesk.tokenLife)
            #expect(try await Self.ask(server, visit.session, visit.token) == 401)
        }
    }
}
