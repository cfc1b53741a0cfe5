package import Conversation
import Foundation

/// Where a store is, as `--store` and `stores:` write it.
package enum StoreLocation: Sendable, Hashable {
    /// An embedded store: a file of its own.
    case file(String)
    /// A PostgreSQL database, which several nodes may share. The URL may hold a password.
    case postgreSQL(Secret)

    /// Why a text is no store. Repeats nothing of the text: it may hold a password.
    package struct Problem: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// Reads `sqlite:PATH`, `postgres://…` or `postgresql://…`. Throws `Problem`.
    package init(_ text: String) throws(Problem) {
        let lower = text.prefix(16).lowercased()
        if lower.hasPrefix("sqlite:") {
            let path = String(text.dropFirst("sqlite:".count))
            guard !path.isEmpty else { throw Problem(description: "sqlite: names no file; write sqlite:PATH") }
            guard !path.utf8.contains(0) else { throw Problem(description: "the path of the store holds a NUL character") }
            self = .file(path)
        } else if let scheme = ["postgres://", "postgresql://"].first(where: { lower.hasPrefix($0) }) {
            guard ServiceURL.isPlain(text), text.utf8.count > scheme.utf8.count else {
                throw Problem(description: "the URL holds blanks or nothing; write \(Self.example) with other characters percent-encoded")
            }
            self = .postgreSQL(Secret(text))
        } else {
            throw Problem(description: "the store is neither sqlite:PATH nor \(Self.example)")
        }
    }

    private static let example = "postgres://USER:PASSWORD@HOST:PORT/DATABASE"

    /// Whether other processes may have it open at the same time.
    package var isShared: Bool {
        switch self {
        case .file: false
        case .postgreSQL: true
        }
    }

    /// For logs and messages: without a password.
    package var shown: String {
        switch self {
        case .file(let path): "sqlite:\(path)"
        case .postgreSQL(let url): ServiceURL.shown(url.reveal(), keepsUser: true)
        }
    }
}

/// Where the bus is, as `--bus` writes it.
package enum BusLocation: Sendable, Hashable {
    /// The bus of a single process.
    case embedded
    /// NATS with JetStream, one server or several. The URL may hold a password or a token.
    case nats(Secret)

    /// Why a text is no bus. Repeats nothing of the text: it may hold a password.
    package struct Problem: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// Reads `embedded`, `nats://…` or `tls://…`, and no more of those than how they begin. Throws `Problem`.
    package init(_ text: String) throws(Problem) {
        if text == "embedded" {
            self = .embedded
            return
        }
        let isURL = ["nats://", "tls://"].contains { text.lowercased().hasPrefix($0) && text.utf8.count > $0.utf8.count }
        guard isURL, ServiceURL.isPlain(text) else {
            throw Problem(description: "the bus is neither embedded nor nats://USER:PASSWORD@HOST:PORT")
        }
        self = .nats(Secret(text))
    }

    /// For logs and messages: without user, password and token.
    package var shown: String {
        switch self {
        case .embedded: "embedded"
        case .nats(let url): ServiceURL.shown(url.reveal(), keepsUser: false)
        }
    }
}

/// URLs with credentials in them.
enum ServiceURL {
    /// Nothing that ends a word or a line: such a URL was pasted badly.
    static func isPlain(_ text: String) -> Bool { text.utf8.allSatisfy { $0 > 32 && $0 != 127 } }

    /// Scheme, host and path; a query may hold a password too, and what stands before the last @ of the authority does.
    static func shown(_ url: String, keepsUser: Bool) -> String {
        guard let mark = url.range(of: "://") else { return "•••" }
        let plain = url[mark.upperBound...].prefix { $0 != "?" && $0 != "#" }
        // A password that was not percent-encoded may hold a slash: whatever stands before the last @ is no host.
        guard let at = plain.lastIndex(of: "@") else { return String(url[..<mark.upperBound] + plain) }
        let user = plain[..<at].prefix { $0 != ":" }
        let isToken = user.count == plain[..<at].count
        let name = keepsUser && !(isToken && user.contains("/")) ? String(user) + (isToken ? "" : ":•••") : "•••"
        return String(url[..<mark.upperBound]) + name + "@" + plain[plain.index(after: at)...]
    }
}
