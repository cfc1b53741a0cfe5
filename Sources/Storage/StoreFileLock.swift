import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// The right to open an embedded store, wherever its file stands: a lock file beside it, held for as long as this value lives. Two
/// gateways on one file would each void the other's leases and checkpoint behind its back.
package final class StoreFileLock: Sendable {
    package enum Problem: Error, Sendable, CustomStringConvertible {
        case cannotLock(String, String)
        case inUse(String)

        package var description: String {
            switch self {
            case .cannotLock(let path, let why): "cannot lock store \(path): \(why)"
            case .inUse(let path): "store \(path) is in use by another gateway; stop it, or give --store another file"
            }
        }
    }

    private let lock: Int32

    /// Locks `path` + `.lock` (mode 0600), where `path` leads through links: one file has one lock by whatever name it is reached.
    /// The store itself need not be there yet, its folder must. Throws `Problem`.
    package init(storePath path: String) throws(Problem) {
        let file = try Self.resolved(path)
        lock = open(file + ".lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw .cannotLock(path, String(cString: strerror(errno))) }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            let isHeld = errno == EWOULDBLOCK
            let why = String(cString: strerror(errno))
            Glibc.close(lock)
            throw isHeld ? .inUse(path) : .cannotLock(path, why)
        }
    }

    deinit { Glibc.close(lock) }

    private static func resolved(_ path: String) throws(Problem) -> String {
        if let whole = real(path) { return whole }
        let url = URL(fileURLWithPath: path)
        guard let folder = real(url.deletingLastPathComponent().path) else {
            throw .cannotLock(path, String(cString: strerror(errno)))
        }
        return folder + "/" + url.lastPathComponent
    }

    private static func real(_ path: String) -> String? {
        guard let found = realpath(path, nil) else { return nil }
        defer { free(found) }
        return String(cString: found)
    }
}
