import Conversation
import Foundation
import JSON
import Testing

/// One of the sandbox's ticket systems as the salon's desk: told by its webhooks, or asked.
struct StandInDesk: Sendable, CustomTestStringConvertible {
    enum System: String, Sendable { case zendesk, freshdesk }

    static let id = "front"
    static let zendesk = StandInDesk(system: .zendesk, hasWebhook: true)
    static let polledZendesk = StandInDesk(system: .zendesk, hasWebhook: false)
    static let freshdesk = StandInDesk(system: .freshdesk, hasWebhook: true)
    static let polledFreshdesk = StandInDesk(system: .freshdesk, hasWebhook: false)
    /// The gateway's own account.
    private static let account = "gateway@salon.example"

    let system: System
    let hasWebhook: Bool
    /// How often the system is asked. One that calls is asked when it does.
    var interval: Int { hasWebhook ? 600 : 1 }

    var testDescription: String { "\(system.rawValue), \(hasWebhook ? "with webhooks" : "asked")" }

    /// A rig whose salon works in this desk.
    func with(starts: Bool = true, jobs: Bool = false, interval: Int? = nil, _ body: (Rig) async throws -> Void) async throws {
        let names = ["SALON_DESK_TOKEN", "SALON_DESK_SECRET", "JOBS_DESK_SECRET"]
        var options = Rig.Options(environment: Dictionary(uniqueKeysWithValues: names.map { ($0, "test-\($0)-\(UUID())") }))
        options.startsGateway = false
        try await Rig.with(options) { rig in
            try write(rig, brand: "salon", id: Self.id, interval ?? self.interval)
            if jobs { try write(rig, brand: "jobs", id: "jobs-\(Self.id)", interval ?? self.interval) }
            try await configure(rig, brand: "salon", id: Self.id)
            if starts { try await rig.startGateway() }
            try await body(rig)
        }
    }

    private func write(_ rig: Rig, brand: String, id: String, _ interval: Int) throws {
        var lines = [
            "channel: ticket", "desk:", "  id: \(id)", "  kind: \(system.rawValue)", "  base_url: \"\(rig.sandboxURL)\(path)\"",
            "  token: \"${SALON_DESK_TOKEN}\"", "  poll_interval_s: \(interval)", "  allow_private_addresses: [\"127.0.0.1\"]",
        ]
        if system == .zendesk { lines.append("  user: \(Self.account)") }
        if hasWebhook { lines.append("  webhook_secret: \"${\(brand.uppercased())_DESK_SECRET}\"") }
        let file = rig.config + "/brands/\(brand)/handover.yaml"
        try (lines.joined(separator: "\n") + "\n").write(toFile: file, atomically: true, encoding: .utf8)
    }

    /// From now on the system calls that desk of the gateway, with that brand's secret.
    func configure(_ rig: Rig, brand: String, id: String) async throws {
        var fields: [String: JSONValue] = ["system": .string(system.rawValue), "desk": .string(id)]
        fields["token"] = JSONValue(rig.environment["SALON_DESK_TOKEN"])
        if system == .zendesk { fields["user"] = .string(Self.account) }
        if hasWebhook { fields["secret"] = JSONValue(rig.environment["\(brand.uppercased())_DESK_SECRET"]) }
        let answer = try await rig.send(
            "PUT", rig.sandboxURL + "/_sandbox/desk", headers: [(name: "Content-Type", value: "application/json")],
            body: CanonicalJSON.bytes(.object(fields)))
        try #require(answer.status == 200, "\(answer.text)")
    }

    // MARK: Addresses

    /// Of the system's root, below the sandbox.
    var path: String { "/desk/\(system.rawValue)" }
    /// Where tickets are created, read and written.
    var ticketPath: String { path + "/api/v2/tickets" }
    /// How something is added to a ticket.
    var writing: String { system == .zendesk ? "PUT" : "POST" }

    /// Every request that asked for a new ticket, oldest first.
    func openings(_ rig: Rig) async throws -> [JSONValue] {
        try await rig.arrived(ticketPath, method: "POST").filter {
            [ticketPath, ticketPath + ".json"].contains($0["path"]?.string ?? "")
        }
    }

    // MARK: Looking and acting

    func tickets(_ rig: Rig) async throws -> [JSONValue] {
        try await rig.get(rig.sandboxURL + "/_sandbox/desk?system=\(system.rawValue)").json["tickets"]?.array ?? []
    }

    /// What stands in the first ticket, the opening first.
    func entries(_ rig: Rig) async throws -> [JSONValue] { try await tickets(rig).first?["entries"]?.array ?? [] }

    /// What the customer said since the ticket was opened, without the marks.
    func said(_ rig: Rig) async throws -> [String] {
        try await entries(rig).dropFirst().filter { $0["staff"] == false }.map { entry in
            let text = (entry["text"]?.string ?? "").replacing("<br>", with: "\n")
            return (text.firstRange(of: "[sb:").map { String(text[..<$0.lowerBound]) } ?? text)
                .trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }

    func wait(for words: String, _ rig: Rig, within limit: Duration = patience) async throws {
        try await eventually("\"\(words)\" in the ticket", within: limit) { try await said(rig).contains(words) }
    }

    /// Waits until the brand's newest handover has its ticket.
    func opened(_ rig: Rig, brand: String = "salon", within limit: Duration = patience) async throws -> (id: String, ticket: String) {
        var shown: JSONValue?
        try await eventually("a ticket", within: limit) {
            shown = try await rig.handovers(brand).first
            return shown?["ticket_id"]?.string != nil
        }
        return (try #require(shown?["id"]?.string), try #require(shown?["ticket_id"]?.string))
    }

    /// One of the brand's people does something; what the gateway answered to each call that the system made of it.
    @discardableResult func act(_ deed: [String: JSONValue], on ticket: String, _ rig: Rig) async throws -> [JSONValue] {
        let order = deed.merging(["system": .string(system.rawValue), "ticket": .string(ticket)]) { $1 }
        let answer = try await rig.post(rig.sandboxURL + "/_sandbox/desk", .object(order))
        try #require(answer.status == 200, "\(answer.text)")
        return answer.json["gateway"]?.array ?? []
    }
}
