/// Where NATS is and how its streams are to be, as `--bus` says it:
/// `nats://[user:password@|token@]host[:port][,host[:port]…][?option=value&…]`; `tls://…` for encrypted connections.
package struct BusAddress: Sendable, CustomStringConvertible {
    package struct Problem: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// One URL a server, each with the scheme and with what it takes to be let in.
    package let servers: [String]
    package let isEncrypted: Bool
    /// A file with a user's JWT and seed, as `nsc` writes them.
    package private(set) var credentialsFile: String?
    /// A PEM file with the authorities that a server's certificate is held against; the system's when nil.
    package private(set) var authoritiesFile: String?
    package private(set) var settings = StreamSettings()

    /// Throws `Problem` with what would be right.
    package init(_ text: String) throws(Problem) {
        let scheme = String(text.prefix { $0 != ":" })
        guard scheme == "nats" || scheme == "tls", text.hasPrefix(scheme + "://") else {
            throw Problem(description: "a NATS URL begins with nats:// or tls://")
        }
        isEncrypted = scheme == "tls"
        let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let authority = parts[0].dropFirst(scheme.count + 3)
        let hosts = (authority.hasSuffix("/") ? authority.dropLast() : authority)
            .split(separator: ",", omittingEmptySubsequences: false)
            .map { $0.hasPrefix(scheme + "://") ? $0.dropFirst(scheme.count + 3) : $0 }
        guard hosts.allSatisfy({ !$0.isEmpty && !$0.hasSuffix("@") && !$0.contains("/") }) else {
            throw Problem(description: "a NATS URL names its servers: nats://127.0.0.1:4222,127.0.0.2:4222")
        }
        guard !hosts.dropFirst().contains(where: { $0.contains("@") }) else {
            throw Problem(
                description: "user and password stand before the first server only; write a comma or an @ in them as %2C and %40")
        }
        // Who we are stands once, before the first server, and holds for all.
        let access = hosts.first.flatMap { host in host.lastIndex(of: "@").map { String(host[...$0]) } } ?? ""
        servers = hosts.map { host in "\(scheme)://\(host.contains("@") ? "" : access)\(host)" }
        for option in parts.dropFirst().flatMap({ $0.split(separator: "&") }) {
            let pair = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            try take(pair[0], pair.count > 1 ? pair[1] : "")
        }
    }

    /// Without what lets one in.
    package var description: String {
        servers.map { server in
            guard let at = server.lastIndex(of: "@") else { return server }
            return (isEncrypted ? "tls://" : "nats://") + server[server.index(after: at)...]
        }.joined(separator: ",")
    }

    private mutating func take(_ name: String, _ value: String) throws(Problem) {
        func number(_ range: ClosedRange<Int64>) throws(Problem) -> Int64 {
            guard let number = Int64(value), range.contains(number) else {
                throw Problem(description: "\(name) in the NATS URL: a number from \(range.lowerBound) to \(range.upperBound)")
            }
            return number
        }
        switch name {
        case "creds": credentialsFile = value
        case "ca": authoritiesFile = value
        case "replicas": settings.replicas = Int(try number(1...5))
        case "dedupe_s": settings.dedupeSeconds = try number(1...2_592_000)
        case "max_age_days": settings.maxAgeDays = try number(1...3650)
        case "max_bytes": settings.maxBytes = try number(1_048_576...Int64.max)
        case "in_flight": settings.inFlight = Int(try number(1...256))
        default:
            // Not named: what follows a question mark in a badly pasted password would be.
            throw Problem(
                description: "an unknown option in the NATS URL; known: creds, ca, replicas, dedupe_s, max_age_days, max_bytes, in_flight")
        }
    }
}

/// How the streams are made. What is nil is as documented for a new stream, and as its operator set it for one that is there.
package struct StreamSettings: Sendable, Hashable {
    /// Servers that keep a copy; 1 unless said otherwise.
    package var replicas: Int?
    /// How long the stream knows the ids that it took, in seconds; an hour unless said otherwise.
    package var dedupeSeconds: Int64?
    /// How long an event stays, in days; 7 unless said otherwise.
    package var maxAgeDays: Int64?
    /// How many bytes of events stay, the oldest go first; no limit unless said otherwise.
    package var maxBytes: Int64?
    /// Events on their way to NATS at once, 1...256. With 1, an event is sent when the one before it is stored.
    package var inFlight = 256

    package init() {}
}
