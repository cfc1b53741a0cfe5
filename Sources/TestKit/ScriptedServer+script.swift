import Dispatch

/// A request as it came over the wire.
package struct ScriptedRequest: Sendable {
    /// The connection it came on: 1 is the first that was accepted.
    package let connection: Int
    /// Its place on that connection: 1 is the first.
    package let place: Int
    /// Request line, headers and body, byte by byte.
    package let raw: [UInt8]
    package let method: String
    /// Path and query, as sent.
    package let target: String
    /// Names in lower case, in the order they came.
    package let headers: [(name: String, value: String)]
    package let body: [UInt8]

    package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
    package var text: String { String(decoding: body, as: UTF8.self) }
}

/// One thing that a scripted server does with a connection.
package enum ScriptedStep: Sendable {
    case send([UInt8])
    /// Sends the same bytes over and over until the other side hangs up.
    case sendForever([UInt8])
    case pause(Duration)
    /// Goes on once a test opens the gate.
    case wait(ScriptedGate)
    /// Tells the test that all before it was done.
    case call(@Sendable () -> Void)
    /// Says nothing more until the other side hangs up.
    case fallSilent
    /// Ends the connection in order (FIN).
    case close
    /// Breaks the connection off (RST).
    case reset
}

extension ScriptedStep: CustomStringConvertible {
    /// Short, because reports name what a test was given, and a step may hold megabytes.
    package var description: String {
        switch self {
        case .send(let bytes): "send \(bytes.count) bytes"
        case .sendForever(let bytes): "send \(bytes.count) bytes over and over"
        case .pause(let duration): "pause for \(duration)"
        case .wait: "wait"
        case .call: "call"
        case .fallSilent: "fall silent"
        case .close: "close"
        case .reset: "reset"
        }
    }
}

extension ScriptedStep {
    package static func send(_ text: String) -> ScriptedStep { .send(Array(text.utf8)) }

    /// A whole answer with its length.
    package static func answer(_ status: Int = 200, headers: [(String, String)] = [], body: [UInt8]) -> ScriptedStep {
        let lines = headers.map { "\($0.0): \($0.1)\r\n" }.joined()
        return .send(Array("HTTP/1.1 \(status) Scripted\r\n\(lines)Content-Length: \(body.count)\r\n\r\n".utf8) + body)
    }

    package static func answer(_ status: Int = 200, headers: [(String, String)] = [], _ body: String = "") -> ScriptedStep {
        answer(status, headers: headers, body: Array(body.utf8))
    }
}

/// Holds scripted servers back until a test opens it; then it stays open.
package final class ScriptedGate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    package init() {}

    package func open() { semaphore.signal() }

    func pass() {
        semaphore.wait()
        semaphore.signal()
    }
}
