import CCurl
import Conversation

/// One call on its way. Unchecked, because it is handed over: its maker fills it in, and after `Mailbox.put(.start)` only the transfer
/// thread touches it until the continuation is resumed.
final class Transfer: @unchecked Sendable {
    enum Phase { case new, waiting, running(EasyHandle), ended }

    /// What our own callbacks stopped a transfer for; libcurl's code alone does not tell.
    enum Refusal { case forbiddenAddress(String), secondPass, spoiltConnection, bodyTooLarge, headersTooLarge, tooLate }

    /// Status line and headers of an answer, all blocks and trailers counted.
    static let maxHeaderBytes = 65_536

    let request: CheckedRequest
    let deadline: ContinuousClock.Instant
    let headers: HeaderList
    /// `OutwardCalls.mayBegin` of the caller.
    private let mayBegin: (@Sendable () -> Bool)?
    var continuation: CheckedContinuation<Ended, Never>?
    var phase = Phase.new
    var isCancelled = false

    /// Set when libcurl was allowed to write the request: from here on the other side may have seen it.
    private(set) var wasLetThrough = false
    /// Whether at least one address of the name was open to this call.
    private(set) var hadPermittedAddress = false
    var refusal: Refusal?
    /// Set for the second start of a transfer whose first met a kept connection with bytes on it.
    private(set) var needsFreshConnection = false
    private var answer = Ended.Answer()
    private var headerBytes = 0
    private var isHeadComplete = false

    init(_ request: CheckedRequest, deadline: ContinuousClock.Instant) throws(HTTPFailure) {
        self.request = request
        self.deadline = deadline
        mayBegin = OutwardCalls.mayBegin
        headers = try HeaderList(request)
    }

    var call: HTTPCall { request.call }

    func end(_ ended: Ended) {
        phase = .ended
        let continuation = self.continuation
        self.continuation = nil
        continuation?.resume(returning: ended)
    }

    func fail(_ kind: HTTPFailure.Kind, _ detail: String) {
        end(.failed(HTTPFailure(kind: kind, mayHaveBeenSent: wasLetThrough, detail: detail)))
    }

    func takeAnswer(status: Int) -> Ended {
        answer.status = status
        defer { answer = Ended.Answer() }
        return .answer(answer)
    }
}

// MARK: What the callbacks ask

extension Transfer {
    /// libcurl is about to write the request on a connection to `peer`. A second time means that the connection died and it would resend
    /// all by itself, a POST too. `isClean` says whether a kept connection is as its last answer left it.
    func letThrough(peer: String, port: Int, isClean: () -> Bool) -> Bool {
        guard !wasLetThrough else {
            refusal = .secondPass
            return false
        }
        guard let address = IPAddress(peer), permits(address, port: port) else {
            refusal = .forbiddenAddress(peer)
            return false
        }
        guard isClean() else {
            refusal = .spoiltConnection
            return false
        }
        guard mayBegin?() ?? true else {
            refusal = .tooLate
            return false
        }
        wasLetThrough = true
        return true
    }

    /// Whether it ended before a byte was written, only because of the kept connection that it met: then it begins once more on a
    /// connection of its own.
    func beginsAgain() -> Bool {
        guard case .spoiltConnection = refusal, !needsFreshConnection else { return false }
        refusal = nil
        needsFreshConnection = true
        return true
    }

    func mayConnect(to address: IPAddress, port: Int) -> Bool {
        guard !wasLetThrough else {
            refusal = .secondPass
            return false
        }
        guard permits(address, port: port) else {
            refusal = .forbiddenAddress(address.description)
            return false
        }
        hadPermittedAddress = true
        return true
    }

    private func permits(_ address: IPAddress, port: Int) -> Bool {
        AddressGuard.permits(address, port: port, rules: call.allowPrivateAddresses)
    }

    func takeHeader(_ line: UnsafeRawBufferPointer) -> Bool {
        headerBytes += line.count
        guard headerBytes <= Self.maxHeaderBytes else {
            refusal = .headersTooLarge
            return false
        }
        if isHeadComplete {
            // A status line begins the answer that follows an interim one; anything else here is a trailer, which must not pass for a
            // header.
            guard line.starts(with: Self.statusLineStart) else { return true }
            answer.head.removeAll(keepingCapacity: true)
            isHeadComplete = false
        }
        answer.head.append(contentsOf: line)
        isHeadComplete = line.allSatisfy { $0 == 13 || $0 == 10 }
        return true
    }

    private static let statusLineStart = Array("HTTP/".utf8)

    /// Decoded bytes, so that a small compressed body cannot become a large one.
    func takeBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard answer.body.count + bytes.count <= call.maxResponseBytes else {
            refusal = .bodyTooLarge
            return false
        }
        answer.body.append(contentsOf: bytes)
        return true
    }
}

/// How a transfer ended, raw: the caller's own task parses the head, so that the transfer thread need not.
enum Ended: Sendable {
    struct Answer: Sendable {
        var status = 0
        var head: [UInt8] = []
        var body: [UInt8] = []
    }

    case answer(Answer)
    case failed(HTTPFailure)

    var result: HTTPResult {
        switch self {
        case .answer(let answer): .answer(HTTPAnswer(status: answer.status, headers: HeaderBlock.parse(answer.head), body: answer.body))
        case .failed(let failure): .failed(failure)
        }
    }
}
