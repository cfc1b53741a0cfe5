import Conversation
import Foundation
import JSON
import Signing
import Testing

/// A visitor of a web instance, as its page sees it.
struct Guest: Sendable {
    let instance: String
    let token: String
    let secret: String?
    let session: String
    let user: String

    init(_ answer: Answer, instance: String) throws {
        let json = answer.json
        try #require(answer.status == 201, "a session was answered \(answer.status) \(answer.text)")
        self.instance = instance
        token = try #require(json["token"]?.string)
        secret = json["resume_secret"]?.string
        session = try #require(json["session"]?["id"]?.string)
        user = try #require(json["user"]?["id"]?.string)
    }
}

extension Rig {
    /// The origin of the chat page.
    var origin: String { "http://127.0.0.1:\(gatewayPort)" }

    func web(_ path: String, instance: String = "salon-web") -> String { "\(gatewayURL)/web/\(instance)/\(path)" }

    /// Asks for a session as a page of `origin` would; nil is no page at all.
    func session(
        _ body: JSONValue = [:], instance: String = "salon-web", origin: String?, more: [(name: String, value: String)] = []
    ) async throws -> Answer {
        let headers = (origin.map { [(name: "Origin", value: $0)] } ?? []) + more
        return try await send("POST", web("sessions", instance: instance), headers: headers, body: CanonicalJSON.bytes(body))
    }

    func guest(_ body: JSONValue = [:], instance: String = "salon-web") async throws -> Guest {
        try Guest(try await session(body, instance: instance, origin: origin), instance: instance)
    }

    /// Posts a message as it is.
    func post(_ body: JSONValue, _ guest: Guest) async throws -> Answer {
        try await send(
            "POST", web("messages", instance: guest.instance), headers: bearer(guest.token) + [(name: "Origin", value: origin)],
            body: CanonicalJSON.bytes(body))
    }

    /// Writes, and comes again until it is taken, as a page does; the id of the message.
    @discardableResult func write(_ text: String, _ guest: Guest, id: String = UUID().uuidString) async throws -> String {
        let answer = try await post(["request_id": .string(id), "text": .string(text)], guest)
        try #require(answer.status == 202, "\(answer.status) \(answer.text)")
        return try #require(answer.json["message_id"]?.string)
    }

    func press(_ option: String, _ guest: Guest) async throws {
        let answer = try await post(["request_id": .string(UUID().uuidString), "reply": ["id": .string(option)]], guest)
        try #require(answer.status == 202, "\(answer.status) \(answer.text)")
    }

    /// The conversation so far.
    func history(_ guest: Guest, query: String = "?limit=100") async throws -> [JSONValue] {
        let answer = try await get(web("messages" + query, instance: guest.instance), key: guest.token)
        try #require(answer.status == 200, "\(answer.status) \(answer.text)")
        return answer.json["messages"]?.array ?? []
    }

    /// Opens the conversation's live updates, at another node's port if one is given, and waits for the answer's head.
    func stream(_ guest: Guest, _ pages: EventPages, after: Int64? = nil, port: Int? = nil) async throws -> EventPage {
        let page = try pages.open(
            port: port ?? gatewayPort, "/web/\(guest.instance)/events",
            headers: ["Authorization: Bearer \(guest.token)", "Origin: \(origin)"] + (after.map { ["Last-Event-ID: \($0)"] } ?? []))
        try await eventually("the stream is answered", within: .seconds(60)) { page.status != 0 }
        return page
    }

    /// Opens a stream that must be there, and waits until it says from where it goes on.
    func liveStream(_ guest: Guest, _ pages: EventPages, port: Int? = nil) async throws -> EventPage {
        let page = try await stream(guest, pages, port: port)
        try #require(page.status == 200, "\(page.head)")
        try await eventually("the stream says hello", within: .seconds(60)) { page.events.first?.kind == "hello" }
        return page
    }

    /// Runs `body` with readers that are gone afterwards.
    static func withPages<Result>(_ body: (EventPages) async throws -> Result) async throws -> Result {
        let pages = EventPages()
        defer { pages.stop() }
        return try await body(pages)
    }

    /// A token as the brand would sign it; `secret` nil leaves it unsigned.
    static func token(_ claims: JSONValue, algorithm: String = "HS256", secret: String?) -> String {
        let head = CanonicalJSON.bytes(["alg": .string(algorithm), "typ": "JWT"])
        let text = Base64.encodeURL(head) + "." + Base64.encodeURL(CanonicalJSON.bytes(claims))
        guard let secret else { return text + "." }
        return text + "." + Base64.encodeURL(HMACKey(Array(secret.utf8)).authenticationCode(for: Array(text.utf8)))
    }
}

extension EventPage.Event {
    var json: JSONValue { (try? JSONValue(parsing: Array(data.utf8))) ?? .null }
    /// What a message of the other side says; nil for anything else.
    var reply: String? {
        guard kind == "message", json["direction"] == "out" else { return nil }
        return json["content"]?["text"]?.string
    }
}

extension EventPage {
    /// Waits for a reply with these words, however many others come before.
    @discardableResult func reply(with words: String, within limit: Duration = patience) async throws -> Event {
        var found: Event?
        do {
            try await eventually("a reply with \"\(words)\"", within: limit) {
                found = self.events.first { $0.reply?.contains(words) == true }
                return found != nil
            }
        } catch {
            throw Timeout(description: "\(error); there was: \(events.map(\.data))")
        }
        return try #require(found)
    }

    /// Whether the numbers of the events are `first...` one by one.
    func expectGapless(from first: Int64 = 1, sourceLocation: SourceLocation = #_sourceLocation) {
        let ids = numbered.map(\.id)
        #expect(ids == (0..<ids.count).map { first + Int64($0) }, sourceLocation: sourceLocation)
    }
}
