/// Why the sandbox cannot start or cannot do what it was told; each says the way out.
package enum SandboxError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The address is not `http://127.0.0.1:PORT`.
    case notLoopback(String)
    /// The environment variable holds no `whsec_` secret.
    case badSigningSecret(variable: String)
    case cannotOpen(path: String, reason: String)
    case cannotWrite(path: String, reason: String)
    case cannotRead(path: String, reason: String)

    package var description: String {
        switch self {
        case .notLoopback(let address):
            "the sandbox talks to this machine only: \(address) is not of the form http://127.0.0.1:PORT"
        case .badSigningSecret(let variable): "\(variable): must be whsec_ followed by base64"
        case .cannotOpen(let path, let reason): "\(path): cannot be opened: \(reason)"
        case .cannotWrite(let path, let reason): "\(path): cannot be written: \(reason)"
        case .cannotRead(let path, let reason): "\(path): cannot be read: \(reason)"
        }
    }
}
