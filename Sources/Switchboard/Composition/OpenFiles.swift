#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// File descriptors: each connection and each stream of live updates holds one.
enum OpenFiles {
    /// Raises what this process may hold open to what the system lets it; the usual soft limit of 1,024 is there for programs that use
    /// `select`, which this one does not. What cannot be raised stays as it is: then connections wait to be accepted.
    static func raiseLimit() {
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(resource, &limit)
    }

    /// Connections that may be open at once: what the limit leaves after the store, brands' connections and a reserve. Whoever comes later
    /// waits to be accepted, instead of taking the files that storing a message needs.
    static var roomForConnections: Int {
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return 512 }
        let files = Int(clamping: limit.rlim_cur)
        return max(64, files - min(files / 4, 1024))
    }

    #if canImport(Glibc)
        private static var resource: __rlimit_resource_t { __rlimit_resource_t(RLIMIT_NOFILE.rawValue) }
    #else
        private static var resource: Int32 { RLIMIT_NOFILE }
    #endif
}
