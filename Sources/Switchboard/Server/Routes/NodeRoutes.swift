import Conversation
import Storage

/// The nodes of the installation, with the operator's key.
struct NodeRoutes: Sendable {
    let store: Store
    /// This node as it is now.
    let own: @Sendable () -> NodeRecord

    var routes: [APIRoute] {
        [
            APIRoute(method: "GET", path: "/v1/nodes", access: .operatorKey, summary: "The nodes of this installation, oldest first") { _ in
                try await list()
            }
        ]
    }

    private func list() async throws -> ChannelResponse {
        let own = own()
        guard store.hasOtherNodes else { return Self.answer([own], now: own.seenAt, own: own.id) }
        let (nodes, now) = try await store.nodes.list()
        return Self.answer(nodes, now: now, own: own.id)
    }

    private static func answer(_ nodes: [NodeRecord], now: Timestamp, own: String) -> ChannelResponse {
        .json(["nodes": .array(nodes.map { $0.json(now: now, isOwn: $0.id == own) })])
    }
}

extension NodeRecord {
    func json(now: Timestamp, isOwn: Bool) -> JSONValue {
        [
            "id": .string(id), "name": .string(name), "role": .string(role), "state": .string(state(at: now).rawValue),
            "version": .string(version), "schema_version": .integer(Int64(schemaVersion)), "address": JSONValue(address),
            "since": .string(startedAt.description), "uptime_s": .integer(max(0, (seenAt - startedAt).components.seconds)),
            "seen_at": .string(seenAt.description), "lanes": .integer(Int64(stats["lanes"] ?? 0)),
            "streams": .integer(Int64(stats["streams"] ?? 0)), "answering": .bool(isOwn),
        ]
    }
}
