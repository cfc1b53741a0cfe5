import Conversation
import Foundation
import Logging
import ServiceLifecycle
import Signing
import Storage
import Synchronization
import TestKit
import Testing

@testable import Switchboard

struct NodeTests {
    /// Two nodes of one store.
    private func withTwo(_ body: (ControlledClock, WrappedDatabase, [Store]) async throws -> Void) async throws {
        let clock = ControlledClock()
        let path = NSTemporaryDirectory() + "switchboard-nodes-\(UUID().uuidString).sqlite"
        let database = WrappedDatabase(try SQLiteDatabase(path: path), isShared: true)
        let stores = ["node-a", "node-b"].map { Store(database: database, clock: clock, ids: CountingIDs(), node: $0) }
        try await body(clock, database, stores)
        await database.close()
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
    }

    private func beat(_ store: Store, _ readiness: Readiness = Readiness(), lanes: Int = 0) -> NodeBeat {
        NodeBeat(
            store: store, name: "name-of-\(store.node)", role: .all, readiness: readiness, stats: { ["lanes": lanes] },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func states(_ store: Store) async throws -> [String: String] {
        let (nodes, now) = try await store.nodes.list()
        return Dictionary(uniqueKeysWithValues: nodes.map { ($0.id, $0.state(at: now).rawValue) })
    }

    @Test func aNodeThatIsSilentForFifteenSecondsIsLostAndForgottenAfterADay() async throws {
        try await withTwo { (clock, _, stores) async throws in
            let (first, second) = (beat(stores[0], lanes: 3), beat(stores[1]))
            first.listens(on: "127.0.0.1:8080")
            #expect(await first.beat())
            #expect(await second.beat())
            #expect(try await states(stores[1]) == ["node-a": "up", "node-b": "up"])
            clock.advance(by: .seconds(16))
            #expect(await second.beat())
            #expect(try await states(stores[1]) == ["node-a": "lost", "node-b": "up"])
            let lost = try #require(try await stores[1].nodes.list().nodes.first)
            #expect(lost.stats == ["lanes": 3] && lost.address == "127.0.0.1:8080" && lost.schemaVersion == StoreSchema.version)
            second.drain()
            #expect(await second.beat())
            #expect(try await states(stores[0])["node-b"] == "draining")
            clock.advance(by: .seconds(86_400))
            #expect(await second.beat())
            #expect(try await states(stores[0]).keys.sorted() == ["node-b"])
        }
    }

    @Test func aNodeThatStopsInAnOrderlyWaySignsOff() async throws {
        try await withTwo { (clock, _, stores) async throws in
            let node = beat(stores[0])
            let group = ServiceGroup(
                configuration: ServiceGroupConfiguration(services: [node], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
            async let run: Void = group.run()
            // It sleeps once its first sign of life is stored.
            while clock.sleepers == 0 { await Task.yield() }
            #expect(try await states(stores[1]) == ["node-a": "up"])
            await group.triggerGracefulShutdown()
            try await run
            #expect(try await states(stores[1]).isEmpty)
        }
    }

    /// Stopped or cut off, it goes on when it can: whoever did its work meanwhile would have done it twice.
    @Test func theRequestOfANodeThatIsSilentIsLeftToIt() async throws {
        try await withTwo { (clock, _, stores) async throws in
            let (first, second) = (beat(stores[0]), beat(stores[1]))
            #expect(await first.beat())
            let (begun, beginner) = AsyncStream<Void>.makeStream()
            let (gate, opener) = AsyncStream<Void>.makeStream()
            let works = Atomic(0)
            async let slow = Self.ask(stores[0]) {
                beginner.yield()
                for await _ in gate { break }
                works.add(1, ordering: .relaxed)
            }
            for await _ in begun { break }
            for wait in [16, 102] {
                clock.advance(by: .seconds(wait))
                #expect(await second.beat())
                #expect(try await states(stores[1])["node-a"] == "lost")
                #expect(try await Self.ask(stores[1]) { works.add(1, ordering: .relaxed) } == 409)
            }
            opener.yield()
            #expect(try await slow == 201)
            #expect(try await Self.ask(stores[1]) { works.add(1, ordering: .relaxed) } == 201, "and that is its answer now")
            #expect(works.load(ordering: .relaxed) == 1)
        }
    }

    @Test(arguments: [true, false]) func aRequestThatNobodyEndedMayBeMadeAgainAfterTwoMinutes(signsOff: Bool) async throws {
        try await withTwo { (clock, _, stores) async throws in
            #expect(await beat(stores[0]).beat())
            let hash = Digest.sha256(Array("/v1/x".utf8) + [0])
            guard case .new = try await stores[0].brand(Self.brand).write({ try $0.claimRequest(key: "k", bodyHash: hash) }) else {
                Issue.record("the first has it")
                return
            }
            if signsOff { try await stores[0].nodes.remove("node-a") }
            clock.advance(by: .seconds(119))
            #expect(try await Self.ask(stores[1]) {} == 409, "it may be at it still")
            clock.advance(by: .seconds(2))
            #expect(try await Self.ask(stores[1]) {} == 201)
            #expect(try await Self.ask(stores[1]) { Issue.record("it was done") } == 201, "and that is its answer now")
        }
    }

    private static let brand = BrandID(rawValue: "salon")

    /// The status that a node answers the request "k" with; `work` is what it does for it.
    private static func ask(_ store: Store, _ work: () async -> Void) async throws -> Int {
        do {
            return try await RequestKeys(store: store).once("k", brand: brand, path: "/v1/x", body: []) {
                await work()
                return ChannelResponse(status: 201)
            }.status
        } catch let error as APIError {
            return error.status
        }
    }

    @Test func aStoreThatOneProcessOpensHearsOfNobody() async throws {
        try await TemporaryStore.with(.sqlite) { (store) async throws in
            #expect(!store.hasOtherNodes && !store.isShared)
            let routes = NodeRoutes(store: store, own: { [node = beat(store)] in node.record }).routes
            let answer = try await routes[0].handle(Self.request)
            let nodes = try JSONDecoder().decode(JSONValue.self, from: Data(answer.body))["nodes"]?.array ?? []
            #expect(nodes.count == 1 && nodes.first?["id"] == "test" && nodes.first?["state"] == "up")
            #expect(try await store.nodes.list().nodes.isEmpty)
        }
    }

    @Test func theOperatorSeesEveryNode() async throws {
        try await withTwo { (clock, _, stores) async throws in
            let nodes = stores.map { beat($0, lanes: 2) }
            for node in nodes { #expect(await node.beat()) }
            clock.advance(by: .seconds(4))
            #expect(await nodes[0].beat())
            let routes = NodeRoutes(store: stores[0], own: { nodes[0].record }).routes
            #expect(routes.map(\.access) == [.operatorKey] && routes.map(\.path) == ["/v1/nodes"])
            let answer = try await routes[0].handle(Self.request)
            let list = try JSONDecoder().decode(JSONValue.self, from: Data(answer.body))["nodes"]?.array ?? []
            #expect(list.map { $0["id"]?.string } == ["node-a", "node-b"])
            #expect(list.map { $0["answering"] } == [true, false] && list.allSatisfy { $0["lanes"] == 2 })
            #expect(list[0]["uptime_s"] == 4 && list[0]["role"] == "all" && list[0]["version"] == .string(Version.current))
            #expect(list[0]["name"] == "name-of-node-a" && list[0]["since"]?.string?.hasSuffix("Z") == true)
        }
    }

    @Test func readinessEndsOnlyAfterTheSharedStoreWasAwayForAWhile() async throws {
        try await withTwo { (_, database, stores) async throws in
            let readiness = Readiness()
            let node = beat(stores[0], readiness)
            #expect(readiness.obstacle() == "Not ready")
            readiness.isOpen = true
            #expect(await node.beat())
            #expect(readiness.obstacle() == nil)
            database.isAway = true
            #expect(await !node.beat())
            #expect(readiness.obstacle() == nil)
            #expect(readiness.obstacle(at: .now + .seconds(7)) == nil)
            #expect(readiness.obstacle(at: .now + .seconds(9)) == "The store cannot be reached")
            database.isAway = false
            #expect(await node.beat())
            #expect(readiness.obstacle() == nil)
            readiness.isOpen = false
            #expect(readiness.obstacle() == "Not ready")
        }
    }

    @Test func aWorkerSaysWhyItDoesNotServeMore() async throws {
        #expect(NodeRole.worker.absence?.contains("--role worker") == true && NodeRole.all.absence == nil && NodeRole.intake.absence == nil)
        try await LocalServer.with(
            absence: NodeRole.worker.absence,
            routes: { store, _ in NodeRoutes(store: store, own: { beat(store).record }).routes },
            { (server) async throws in
                let answer = try await server.get("/v1/sessions")
                #expect(answer.hasPrefix("HTTP/1.1 404") && answer.contains("ask one of --role intake or all"), "\(answer)")
                #expect(try await server.get("/v1/nodes").hasPrefix("HTTP/1.1 401"))
            })
    }

    private static let request = APIRequest(
        parameters: [:], query: [:], headers: { _ in [] }, body: [], caller: .operatorKey, remoteAddress: nil)
}
