import Conversation

/// One reader's stream, from its first byte to its end.
struct EventStream: Sendable {
    let feed: any ConversationFeed
    let visitors: any Visitors
    let instance: InstanceConfiguration
    let visitor: Visitor
    let token: String
    let resume: ResumePoint
    let seat: StreamSeat
    let heartBeat: HeartBeat

    /// Below the 20 s after which proxies and readers begin to doubt a silent connection.
    static let interval: Duration = .seconds(15)
    /// The token is looked up again with every so many beats.
    static let beatsPerCheck = 4
    static let pageSize = 100

    typealias Write = @Sendable ([UInt8]) async throws -> Void

    /// Returns when the stream ends from our side or is cancelled: a reader that leaves and a gateway that stops are no faults. Throws what
    /// `write` and the feed throw. It is one task with no timer of its own: what an idle stream takes is multiplied by all who look. A reader
    /// that takes nothing is the server's to leave: it knows the connection.
    func run(_ write: @escaping Write) async throws {
        defer { seat.release() }
        let bell = seat.bell
        // Before anything is read: what is added from here on rings.
        let subscription = feed.subscribe(to: visitor) { signal in
            switch signal {
            case .changed: bell.ring(.changed)
            case .typing: bell.ring(.typing)
            }
        }
        let beats = heartBeat.add(bell)
        defer {
            subscription.cancel()
            beats.cancel()
        }
        do {
            var writer = StreamWriter(stream: self, write: write)
            try await writer.run()
        } catch is CancellationError {
            return
        }
    }
}

/// Writes the events of one stream in order, each once.
struct StreamWriter {
    let stream: EventStream
    let write: EventStream.Write
    /// The number of the last event that was written.
    private var cursor: Int64 = 0
    private var beats = 0

    init(stream: EventStream, write: @escaping EventStream.Write) {
        self.stream = stream
        self.write = write
    }

    mutating func run() async throws {
        try await write(ServerSentEvent.retry)
        try await begin()
        let bell = stream.seat.bell
        for await _ in bell.pulses {
            let rings = bell.take()
            if rings.contains(.typing) { try await write(ServerSentEvent.frame("typing", [:])) }
            if rings.contains(.changed) { try await deliver() }
            if rings.contains(.beat) { try await beat() }
        }
        try Task.checkCancellation()
        if let reason = bell.closing { try await write(ServerSentEvent.frame("closed", ["reason": .string(reason.rawValue)])) }
    }

    private mutating func begin() async throws {
        let newest = try await stream.feed.newest(of: stream.visitor)
        switch stream.resume {
        case .now:
            cursor = newest
            try await write(ServerSentEvent.frame("hello", id: newest, ["newest": .integer(newest)]))
        case .after(let sequence) where sequence <= newest:
            cursor = sequence
            try await deliver()
        // A number that this conversation never had: the reader knows another one.
        case .after, .unreadable: try await reset(to: newest)
        }
    }

    private mutating func deliver() async throws {
        while true {
            let page = try await stream.feed.events(of: stream.visitor, after: cursor, limit: EventStream.pageSize)
            guard page.isComplete else { return try await reset(to: try await stream.feed.newest(of: stream.visitor)) }
            let news = page.events.filter { $0.sequence > cursor }
            guard let last = news.last else { return }
            try await write(news.flatMap(ServerSentEvent.frame(_:)))
            cursor = last.sequence
            if page.events.count < EventStream.pageSize { return }
        }
    }

    /// Tells the reader to load the messages anew and goes on after that number.
    private mutating func reset(to newest: Int64) async throws {
        cursor = newest
        try await write(ServerSentEvent.frame("reset", id: newest, ["newest": .integer(newest)]))
    }

    private mutating func beat() async throws {
        try await write(ServerSentEvent.beat)
        beats += 1
        guard beats.isMultiple(of: EventStream.beatsPerCheck) else { return }
        if try await isTokenGood() { return }
        stream.seat.bell.close(.expired)
    }

    private func isTokenGood() async throws -> Bool {
        do {
            return try await stream.visitors.visitor(token: stream.token, at: stream.instance) == stream.visitor
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            // A store that is down for a moment says nothing about the token; the next check will.
            return true
        }
    }
}
