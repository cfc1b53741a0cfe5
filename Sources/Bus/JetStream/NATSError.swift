internal import CNATS

/// What libnats answered, in words.
struct NATSError: Error, CustomStringConvertible {
    let status: natsStatus
    /// The stream that was spoken of is not there.
    let isStreamGone: Bool
    /// The server answered, and said no.
    let isRefusal: Bool
    let description: String

    init(_ status: natsStatus, _ what: String, code: jsErrCode = jsErrCode(rawValue: 0)) {
        self.status = status
        isStreamGone = code == JSStreamNotFoundErr
        isRefusal = code.rawValue != 0
        var text = natsStatus_GetText(status).map { String(cString: $0) } ?? "status \(status.rawValue)"
        // The library keeps the details of a thread's last error.
        var last = NATS_OK
        if let detail = nats_GetLastError(&last).map({ String(cString: $0) }), last == status, !detail.isEmpty { text += ", \(detail)" }
        if code.rawValue != 0 { text += " (\(code.rawValue))" }
        description = "\(what): \(text)"
    }
}

/// Throws unless the call went well.
func check(_ status: natsStatus, _ what: @autoclosure () -> String) throws {
    guard status == NATS_OK else { throw NATSError(status, what()) }
}
