import Conversation
import Foundation
import Testing

/// Looks into a running gateway as a brand's own people do, and into the store of a stopped one.
extension Rig {
    /// Ids of the sessions of the customer with that phone; newest first.
    func sessions(of phone: String, brand: String = "salon") async throws -> [String] {
        let key = adminKey(brand)
        let all = try await get(gatewayURL + "/v1/sessions?limit=200", key: key).json["sessions"]?.array ?? []
        var found: [String] = []
        for id in all.compactMap({ $0["id"]?.string }) {
            let user = try await get(gatewayURL + "/v1/sessions/\(id)", key: key).json["user"]
            let names = user?["identifiers"]?.array?.compactMap { $0["value"]?.string } ?? []
            if names.contains("+" + phone) || names.contains(phone) { found.append(id) }
        }
        return found
    }

    /// Messages of a session, oldest first.
    func messages(session: String, brand: String = "salon") async throws -> [JSONValue] {
        try await get(gatewayURL + "/v1/sessions/\(session)/messages?limit=200", key: adminKey(brand)).json["messages"]?.array ?? []
    }

    /// The reply with that id, as the gateway shows it.
    func outbound(_ reference: String, session: String, brand: String = "salon") async throws -> JSONValue? {
        try await messages(session: session, brand: brand).first { $0["id"]?.string == reference }
    }

    func deadLetters(_ brand: String = "salon") async throws -> [JSONValue] {
        try await get(gatewayURL + "/v1/dead-letters", key: adminKey(brand)).json["dead_letters"]?.array ?? []
    }

    func handovers(_ brand: String = "salon", state: String? = nil) async throws -> [JSONValue] {
        let query = state.map { "?state=\($0)" } ?? ""
        return try await get(gatewayURL + "/v1/handovers" + query, key: adminKey(brand)).json["handovers"]?.array ?? []
    }

    /// A delivery that holds one status of a reply.
    static func status(
        _ status: String, of providerID: String, reference: String?, to phone: String, account: String = Rig.salonNumber,
        at: Timestamp = SystemClock().now
    ) -> [UInt8] {
        var item: [String: JSONValue] = [
            "id": .string(providerID), "status": .string(status), "timestamp": .string("\(at.milliseconds / 1000)"),
            "recipient_id": .string(phone),
        ]
        if status == "failed" { item["errors"] = [["code": 131_026, "title": "Message undeliverable"]] }
        item["biz_opaque_callback_data"] = reference.map(JSONValue.string)
        return delivery([(account: account, value: ["statuses": [.object(item)]])])
    }

    /// Runs a system program; throws with what it said when it does not succeed.
    static func system(_ path: String, _ arguments: [String]) async throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        let pipe = Pipe()
        process.standardError = pipe
        try process.run()
        while process.isRunning { try await Task.sleep(for: .milliseconds(10)) }
        guard process.terminationStatus == 0 else {
            let said = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            throw Timeout(description: "\(path) \(arguments.joined(separator: " ")): \(said)")
        }
    }
}
