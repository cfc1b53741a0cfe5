import Conversation
import Gateway
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Storage
import TestKit

@testable import Switchboard

/// The server with routes of a test's own, on a free port of loopback.
struct LocalServer {
    let port: Int
    let store: Store
    let registry: Registry
    private let group: ServiceGroup

    static func with(
        clock: any WallClock = SystemClock(), brands: [BrandRuntime] = [], channel: (any Conversation.Channel)? = nil,
        absence: String? = nil, routes: @escaping (Store, Registry) -> [APIRoute],
        _ body: @escaping @Sendable (LocalServer) async throws -> Void
    ) async throws {
        try await TemporaryStore.with(clock: clock) { store in
            let registry = Registry(clock: clock)
            if let channel { registry.add(channel: channel) }
            registry.replace(brands: brands, descriptors: [])
            let logger = Logger(label: "test")
            let http = HTTPServer(
                routes: routes(store, registry),
                keys: KeyRing(
                    registry: registry, visitors: VisitorDesk(store: store, registry: registry),
                    operatorKey: Secret("operator-key-of-tests")), ids: SystemIDs(), requestKeys: RequestKeys(store: store),
                requestTimeout: .seconds(15), logger: logger, absence: absence)
            let (ports, found) = AsyncStream<Int>.makeStream(bufferingPolicy: .bufferingNewest(1))
            let application = Application(
                router: http.router(), configuration: .init(address: .hostname("127.0.0.1", port: 0)),
                onServerRunning: { found.yield($0.localAddress?.port ?? 0) }, logger: logger)
            let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: [application], logger: logger))
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                for await port in ports {
                    try await body(LocalServer(port: port, store: store, registry: registry, group: group))
                    break
                }
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        }
    }

    func shutDown() async { await group.triggerGracefulShutdown() }

    /// Sends `text` on a connection of its own and hands over what comes back, which is read only as fast as `work` asks for it.
    func connect<Result: Sendable>(
        _ text: String, _ work: @Sendable (inout Incoming) async throws -> Result
    ) async throws -> Result {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: text))
            var incoming = Incoming(iterator: inbound.makeAsyncIterator())
            return try await work(&incoming)
        }
    }

    /// A whole exchange; the answer as it stood on the wire.
    func get(_ path: String, headers: [String] = [], method: String = "GET") async throws -> String {
        let lines = ["\(method) \(path) HTTP/1.1", "Host: localhost", "Connection: close"] + headers
        return try await connect(lines.joined(separator: "\r\n") + "\r\n\r\n") { try await $0.rest() }
    }

    static func request(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n" }
}

/// What a server says, bit by bit.
struct Incoming {
    var iterator: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    var text = ""

    /// Reads until `mark` was said; false when the connection ended first.
    mutating func waits(for mark: String) async throws -> Bool {
        while !text.contains(mark) {
            guard let bytes = try await iterator.next() else { return false }
            text += String(buffer: bytes)
        }
        return true
    }

    /// All that comes until the other side closes.
    mutating func rest() async throws -> String {
        do {
            while let bytes = try await iterator.next() { text += String(buffer: bytes) }
        } catch is IOError {
            // A reset is an end too.
            return text
        }
        return text
    }
}
