package import Conversation
internal import Signing

/// Calls to the brand's own API, as every one of them is made.
extension BrandConfiguration {
    /// `target` is path and query, encoded. Signed when there is a body.
    package func call(
        method: String, target: String, body: [UInt8]? = nil, timeout: Duration, headers: [(name: String, value: String)] = [],
        subject: String? = nil
    ) -> HTTPCall {
        var all = headers
        all.append((name: "Accept", value: "application/json"))
        if body != nil { all.append((name: "Content-Type", value: "application/json")) }
        switch api.auth {
        case .none: break
        case .bearer(let token): all.append((name: "Authorization", value: "Bearer \(token.reveal())"))
        case .basic(let user, let password):
            all.append((name: "Authorization", value: "Basic \(Base64.encode(Array("\(user):\(password.reveal())".utf8)))"))
        case .header(let name, let value): all.append((name: name, value: value.reveal()))
        }
        return HTTPCall(
            method: method, url: Self.join(api.baseURL, target), headers: all, body: body, timeout: timeout, pool: Self.pool(of: id),
            maxConcurrent: api.maxConcurrent, allowPrivateAddresses: api.allowPrivateAddresses, subject: subject)
    }

    /// The pool of a brand's own calls.
    package static func pool(of id: BrandID) -> String { "brand:\(id)" }

    private static func join(_ base: String, _ target: String) -> String {
        (base.hasSuffix("/") ? String(base.dropLast()) : base) + (target.hasPrefix("/") ? target : "/" + target)
    }
}

extension BrandRuntime {
    func call(
        method: String, target: String, body: [UInt8]? = nil, timeout: Duration, headers: [(name: String, value: String)] = [],
        subject: String? = nil
    ) -> HTTPCall {
        configuration.call(method: method, target: target, body: body, timeout: timeout, headers: headers, subject: subject)
    }
}
