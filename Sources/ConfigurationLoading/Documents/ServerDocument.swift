import Conversation

/// `switchboard.yaml`.
struct ServerDocument {
    let document: Document

    init(path: String, loading: Loading) {
        document = Document(file: path, scope: .installation, loading: loading)
    }

    /// `folders` are the names of the brands' folders.
    func read(folders: [String]) -> ServerConfiguration {
        var server = ServerConfiguration()
        let sections = ["server", "operator_key", "queue", "bus", "shutdown_grace_s", "stores"]
        guard let members = document.root(required: true)?.members(sections) else {
            return server
        }
        if let section = members["server"] { readServer(section, into: &server) }
        if let key = members.required("operator_key", "\"${SWITCHBOARD_OPERATOR_KEY}\"")?.secret(minimumBytes: 16) {
            server.operatorKey = key
        }
        if let queue = members["queue"] { readQueue(queue, into: &server.queue) }
        if let bus = members["bus"] { readBus(bus, into: &server) }
        if let grace = members["shutdown_grace_s"]?.seconds(upTo: 3600) { server.shutdownGrace = grace }
        if let stores = members["stores"] { server.stores = StoresSection(entry: stores, folders: folders).read() }
        return server
    }

    private func readServer(_ entry: Entry, into server: inout ServerConfiguration) {
        guard let members = entry.members(["max_body_bytes", "request_timeout_s", "max_streams", "trusted_proxies"]) else { return }
        if let bytes = members["max_body_bytes"]?.integer(1024...67_108_864) { server.maxBodyBytes = bytes }
        if let timeout = members["request_timeout_s"]?.seconds(upTo: 600) { server.requestTimeout = timeout }
        if let streams = members["max_streams"]?.integer(1...1_000_000) { server.maxStreams = streams }
        guard let proxies = members["trusted_proxies"] else { return }
        server.trustedProxies = proxies.addresses()
        // A proxy connects from any port.
        for rule in server.trustedProxies where rule.port != nil {
            proxies.problem("\"\(rule)\" has a port", "write an IP or CIDR alone: 127.0.0.1 or 10.0.0.0/8")
        }
    }

    private func readBus(_ entry: Entry, into server: inout ServerConfiguration) {
        guard let members = entry.members(["keep_days", "command_patience_s"]) else { return }
        if let days = members["keep_days"]?.integer(1...365) { server.keepEvents = .seconds(days * 86_400) }
        if let patience = members["command_patience_s"]?.seconds(upTo: 86_400) { server.commandPatience = patience }
    }

    private func readQueue(_ entry: Entry, into queue: inout QueueConfiguration) {
        let keys = [
            "turns_per_brand", "turns", "backoff_s", "jitter", "lease_s", "park_s", "breaker_window_s", "breaker_probe_s", "inline_wait_s",
            "unknown_reply_s",
            "understanding_deadline_s",
        ]
        guard let members = entry.members(keys) else { return }
        if let turns = members["turns"]?.integer(1...100_000) { queue.turns = turns }
        if let turns = members["turns_per_brand"]?.integer(1...100_000) { queue.turnsPerBrand = turns }
        if let waits = members["backoff_s"]?.waits() { queue.backoff = waits }
        if let jitter = members["jitter"]?.number(0...1) { queue.jitter = jitter }
        if let lease = members["lease_s"]?.seconds(upTo: 3600) { queue.lease = lease }
        if let park = members["park_s"]?.seconds(upTo: 604_800) { queue.park = park }
        if let window = members["breaker_window_s"]?.seconds(upTo: 600) { queue.breakerWindow = window }
        if let probe = members["breaker_probe_s"]?.seconds(upTo: 600) { queue.breakerProbe = probe }
        if let wait = members["inline_wait_s"]?.seconds(upTo: 600) { queue.inlineWait = wait }
        if let wait = members["unknown_reply_s"]?.seconds(upTo: 86_400) { queue.unknownReply = wait }
        if let deadline = members["understanding_deadline_s"]?.seconds(upTo: 600) { queue.understandingDeadline = deadline }
        if queue.turnsPerBrand > queue.turns {
            (members["turns_per_brand"] ?? entry).problem(
                "one brand may run \(queue.turnsPerBrand) turns, all together only \(queue.turns)", "make turns_per_brand at most turns")
        }
    }
}
