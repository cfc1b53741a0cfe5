import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// The folder that holds an embedded store. Locked for as long as this value lives, readable by its owner only.
package final class DataDirectory: Sendable {
    package enum Problem: Error, Sendable, CustomStringConvertible {
        case cannotMake(String, String)
        case inUse(String)

        package var description: String {
            switch self {
            case .cannotMake(let path, let why): "cannot use data directory \(path): \(why)"
            case .inUse(let path): "data directory \(path) is in use by another gateway; stop it, or give --data another folder"
            }
        }
    }

    package let path: String
    private let lock: Int32

    /// Makes the folder when there is none (mode 0700) and locks it. Throws `Problem`.
    package init(path: String) throws {
        self.path = path
        if mkdir(path, 0o700) != 0, errno != EEXIST {
            if errno == ENOENT {
                do {
                    try FileManager.default.createDirectory(
                        atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
                } catch {
                    throw Problem.cannotMake(path, "\(error.localizedDescription)")
                }
            } else {
                throw Problem.cannotMake(path, String(cString: strerror(errno)))
            }
        }
        guard chmod(path, 0o700) == 0 else { throw Problem.cannotMake(path, String(cString: strerror(errno))) }
        lock = open(path + "/lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw Problem.cannotMake(path, String(cString: strerror(errno))) }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            Glibc.close(lock)
            throw Problem.inUse(path)
        }
    }

    deinit { Glibc.close(lock) }

    package var databasePath: String { path + "/switchboard.sqlite" }
    package var controlSocketPath: String { path + "/control.sock" }
}
