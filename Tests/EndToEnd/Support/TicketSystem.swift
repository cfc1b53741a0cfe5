import Conversation
import Foundation
import JSON
import Signing
import Synchronization
import TestKit

/// A ticket system that speaks the generic webhook, strictly: a call whose signature is wrong is refused, and each opening is counted.
final class TicketSystem: Sendable {
    struct State {
        /// Reference → ticket.
        var tickets: [String: String] = [:]
        var openings: [JSONValue] = []
        /// By id: told twice, shown once.
        var entries: [JSONValue] = []
        var closings: [JSONValue] = []
        /// What `ticket.changes` tells of every ticket; nil for a system that does not offer it.
        var changes: JSONValue?
        var refused = 0
        var isDown = false
    }

    static let id = "front"
    let secret = Secret("whsec_" + Base64.encode((0..<32).map { _ in UInt8.random(in: 0...255) }))
    private let state = Mutex(State())
    private let server: Mutex<ScriptedServer?> = Mutex(nil)
    private let signer: StandardWebhooks

    init() throws {
        signer = try StandardWebhooks(secrets: [secret])
        let started = try ScriptedServer { [weak self] request in [self?.answer(request) ?? .close] }
        server.withLock { $0 = started }
    }

    func stop() { server.withLock { $0 }?.stop() }

    var now: State { state.withLock { $0 } }
    var url: String { server.withLock { $0 }?.url("/hook") ?? "" }
    var port: Int { server.withLock { $0 }?.port ?? 0 }
    func set(isDown: Bool) { state.withLock { $0.isDown = isDown } }
    func set(changes: JSONValue?) { state.withLock { $0.changes = changes } }

    private func answer(_ request: ScriptedRequest) -> ScriptedStep {
        state.withLock { state in
            if state.isDown { return .answer(503, "down") }
            let isProven = signer.verifies(
                id: request.header("webhook-id") ?? "", timestamp: request.header("webhook-timestamp") ?? "",
                signature: request.header("webhook-signature") ?? "", body: request.body, now: SystemClock().now)
            guard isProven else {
                state.refused += 1
                return .answer(401, "bad signature")
            }
            return Self.take((try? JSONValue(parsing: request.body)) ?? .null, &state)
        }
    }

    private static func take(_ call: JSONValue, _ state: inout State) -> ScriptedStep {
        switch call["event"]?.string {
        case "ticket.find":
            return .answer(200, CanonicalJSON.text(["ticket": JSONValue(state.tickets[call["reference"]?.string ?? ""])]))
        case "ticket.changes": return state.changes.map { .answer(200, CanonicalJSON.text($0)) } ?? .answer(422, "{}")
        case "ticket.opened":
            state.openings.append(call)
            let ticket = "T-\(state.openings.count)"
            state.tickets[call["reference"]?.string ?? ""] = ticket
            return .answer(201, "{\"ticket\":\"\(ticket)\",\"url\":\"http://desk.invalid/\(ticket)\"}")
        case "ticket.entry":
            if let entry = call["entry"], !state.entries.contains(where: { $0["id"] == entry["id"] }) { state.entries.append(entry) }
            return .answer(200, "{}")
        case "ticket.closed":
            state.closings.append(call)
            return .answer(200, "{}")
        default: return .answer(422, "{}")
        }
    }

    /// Tells the gateway something, proven unless a signature is given.
    func tell(
        _ fields: [String: JSONValue], _ rig: Rig, desk: String = TicketSystem.id, signature: String? = nil
    ) async throws -> Answer {
        let body = CanonicalJSON.bytes(.object(fields))
        var headers = signer.headers(id: "ev-\(UUID().uuidString)", at: SystemClock().now, body: body)
        if let signature { headers = headers.map { $0.name == "webhook-signature" ? (name: $0.name, value: signature) : $0 } }
        return try await rig.send("POST", "\(rig.gatewayURL)/webhooks/tickets/\(desk)", headers: headers, body: body)
    }

    func reply(_ text: String, id: String, ticket: String = "T-1", _ rig: Rig) async throws -> Answer {
        try await tell(
            ["id": .string(id), "event": "reply", "ticket": .string(ticket), "text": .string(text), "author": "front desk"], rig)
    }

    func close(id: String, ticket: String = "T-1", _ rig: Rig) async throws -> Answer {
        try await tell(["id": .string(id), "event": "closed", "ticket": .string(ticket)], rig)
    }
}
