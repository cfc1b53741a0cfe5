import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A remote system that does exactly what a test says, fault by fault: a plain TCP server on 127.0.0.1 with blocking sockets, one thread
/// for accepting and one for each connection. It records every request as it came over the wire.
package final class ScriptedServer: Sendable {
    /// What to do once a whole request was read. The connection stays open afterwards unless a step ended it.
    package typealias Script = @Sendable (ScriptedRequest) -> [ScriptedStep]

    /// What has happened so far.
    package struct Log: Sendable {
        /// In the order in which they were complete.
        package fileprivate(set) var requests: [ScriptedRequest] = []
        /// Connections accepted, whether a request came or not.
        package fileprivate(set) var accepted = 0
        /// Connections that are over.
        package fileprivate(set) var ended = 0
        /// Whether the port is closed.
        package fileprivate(set) var isClosed = false
    }

    private struct Waiter {
        var holds: @Sendable (Log) -> Bool
        var continuation: CheckedContinuation<Log, Never>
    }

    private struct State {
        var log = Log()
        var waiters: [Waiter] = []
        var open: Set<Int32> = []
        var isStopped = false
    }

    /// The port it listens on, chosen by the system.
    package let port: Int
    private let listener: Int32
    private let script: Script
    private let greeting: [ScriptedStep]
    private let state = Mutex(State())

    /// - Parameters:
    ///   - greeting: done on each new connection before anything is read.
    ///   - script: called on the connection's thread.
    package init(greeting: [ScriptedStep] = [], script: @escaping Script) throws {
        let (socket, port) = try Self.listen()
        listener = socket
        self.port = port
        self.greeting = greeting
        self.script = script
        Thread.detachNewThread { [self] in acceptAll() }
    }

    /// `http://127.0.0.1:<port>` and the path given.
    package func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }

    package var log: Log { state.withLock { $0.log } }
    package var requests: [ScriptedRequest] { log.requests }

    /// Returns as soon as what has happened satisfies `condition`.
    @discardableResult
    package func until(_ condition: @escaping @Sendable (Log) -> Bool) async -> Log {
        await withCheckedContinuation { continuation in
            let now = state.withLock { state -> Log? in
                if condition(state.log) { return state.log }
                state.waiters.append(Waiter(holds: condition, continuation: continuation))
                return nil
            }
            if let now { continuation.resume(returning: now) }
        }
    }

    /// Ends every connection and listens no longer.
    package func stop() {
        state.withLock { state in
            guard !state.isStopped else { return }
            state.isStopped = true
            shutdown(listener, Int32(SHUT_RDWR))
            for socket in state.open { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }

    private func record(_ change: (inout Log) -> Void) {
        let (log, satisfied) = state.withLock { state -> (Log?, [CheckedContinuation<Log, Never>]) in
            change(&state.log)
            let satisfied = state.waiters.filter { $0.holds(state.log) }
            guard !satisfied.isEmpty else { return (nil, []) }
            state.waiters.removeAll { $0.holds(state.log) }
            return (state.log, satisfied.map(\.continuation))
        }
        guard let log else { return }
        for continuation in satisfied { continuation.resume(returning: log) }
    }
}

// MARK: Connections

extension ScriptedServer {
    private static func listen() throws -> (socket: Int32, port: Int) {
        #if canImport(Glibc)
            let stream = Int32(SOCK_STREAM.rawValue)
        #else
            let stream = SOCK_STREAM
        #endif
        let listener = socket(AF_INET, stream, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isReady = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && Self.startListening(listener) && getsockname(listener, $0, &length) == 0
            }
        }
        guard isReady else { throw ScriptedServerError(description: "the scripted server cannot listen: errno \(errno)") }
        return (listener, Int(UInt16(bigEndian: address.sin_port)))
    }

    #if canImport(Glibc)
        private static func startListening(_ socket: Int32) -> Bool { Glibc.listen(socket, 1024) == 0 }
    #elseif canImport(Darwin)
        private static func startListening(_ socket: Int32) -> Bool { Darwin.listen(socket, 1024) == 0 }
    #endif

    private func acceptAll() {
        while true {
            let socket = accept(listener, nil, nil)
            guard socket >= 0 else {
                if errno == EINTR || errno == ECONNABORTED { continue }
                break
            }
            guard isTaken(socket) else {
                close(socket)
                break
            }
            var number = 0
            record { log in
                log.accepted += 1
                number = log.accepted
            }
            Thread.detachNewThread { [self, number] in serve(socket, number) }
        }
        close(listener)
        record { $0.isClosed = true }
    }

    private func isTaken(_ socket: Int32) -> Bool {
        state.withLock { state in
            if !state.isStopped { state.open.insert(socket) }
            return !state.isStopped
        }
    }

    private func serve(_ socket: Int32, _ number: Int) {
        var connection = ScriptedConnection(socket: socket, number: number)
        if connection.perform(greeting) {
            while let request = connection.readRequest() {
                record { $0.requests.append(request) }
                guard connection.perform(script(request)) else { break }
            }
        }
        state.withLock { state in
            state.open.remove(socket)
            connection.close()
        }
        record { $0.ended += 1 }
    }
}

package struct ScriptedServerError: Error, Sendable, CustomStringConvertible {
    package let description: String
}
