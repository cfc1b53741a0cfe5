import Conversation
import Foundation
import JSON
import Synchronization
import TestKit

@testable import Web

let salon = InstanceID(rawValue: "salon-web")
let brand = BrandID(rawValue: "salon")
let page = "https://salon.example"
let appKey = "app-key-of-the-salon-0001"

func user(_ number: UInt64) -> UserID { UserID(UniqueID(high: 0x0196_0000_0000_7000, low: 0x8000_0000_0000_0000 | number)) }
func messageID(_ number: UInt64) -> MessageID { MessageID(UniqueID(high: 0x0197_0000_0000_7000, low: 0x8000_0000_0000_0000 | number)) }

func guest(_ number: UInt64 = 1) -> Visitor {
    Visitor(brand: brand, instance: salon, user: user(number), identifier: Identifier(kind: .guest, value: "guest-\(number)"))
}

func instance(
    _ id: InstanceID = salon, channel: ChannelName = WebChannel.name, acceptGuests: Bool = true, _ changes: [String: Settings.Value] = [:]
) -> InstanceConfiguration {
    var values: [String: Settings.Value] = [
        "origins": .texts([page, "http://localhost:*"]), "app_keys": .secrets([Secret("another-key-00000001"), Secret(appKey)]),
        "jwt": .group(Settings(["hs256_secret": .secret(Secret("a-secret-of-at-least-thirty-two-bytes"))])),
    ]
    values.merge(changes) { $1 }
    return InstanceConfiguration(id: id, brand: brand, channel: channel, acceptGuests: acceptGuests, settings: Settings(values))
}

/// Hands out the tokens it was told, and keeps who asked.
final class FakeVisitors: Visitors {
    struct Down: Error {}
    private struct State {
        var opened: [VisitRequest] = []
        var tokens: [String: Visitor] = ["good-token": guest(1), "second-token": guest(2)]
        var isDown = false
        var lookups = 0
    }
    private let state = Mutex(State())

    var opened: [VisitRequest] { state.withLock { $0.opened } }
    var lookups: Int { state.withLock { $0.lookups } }
    func set(_ token: String, _ visitor: Visitor?) { state.withLock { $0.tokens[token] = visitor } }
    func setDown(_ isDown: Bool) { state.withLock { $0.isDown = isDown } }

    func open(_ request: VisitRequest, at instance: InstanceConfiguration) async throws -> Visit {
        try state.withLock { state in
            if state.isDown { throw Down() }
            state.opened.append(request)
        }
        let isGuest = if case .guest = request.proof { true } else { false }
        return Visit(
            token: "new-token", resumeSecret: isGuest ? "new-secret" : nil, expiresAt: Timestamp(seconds: 1_800_003_600),
            user: User(id: user(7), tier: isGuest ? "guest" : "verified", isVerified: !isGuest),
            session: SessionID(UniqueID(high: 0x7000, low: 0x8000_0000_0000_0009)))
    }

    func visitor(token: String, at instance: InstanceConfiguration) async throws -> Visitor? {
        try state.withLock { state in
            state.lookups += 1
            if state.isDown { throw Down() }
            return state.tokens[token]
        }
    }
}

/// A feed in memory: adding rings every reader, as the port promises.
final class FakeFeed: ConversationFeed {
    struct Down: Error {}
    private struct State {
        var events: [FeedEvent] = []
        var firstKept: Int64 = 1
        var messages: [FeedMessage] = []
        var readers: [@Sendable (FeedSignal) -> Void] = []
        var typed: [UserID] = []
        var asked: [(after: MessageID?, limit: Int)] = []
        var isDown = false
    }
    private let state = Mutex(State())

    var typed: [UserID] { state.withLock { $0.typed } }
    var asked: [(after: MessageID?, limit: Int)] { state.withLock { $0.asked } }
    func setDown(_ isDown: Bool) { state.withLock { $0.isDown = isDown } }
    func setMessages(_ messages: [FeedMessage]) { state.withLock { $0.messages = messages } }
    func forget(before sequence: Int64) { state.withLock { $0.firstKept = sequence } }

