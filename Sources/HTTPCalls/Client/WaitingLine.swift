/// Who may go next in one pool: first come, first served, but never more at once than the pool's limit, nor more to one host than the
/// host's. A host that is full holds up its own callers only.
struct WaitingLine<Element> {
    private struct Host {
        var running = 0
        var waiting = Queue<(turn: UInt64, element: Element)>()
    }

    /// The most at once over all hosts.
    var limit: Int
    /// The most at once to one host.
    let hostLimit: Int
    private var hosts: [String: Host] = [:]
    private var lastTurn: UInt64 = 0
    private(set) var running = 0

    init(limit: Int, hostLimit: Int) {
        self.limit = limit
        self.hostLimit = hostLimit
    }

    var isIdle: Bool { hosts.isEmpty }

    var waiting: [Element] { hosts.values.flatMap { $0.waiting.all.map(\.element) } }

    mutating func arrive(_ element: Element, host: String) {
        lastTurn += 1
        hosts[host, default: Host()].waiting.append((lastTurn, element))
    }

    /// The next that may go, counted as running from now on; nil when nobody may.
    mutating func next() -> Element? {
        guard running < max(1, limit) else { return nil }
        var first: (host: String, turn: UInt64)?
        for (name, host) in hosts where host.running < max(1, hostLimit) {
            if let turn = host.waiting.first?.turn, turn < first?.turn ?? .max { first = (name, turn) }
        }
        guard let first, let element = hosts[first.host]?.waiting.popFirst()?.element else { return nil }
        hosts[first.host]?.running += 1
        running += 1
        return element
    }

    /// One that ran to `host` is done.
    mutating func leave(host: String) {
        running -= 1
        hosts[host]?.running -= 1
        forgetIfEmpty(host)
    }

    /// Takes out all who wait and for whom `isGone` holds.
    mutating func removeWaiting(where isGone: (Element) -> Bool) -> [Element] {
        var gone: [Element] = []
        for name in Array(hosts.keys) {
            gone += hosts[name]?.waiting.remove { isGone($0.element) }.map(\.element) ?? []
            forgetIfEmpty(name)
        }
        return gone
    }

    private mutating func forgetIfEmpty(_ name: String) {
        if let host = hosts[name], host.running == 0, host.waiting.first == nil { hosts[name] = nil }
    }
}

/// First in, first out; taking the first is cheap.
private struct Queue<Element> {
    private var elements: [Element?] = []
    private var start = 0

    var first: Element? { start < elements.count ? elements[start] : nil }

    var all: [Element] { elements[start...].compactMap(\.self) }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func popFirst() -> Element? {
        guard start < elements.count else { return nil }
        let first = elements[start]
        elements[start] = nil
        start += 1
        if start > 32, start * 2 > elements.count {
            elements.removeFirst(start)
            start = 0
        }
        return first
    }

    mutating func remove(where isGone: (Element) -> Bool) -> [Element] {
        let all = self.all
        elements = all.filter { !isGone($0) }
        start = 0
        return all.filter(isGone)
    }
}
