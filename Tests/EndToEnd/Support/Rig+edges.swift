import Conversation
import Foundation
import JSON
import Testing

extension Rig {
    /// Gives the rig channel manifests of its own, for tests that edit them.
    func copyChannels() throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: Self.repository + "/channels") {
            let manifest = "/channels/\(name)/channel.yaml"
            guard FileManager.default.fileExists(atPath: Self.repository + manifest) else { continue }
            try FileManager.default.createDirectory(atPath: folder + "/channels/\(name)", withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: Self.repository + manifest, toPath: folder + manifest)
        }
    }

    /// Stops the gateway in an orderly way and starts it again with what the configuration folder now holds.
    func restartGateway(_ extra: [String: String] = [:]) async throws {
        #expect(await stopGateway() == 0)
        try await startGateway(extra)
    }

    /// The options that every command about this rig's gateway needs.
    var deskOptions: [String] { ["--data", data, "--config", config, "--channels", channels] }

    func quarantine() async throws -> [JSONValue] {
        try await get(gatewayURL + "/v1/quarantine", key: operatorKey).json["quarantine"]?.array ?? []
    }

    /// Newest first; of one kind only when it is given.
    func deadLetters(_ brand: String, kind: String? = nil) async throws -> [JSONValue] {
        let all = try await get(gatewayURL + "/v1/dead-letters", key: adminKey(brand)).json["dead_letters"]?.array ?? []
        return kind.map { wanted in all.filter { $0["kind"]?.string == wanted } } ?? all
    }

    func sessions(_ brand: String) async throws -> [JSONValue] {
        try await get(gatewayURL + "/v1/sessions", key: adminKey(brand)).json["sessions"]?.array ?? []
    }

    /// From now on the channel refuses every reply for good, so that each becomes a dead letter.
    func refuseReplies() async throws {
        try await fault(["path": "/graph", "status": 400, "body": ["error": ["message": "Undeliverable", "type": "OAuthException", "code": 131_026]]])
    }

    /// Every message of a brand that came in, of all its sessions.
    func inbound(_ brand: String) async throws -> [JSONValue] {
        var all: [JSONValue] = []
        for session in try await sessions(brand) {
            let id = session["id"]?.string ?? ""
            let messages = try await get("\(gatewayURL)/v1/sessions/\(id)/messages?limit=200", key: adminKey(brand)).json["messages"]?.array ?? []
            all += messages.filter { $0["direction"] == "in" }
        }
        return all
    }

    /// Memory of the gateway's process that is in RAM, in bytes.
    func gatewayMemory() throws -> Int {
        let id = try #require(gateway?.processIdentifier)
        let status = try String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
        return try #require(Int(line.split(whereSeparator: { !$0.isNumber }).first ?? "")) * 1024
    }

    /// The statuses and the identifying header of an answer that every route must give.
    func expectProblem(_ answer: Answer, _ status: Int, _ what: Comment, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(answer.status == status, what, sourceLocation: sourceLocation)
        #expect(answer.header("Content-Type") == "application/problem+json", what, sourceLocation: sourceLocation)
        #expect(answer.json["status"] == .integer(Int64(status)) && answer.json["title"]?.string?.isEmpty == false, what, sourceLocation: sourceLocation)
        #expect(answer.header("X-Request-Id").flatMap { UniqueID($0) } != nil, what, sourceLocation: sourceLocation)
    }

    /// Permission bits of a file, such as 0o600.
    static func mode(_ path: String) throws -> Int {
        try #require(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }
}