    func add(_ kind: FeedEvent.Kind = .message, _ bodies: JSONValue...) {
        let readers = state.withLock { state in
            for body in bodies {
                state.events.append(FeedEvent(sequence: Int64(state.events.count + 1), kind: kind, body: body))
            }
            return state.readers
        }
        for reader in readers { reader(.changed) }
    }

    func signalTyping() { for reader in state.withLock({ $0.readers }) { reader(.typing) } }

    func events(of visitor: Visitor, after sequence: Int64, limit: Int) async throws -> FeedPage {
        try state.withLock { state in
            if state.isDown { throw Down() }
            if sequence + 1 < state.firstKept { return FeedPage(events: [], isComplete: false) }
            return FeedPage(events: Array(state.events.filter { $0.sequence > sequence }.prefix(limit)), isComplete: true)
        }
    }

    func newest(of visitor: Visitor) async throws -> Int64 {
        try state.withLock { state in
            if state.isDown { throw Down() }
            return Int64(state.events.count)
        }
    }

    func subscribe(to visitor: Visitor, ring: @escaping @Sendable (FeedSignal) -> Void) -> FeedSubscription {
        state.withLock { $0.readers.append(ring) }
        return FeedSubscription {}
    }

    func typing(instance: InstanceConfiguration, user: UserID) { state.withLock { $0.typed.append(user) } }

    func messages(of visitor: Visitor, after: MessageID?, limit: Int) async throws -> [FeedMessage] {
        try state.withLock { state in
            if state.isDown { throw Down() }
            state.asked.append((after, limit))
            return state.messages
        }
    }
}

/// Stores once per provider id.
final class FakeIntake: Intake {
    struct Down: Error {}
    private struct State {
        var webhooks: [VerifiedWebhook] = []
        var ids: [String: MessageID] = [:]
        var isDown = false
        var isUnrouted = false
    }
    private let state = Mutex(State())

    var webhooks: [VerifiedWebhook] { state.withLock { $0.webhooks } }
    var messages: [InboundMessage] {
        webhooks.flatMap(\.items).compactMap { if case .message(let message, _, _) = $0 { message } else { nil } }
    }
    func setDown(_ isDown: Bool) { state.withLock { $0.isDown = isDown } }
    func setUnrouted() { state.withLock { $0.isUnrouted = true } }

    func accept(_ webhook: VerifiedWebhook) async throws -> IntakeReceipt {
        try state.withLock { state in
            if state.isDown { throw Down() }
            state.webhooks.append(webhook)
            if state.isUnrouted { return IntakeReceipt(quarantined: 1) }
            var receipt = IntakeReceipt()
            for case .message(let message, _, _) in webhook.items {
                if let known = state.ids[message.providerID] {
                    receipt.duplicates += 1
                    receipt.messages.append(known)
                } else {
                    let id = messageID(UInt64(state.ids.count + 1))
                    state.ids[message.providerID] = id
                    receipt.accepted += 1
                    receipt.messages.append(id)
                }
            }
            return receipt
        }
    }
}

/// Takes one token; keeps the rules under which it was asked.
final class FakeTokens: TokenReader {
    private struct State {
        var claims: JSONValue = [:]
        var error: TokenError?
        var rules: [TokenRules] = []
    }
    private let state = Mutex(State())

    var rules: [TokenRules] { state.withLock { $0.rules } }
    func setClaims(_ claims: JSONValue) { state.withLock { $0.claims = claims } }
    func setError(_ error: TokenError?) { state.withLock { $0.error = error } }

    func claims(of token: String, rules: TokenRules) async throws -> JSONValue {
        try state.withLock { state in
            state.rules.append(rules)
            if let error = state.error { throw error }
            return state.claims
        }
    }
}

