internal import CNATS
internal import Conversation
internal import Synchronization

/// Whoever libnats calls back, by a number: a call that comes after its connection is gone finds nobody, and no memory is handed to C.
enum NATSCallbacks {
    private struct State {
        var next: UInt = 1
        var connections: [UInt: NATSConnection] = [:]
    }

    private static let state = Mutex(State())

    /// A number for libnats to call `connection` by, until `remove`.
    static func reserve() -> UInt {
        state.withLock { state in
            defer { state.next += 1 }
            return state.next
        }
    }

    static func add(_ connection: NATSConnection, as key: UInt) { state.withLock { $0.connections[key] = connection } }
    static func remove(_ key: UInt) { state.withLock { $0.connections[key] = nil } }

    static func closure(_ key: UInt) -> UnsafeMutableRawPointer? { UnsafeMutableRawPointer(bitPattern: key) }

    static func connection(_ closure: UnsafeMutableRawPointer?) -> NATSConnection? {
        let key = UInt(bitPattern: closure)
        return state.withLock { $0.connections[key] }
    }

    // The functions that C calls, on threads of libnats.

    static let closed: natsConnectionHandler = { _, closure in connection(closure)?.hasClosed() }

    static let failed: natsErrHandler = { _, _, status, closure in
        connection(closure)?.hasFailed(NATSError(status, "the connection to NATS").description)
    }

    static let acknowledged: jsPubAckHandler = { _, message, receipt, error, closure in
        defer { natsMsg_Destroy(message) }
        var id: UnsafePointer<CChar>?
        guard natsMsgHeader_Get(message, EventEncoding.idHeader, &id) == NATS_OK, let id, let event = BusEventID(String(cString: id)) else {
            return
        }
        guard let error else {
            connection(closure)?.settle(event, .taken)
            return
        }
        let text = error.pointee.ErrText.map { String(cString: $0) } ?? "status \(error.pointee.Err.rawValue)"
        let isFinal = error.pointee.ErrCode == JSStreamMessageExceedsMaximumErr
        connection(closure)?.settle(event, isFinal ? .refused(text) : .failed(text))
    }

    static let heard: natsMsgHandler = { _, _, message, closure in
        defer { natsMsg_Destroy(message) }
        let length = Int(natsMsg_GetDataLength(message))
        guard length > 0, length <= PeerSignals.longest, let data = natsMsg_GetData(message) else { return }
        let text = data.withMemoryRebound(to: UInt8.self, capacity: length) {
            String(decoding: UnsafeBufferPointer(start: $0, count: length), as: UTF8.self)
        }
        connection(closure)?.hasHeard(text)
    }
}
