#if Sandbox
    import Conversation
    import HTTPCalls
    import JSON

    /// The controls of the stand-ins, over HTTP on loopback.
    struct SandboxAPI: Sendable {
        let port: Int
        let client: CurlClient

        func get(_ target: String) async throws -> JSONValue { try await send("GET", target, nil) }

        /// The answer's body. Throws `DriverError` for anything but a 2xx with JSON.
        func send(_ method: String, _ target: String, _ body: JSONValue?) async throws -> JSONValue {
            let call = HTTPCall(
                method: method, url: "http://127.0.0.1:\(port)\(target)", headers: [(name: "Content-Type", value: "application/json")],
                body: body.map(CanonicalJSON.bytes), maxResponseBytes: 64 << 20, pool: "converse",
                allowPrivateAddresses: [try AddressRule(parsing: "127.0.0.1")])
            switch await client.call(call) {
            case .answer(let answer) where (200..<300).contains(answer.status): return try JSONValue(parsing: answer.body)
            case .answer(let answer):
                let words = String(decoding: answer.body, as: UTF8.self)
                throw DriverError(description: "the sandbox answered \(answer.status) to \(method) \(target): \(words)")
            case .failed(let failure):
                throw DriverError(description: "the sandbox did not answer \(method) \(target): \(failure.kind.rawValue) \(failure.detail)")
            }
        }
    }
#endif
