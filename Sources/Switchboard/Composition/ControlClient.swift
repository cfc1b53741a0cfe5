import Conversation
import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// Asks the running gateway over its control socket; opens the store itself only when it gets the lock.
struct ControlClient {
    let options: ServeOptions

    /// Throws `StartProblem` when neither a gateway answers nor the store can be opened.
    func ask(method: String, path: String, query: [String: String]) async throws -> (status: Int, body: JSONValue) {
        let target = query.isEmpty ? path : path + "?" + query.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: "&")
        if let answer = try askRunning(method, target) { return answer }
        guard FileManager.default.fileExists(atPath: options.data) else {
            throw StartProblem("there is no data directory \(options.data); give --data the gateway's folder")
        }
        let gateway = try await GatewayProcess(options: options, environment: Configuration.environment, metrics: PrometheusMetrics())
        let response = await ControlDesk(desks: gateway.desks).answer(method: method, path: path, query: query)
        await gateway.close()
        return (response.status, try Self.decode(response.body))
    }

    /// Asks the gateway that runs; nil when nobody listens.
    func askRunning(_ method: String, _ target: String) throws -> (Int, JSONValue)? {
        let path = options.data + "/control.sock"
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { throw StartProblem("cannot make a socket: \(String(cString: strerror(errno)))") }
        defer { Glibc.close(socket) }
        guard connect(socket, to: path) else { return nil }
        try send("\(method) \(target) HTTP/1.1\r\nHost: control\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", on: socket)
        return try parse(receive(from: socket))
    }

    private func connect(_ socket: Int32, to path: String) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard path.utf8.count < room else { return false }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8) + [0]) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }

    private func send(_ text: String, on socket: Int32) throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { throw StartProblem("the gateway hung up") }
            rest = rest.dropFirst(count)
        }
    }

    private func receive(from socket: Int32) throws -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(socket, &buffer, buffer.count, 0)
            guard count >= 0 else { throw StartProblem("the gateway hung up: \(String(cString: strerror(errno)))") }
            if count == 0 { return all }
            all += buffer[..<count]
        }
    }

    private func parse(_ bytes: [UInt8]) throws -> (Int, JSONValue) {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n"), let status = text.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            throw StartProblem("the gateway answered something that is not HTTP")
        }
        return (status, try Self.decode(Array(text[end.upperBound...].utf8)))
    }

    private static func decode(_ body: [UInt8]) throws -> JSONValue {
        do {
            return try JSONDecoder().decode(JSONValue.self, from: Data(body))
        } catch {
            throw StartProblem("the gateway answered something that is not JSON")
        }
    }
}