/// The channel between fakes of all its ports.
struct World {
    let visitors = FakeVisitors()
    let feed = FakeFeed()
    let intake = FakeIntake()
    let tokens = FakeTokens()
    let clock = ControlledClock()
    let channel: WebChannel

    init(_ instances: InstanceConfiguration..., name: String? = "Blue Door Salon", maxStreams: Int = 100, maxStreamsPerVisitor: Int = 5) {
        let known = instances.isEmpty ? [instance()] : instances
        channel = WebChannel(
            instances: { id in known.first { $0.id == id } }, visitors: visitors, feed: feed, intake: intake, tokens: tokens, clock: clock,
            brands: { _ in name.map { PageBrand(name: $0, locale: "en-US") } }, maxStreams: maxStreams,
            maxStreamsPerVisitor: maxStreamsPerVisitor)
    }

    /// Goes through the route that is mounted for it, as the server does.
    func call(
        _ method: ChannelRoute.Method, _ path: String, body: [UInt8] = [], origin: String? = page, token: String? = "good-token",
        headers: [String: String] = [:], from address: String? = "203.0.113.7"
    ) async throws -> ChannelResponse {
        var headers = headers
        if let origin { headers["origin"] = origin }
        if let token { headers["authorization"] = "Bearer \(token)" }
        let given = headers
        let parts = path.split(separator: "?", maxSplits: 1)
        var query: [String: String] = [:]
        for pair in parts.dropFirst().first?.split(separator: "&") ?? [] {
            let sides = pair.split(separator: "=", maxSplits: 1)
            query[String(sides[0])] = sides.count > 1 ? String(sides[1]) : ""
        }
        let (route, parameters) = try Self.find(method, String(parts[0]), in: channel.routes)
        return await route.handle(
            ChannelRequest(
                parameters: parameters, query: query, headers: { given[$0].map { [$0] } ?? [] }, body: body, remoteAddress: address))
    }

    func post(
        _ path: String, _ body: JSONValue, origin: String? = page, token: String? = "good-token", from address: String? = "203.0.113.7"
    )
        async throws -> ChannelResponse
    { try await call(.post, path, body: CanonicalJSON.bytes(body), origin: origin, token: token, from: address) }

    func open(_ body: JSONValue = [:], origin: String? = page, from address: String? = "203.0.113.7") async throws -> ChannelResponse {
        try await post("/web/salon-web/sessions", body, origin: origin, token: nil, from: address)
    }

    func say(_ text: String, id: String = "r1", token: String? = "good-token") async throws -> ChannelResponse {
        try await post("/web/salon-web/messages", ["request_id": .string(id), "text": .string(text)], token: token)
    }

    private static func find(_ method: ChannelRoute.Method, _ path: String, in routes: [ChannelRoute]) throws -> (
        ChannelRoute, [String: String]
    ) {
        let given = path.split(separator: "/")
        // Literal segments come before parameters, as routers have it.
        let order = routes.sorted { $0.path.count { $0 == "{" } < $1.path.count { $0 == "{" } }
        for route in order where route.method == method {
            let wanted = route.path.split(separator: "/")
            guard wanted.count == given.count, zip(wanted, given).allSatisfy({ $0.hasPrefix("{") || $0 == $1 }) else { continue }
            var parameters: [String: String] = [:]
            for (name, value) in zip(wanted, given) where name.hasPrefix("{") {
                parameters[String(name.dropFirst().dropLast())] = String(value)
            }
            return (route, parameters)
        }
        throw Missing(what: "\(method) \(path)")
    }
}

struct Missing: Error { let what: String }

extension ChannelResponse {
    var json: JSONValue { get throws { try JSONValue(parsing: body) } }
    var pointers: [String] { get throws { try json["errors"]?.array?.compactMap { $0["pointer"]?.string } ?? [] } }
    var text: String { String(decoding: body, as: UTF8.self) }
}

/// The request bodies of the channel, by file name without ending.
enum Payload {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Payloads")
    static func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: folder.appending(path: "\(name).json"))) }
}
