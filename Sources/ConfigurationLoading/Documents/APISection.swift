import Conversation

/// `api` of `brand.yaml`: the brand's own systems.
struct APISection {
    let entry: Entry
    private static let keys = [
        "base_url", "auth", "signing_secrets", "timeout_s", "max_concurrent", "key_retention_h", "allow_private_addresses",
    ]

    func read() -> BrandAPI? {
        guard let members = entry.members(Self.keys) else { return nil }
        let url = members.required("base_url", "https://…")?.url()
        let secrets = members.required("signing_secrets", "[\"${…}\"]").map { signingSecrets($0) }
        let auth = members["auth"].map { authentication($0) } ?? APIAuthentication.none
        let timeout = members["timeout_s"].map { $0.seconds(upTo: 600) } ?? .seconds(30)
        let concurrent = members["max_concurrent"].map { $0.integer(1...10_000) } ?? 64
        let retention = members["key_retention_h"].map { $0.integer(1...8760) } ?? 24
        let addresses = members["allow_private_addresses"]?.addresses() ?? []
        guard let url, let secrets, let auth, let timeout, let concurrent, let retention else { return nil }
        return BrandAPI(
            baseURL: url, auth: auth, signingSecrets: secrets, timeout: timeout, maxConcurrent: concurrent,
            allowPrivateAddresses: addresses,
            keyRetention: .seconds(3600 * Int64(retention)))
    }

    /// Exactly one of `bearer`, `basic` and `header`.
    private func authentication(_ entry: Entry) -> APIAuthentication? {
        guard let members = entry.members(["bearer", "basic", "header"]) else { return nil }
        guard members.values.count == 1 else {
            entry.problem("names \(members.values.count) ways to sign in", "give one of bearer, basic and header, or leave auth out")
            return nil
        }
        if let bearer = members["bearer"] { return bearer.secret(minimumBytes: 1).map(APIAuthentication.bearer) }
        if let basic = members["basic"]?.members(["user", "password"]) {
            let user = basic.required("user", "…")?.text()
            let password = basic.required("password", "\"${…}\"")?.secret(minimumBytes: 1)
            guard let user, let password else { return nil }
            return .basic(user: user, password: password)
        }
        if let header = members["header"]?.members(["name", "value"]) {
            let name = header.required("name", "X-Api-Key").flatMap { headerName($0) }
            let value = header.required("value", "\"${…}\"")?.secret(minimumBytes: 1)
            guard let name, let value else { return nil }
            return .header(name: name, value: value)
        }
        return nil
    }

    private func headerName(_ entry: Entry) -> String? {
        guard let value = entry.scalar() else { return nil }
        let isToken = !value.text.isEmpty && value.text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_".contains($0)) }
        if isToken { return value.text }
        entry.problem("\"\(value.raw)\" is not a header's name", "use letters, digits and hyphens")
        return nil
    }

    /// Standard Webhooks: `whsec_` is followed by base64, or no library on the other side can verify.
    private func signingSecrets(_ entry: Entry) -> [Secret] {
        let items = entry.items()
        if entry.isSequence, items.isEmpty {
            entry.problem("holds no secret", "list at least one; the first also keys the idempotency keys")
        }
        return items.compactMap { item in
            guard let secret = item.secret(minimumBytes: SecretRule.minimumBytes("signing_secrets")) else { return nil }
            let text = secret.reveal()
            if text.hasPrefix("whsec_"), !Self.isBase64(text.dropFirst("whsec_".count)) {
                item.problem("what follows whsec_ is not base64", "make one with: echo whsec_$(openssl rand -base64 32)")
                return nil
            }
            return secret
        }
    }

    private static func isBase64(_ text: Substring) -> Bool {
        let bytes = Array(text.utf8)
        let padding = bytes.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        let isAlphabet = bytes.dropLast(padding).allSatisfy {
            (65...90).contains($0) || (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "+")
                || $0 == UInt8(ascii: "/")
        }
        return !bytes.isEmpty && bytes.count.isMultiple(of: 4) && padding <= 2 && isAlphabet
    }
}
