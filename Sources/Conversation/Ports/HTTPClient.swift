/// Outbound HTTP. Implemented over libcurl in `HTTPCalls`.
package protocol HTTPClient: Sendable {
    /// Never throws: whatever happened is in the result. Cancelling the task aborts the transfer.
    func call(_ call: HTTPCall) async -> HTTPResult
}

package struct HTTPCall: Sendable {
    package var method: String
    /// Absolute, already encoded.
    package var url: String
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]?
    /// From start to last byte.
    package var timeout: Duration
    /// Decoded bytes of the answer.
    package var maxResponseBytes: Int
    /// Connections are shared only within a pool: a brand's id, or a channel app's name.
    package var pool: String
    /// Calls at once in this pool; further ones wait.
    package var maxConcurrent: Int
    package var allowPrivateAddresses: [AddressRule]
    /// What the call is for, the same for every attempt at it; nil when it is made once.
    package var subject: String?

    package init(
        method: String, url: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil, timeout: Duration = .seconds(30),
        maxResponseBytes: Int = 262_144, pool: String, maxConcurrent: Int = 64, allowPrivateAddresses: [AddressRule] = [],
        subject: String? = nil
    ) {
        self.subject = subject
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.maxResponseBytes = maxResponseBytes
        self.pool = pool
        self.maxConcurrent = maxConcurrent
        self.allowPrivateAddresses = allowPrivateAddresses
    }
}

package enum HTTPResult: Sendable {
    case answer(HTTPAnswer)
    case failed(HTTPFailure)
}

package struct HTTPAnswer: Sendable {
    package var status: Int
    /// Names in lower case, in the order they came.
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]

    package init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}

package struct HTTPFailure: Error, Sendable, Hashable {
    package enum Kind: String, Sendable, Codable {
        /// The URL, a header or the method cannot be sent.
        case invalidRequest = "invalid_request"
        case resolve, connect, tls
        /// The resolved address is private and no rule opens it.
        case forbiddenAddress = "forbidden_address"
        case timeout
        case tooLarge = "too_large"
        case reset
        /// A dead reused connection; the second pass was not let through.
        case secondPass = "second_pass"
        case cancelled
        case protocolError = "protocol_error"
        /// Not tried: the other side failed so often lately that calls to it wait.
        case breakerOpen = "breaker_open"
    }

    package var kind: Kind
    /// Whether any byte of the request may have reached the other side.
    package var mayHaveBeenSent: Bool
    package var detail: String

    package init(kind: Kind, mayHaveBeenSent: Bool, detail: String) {
        self.kind = kind
        self.mayHaveBeenSent = mayHaveBeenSent
        self.detail = detail
    }
}

/// An IP or CIDR, optionally with a port, that an endpoint may reach although it is private. Matched to the resolved address.
package struct AddressRule: Sendable, Hashable, CustomStringConvertible {
    /// 16 bytes; IPv4 as IPv4-mapped.
    package let network: [UInt8]
    /// 0 to 128.
    package let prefix: Int
    package let port: Int?
    package let description: String

    /// Trusts its caller: `HTTPCalls` and `Configuration` make rules from text.
    package init(network: [UInt8], prefix: Int, port: Int?, description: String) {
        self.network = network
        self.prefix = prefix
        self.port = port
        self.description = description
    }
}
