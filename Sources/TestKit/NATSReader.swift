internal import CNATS
package import Conversation
import Foundation

/// Reads a stream as a program of somebody else would, through the C library alone.
package enum NATSReader {
    package struct Problem: Error, CustomStringConvertible {
        package let description: String
    }

    package struct Message: Sendable, Hashable {
        package var subject: String
        package var id: String?
        package var contentType: String?
        package var body: JSONValue
    }

    /// What stands in the stream, in its order. Throws `Problem`.
    package static func messages(url: String, stream: String = "switchboard") throws -> [Message] {
        try withJetStream(url) { context in
            var info: UnsafeMutablePointer<jsStreamInfo>?
            try check(js_GetStreamInfo(&info, context, stream, nil, nil), "stream \(stream)")
            defer { jsStreamInfo_Destroy(info) }
            guard let state = info?.pointee.State, state.Msgs > 0 else { return [] }
            return try (state.FirstSeq...state.LastSeq).map { try message($0, context, stream) }
        }
    }

    /// Removes the stream with all that is in it.
    package static func removeStream(url: String, stream: String = "switchboard") throws {
        try withJetStream(url) { try check(js_DeleteStream($0, stream, nil, nil), "stream \(stream)") }
    }

    /// Publishes without a stream's acknowledgement.
    package static func publish(url: String, subject: String, body: String) throws {
        try withConnection(url) { connection in
            try check(natsConnection_PublishString(connection, subject, body), subject)
            try check(natsConnection_Flush(connection), "flush")
        }
    }

    /// Publishes and waits for the stream's acknowledgement. Throws `Problem` when none comes.
    package static func publish(url: String, subject: String, body: [UInt8], id: String? = nil, contentType: String? = nil) throws {
        try withJetStream(url) { context in
            var message: OpaquePointer?
            defer { natsMsg_Destroy(message) }
            let made = body.withUnsafeBytes {
                natsMsg_Create(&message, subject, nil, $0.baseAddress?.assumingMemoryBound(to: CChar.self), Int32($0.count))
            }
            try check(made, "a message")
            if let id { try check(natsMsgHeader_Set(message, "Nats-Msg-Id", id), "its id") }
            if let contentType { try check(natsMsgHeader_Set(message, "Content-Type", contentType), "its type") }
            var receipt: UnsafeMutablePointer<jsPubAck>?
            try check(js_PublishMsg(&receipt, context, message, nil, nil), subject)
            jsPubAck_Destroy(receipt)
        }
    }

    /// How many messages a consumer has not been given, and how many it has been given and not acknowledged. Throws `Problem`.
    package static func open(
        url: String, consumer: String, stream: String = "switchboard"
    ) throws -> (waiting: Int, unacknowledged: Int) {
        try withJetStream(url) { context in
            var info: UnsafeMutablePointer<jsConsumerInfo>?
            try check(js_GetConsumerInfo(&info, context, stream, consumer, nil, nil), "consumer \(consumer)")
            defer { jsConsumerInfo_Destroy(info) }
            return (Int(info?.pointee.NumPending ?? 0), Int(info?.pointee.NumAckPending ?? 0))
        }
    }

    /// What a durable pull consumer is like. Times are in seconds, and -1 is no limit.
    package struct ConsumerLimits: Sendable, Hashable {
        package var acknowledgementWait: Int
        package var deliveries: Int
        package var unacknowledged: Int

        package init(acknowledgementWait: Int, deliveries: Int, unacknowledged: Int) {
            self.acknowledgementWait = acknowledgementWait
            self.deliveries = deliveries
            self.unacknowledged = unacknowledged
        }
    }

    /// Changes a consumer as its operator could. Throws `Problem`.
    package static func change(
        url: String, consumer: String, to limits: ConsumerLimits, stream: String = "switchboard"
    ) throws {
        try withJetStream(url) { context in
            var info: UnsafeMutablePointer<jsConsumerInfo>?
            try check(js_GetConsumerInfo(&info, context, stream, consumer, nil, nil), "consumer \(consumer)")
            defer { jsConsumerInfo_Destroy(info) }
            guard var config = info?.pointee.Config?.pointee else { throw Problem(description: "consumer \(consumer): no configuration") }
            config.AckWait = Int64(limits.acknowledgementWait) * 1_000_000_000
            config.MaxDeliver = Int64(limits.deliveries)
            config.MaxAckPending = Int64(limits.unacknowledged)
            try check(js_UpdateConsumer(nil, context, stream, &config, nil, nil), "consumer \(consumer)")
        }
    }

    /// Throws `Problem`.
    package static func limits(url: String, consumer: String, stream: String = "switchboard") throws -> ConsumerLimits {
        try withJetStream(url) { context in
            var info: UnsafeMutablePointer<jsConsumerInfo>?
            try check(js_GetConsumerInfo(&info, context, stream, consumer, nil, nil), "consumer \(consumer)")
            defer { jsConsumerInfo_Destroy(info) }
            guard let config = info?.pointee.Config?.pointee else { throw Problem(description: "consumer \(consumer): no configuration") }
            return ConsumerLimits(
                acknowledgementWait: Int(config.AckWait / 1_000_000_000), deliveries: Int(config.MaxDeliver),
                unacknowledged: Int(config.MaxAckPending))
        }
    }

    private static func message(_ number: UInt64, _ context: OpaquePointer?, _ stream: String) throws -> Message {
        var message: OpaquePointer?
        try check(js_GetMsg(&message, context, stream, number, nil, nil), "message \(number)")
        defer { natsMsg_Destroy(message) }
        let length = Int(natsMsg_GetDataLength(message))
        let body = natsMsg_GetData(message).map { Data(bytes: $0, count: length) } ?? Data()
        return Message(
            subject: natsMsg_GetSubject(message).map { String(cString: $0) } ?? "", id: header("Nats-Msg-Id", message),
            contentType: header("Content-Type", message), body: try JSONDecoder().decode(JSONValue.self, from: body))
    }

    private static func header(_ name: String, _ message: OpaquePointer?) -> String? {
        var value: UnsafePointer<CChar>?
        guard natsMsgHeader_Get(message, name, &value) == NATS_OK else { return nil }
        return value.map { String(cString: $0) }
    }

    private static func withConnection<Result>(_ url: String, _ body: (OpaquePointer?) throws -> Result) throws -> Result {
        var connection: OpaquePointer?
        let server = url.split(separator: "?").first.map(String.init) ?? url
        try check(natsConnection_ConnectTo(&connection, server), "connecting")
        defer { natsConnection_Destroy(connection) }
        return try body(connection)
    }

    private static func withJetStream<Result>(_ url: String, _ body: (OpaquePointer?) throws -> Result) throws -> Result {
        try withConnection(url) { connection in
            var context: OpaquePointer?
            try check(natsConnection_JetStream(&context, connection, nil), "JetStream")
            defer { jsCtx_Destroy(context) }
            return try body(context)
        }
    }

    private static func check(_ status: natsStatus, _ what: String) throws {
        guard status == NATS_OK else {
            throw Problem(description: "\(what): \(natsStatus_GetText(status).map { String(cString: $0) } ?? "\(status.rawValue)")")
        }
    }
}
