internal import CNATS

extension Streams {
    /// How long a command may be in work before it is given to somebody else, in seconds.
    static let commandPatience: Int64 = 10

    /// Those that wait for their time count as unacknowledged: with a limit that is reached, one brand's would stand in the way of all others'.
    /// With -1, which should be none, the server keeps to its own of 1,000.
    static let mostUnacknowledged: Int64 = 10_000_000

    /// Finds the consumer, makes or mends it, and binds to it. One that cannot be mended is bound to as it is, and `complain` is told why:
    /// commands come from it as well. Blocks; throws `NATSError`.
    static func subscribeToCommands(_ connection: NATSConnection, complain: (NATSError) -> Void) throws -> OpaquePointer? {
        var info: UnsafeMutablePointer<jsConsumerInfo>?
        var code = jsErrCode(rawValue: 0)
        let status = js_GetConsumerInfo(&info, connection.streams, events, commandConsumer, nil, &code)
        defer { jsConsumerInfo_Destroy(info) }
        if status == NATS_NOT_FOUND, code == JSConsumerNotFoundErr {
            try makeCommandConsumer(connection)
        } else if status == NATS_OK, let known = info?.pointee.Config {
            if let refusal = try mendCommandConsumer(connection, known.pointee) { complain(refusal) }
        } else {
            throw NATSError(status, "the consumer \(commandConsumer)", code: code)
        }
        return try bindToCommands(connection)
    }

    private static func bindToCommands(_ connection: NATSConnection) throws -> OpaquePointer? {
        var options = jsSubOptions()
        try check(jsSubOptions_Init(&options), "subscribing to commands")
        var code = jsErrCode(rawValue: 0)
        var subscription: OpaquePointer?
        let bound = events.withCString { stream in
            commandConsumer.withCString { name in
                (options.Stream, options.Consumer) = (stream, name)
                return js_PullSubscribe(&subscription, connection.streams, commandSubject, name, nil, &options, &code)
            }
        }
        guard bound == NATS_OK else { throw NATSError(bound, "subscribing to commands", code: code) }
        return subscription
    }

    /// It is made before it is bound to, or it would go with the subscription.
    private static func makeCommandConsumer(_ connection: NATSConnection) throws {
        var config = jsConsumerConfig()
        try check(jsConsumerConfig_Init(&config), "the consumer \(commandConsumer)")
        config.DeliverPolicy = js_DeliverAll
        config.AckPolicy = js_AckExplicit
        setCommandLimits(&config)
        var code = jsErrCode(rawValue: 0)
        func add() -> natsStatus {
            commandConsumer.withCString { name in
                commandSubject.withCString { subject in
                    (config.Durable, config.FilterSubject) = (name, subject)
                    return js_AddConsumer(nil, connection.streams, events, &config, nil, &code)
                }
            }
        }
        var status = add()
        if status != NATS_OK, code == JSConsumerMaxPendingAckExcessErr {
            // As many as the server's operator allows.
            config.MaxAckPending = 0
            code = jsErrCode(rawValue: 0)
            status = add()
        }
        // Another node was quicker.
        if status != NATS_OK, code != JSConsumerNameExistErr, code != JSConsumerExistingActiveErr {
            throw NATSError(status, "making the consumer \(commandConsumer)", code: code)
        }
    }

    /// One that a release before made, or that its operator changed, gets what this one counts on; the rest of it stays. Answers why the
    /// server refused a part. Throws `NATSError` when it answered nothing, or when commands would be lost after a number of deliveries.
    private static func mendCommandConsumer(_ connection: NATSConnection, _ known: jsConsumerConfig) throws -> NATSError? {
        var config = known
        setCommandLimits(&config)
        let isSame =
            config.AckWait == known.AckWait && config.MaxDeliver == known.MaxDeliver && config.MaxAckPending == known.MaxAckPending
        guard !isSame else { return nil }
        guard let refusal = change(connection, &config) else { return nil }
        guard refusal.isRefusal else { throw refusal }
        // The rest may be allowed.
        config.MaxAckPending = known.MaxAckPending
        guard config.AckWait != known.AckWait || config.MaxDeliver != known.MaxDeliver else { return refusal }
        guard let second = change(connection, &config) else { return refusal }
        if !second.isRefusal || known.MaxDeliver > 0 { throw second }
        return second
    }

    private static func change(_ connection: NATSConnection, _ config: inout jsConsumerConfig) -> NATSError? {
        var code = jsErrCode(rawValue: 0)
        let status = js_UpdateConsumer(nil, connection.streams, events, &config, nil, &code)
        return status == NATS_OK ? nil : NATSError(status, "changing the consumer \(commandConsumer)", code: code)
    }

    private static func setCommandLimits(_ config: inout jsConsumerConfig) {
        config.AckWait = commandPatience * 1_000_000_000
        config.MaxDeliver = -1
        config.MaxAckPending = mostUnacknowledged
    }
}
