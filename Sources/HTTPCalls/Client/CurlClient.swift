import CCurl
package import Conversation

/// What holds for all calls of one client.
package struct ClientSettings: Sendable {
    /// Sent unless a call brings its own.
    package var userAgent: String
    /// Calls at once to one host within one pool, so that one host that hangs leaves room for the pool's others.
    package var maxConcurrentPerHost: Int
    /// A PEM file that replaces the system's certificate authorities; nil for the system's.
    package var certificateAuthorities: String?

    package init(userAgent: String = "switchboard", maxConcurrentPerHost: Int = 64, certificateAuthorities: String? = nil) {
        self.userAgent = userAgent
        self.maxConcurrentPerHost = maxConcurrentPerHost
        self.certificateAuthorities = certificateAuthorities
    }
}

/// `HTTPClient` over libcurl: one multi handle on a thread of its own, connections kept alive and shared within a pool only, every limit
/// enforced while the bytes come in. Time spent waiting for a turn counts towards a call's time-out.
package final class CurlClient: HTTPClient {
    private let mailbox: Mailbox

    /// Throws `StageError` when libcurl is too old or built without what the guards need, or when the machine gives no thread.
    package init(settings: ClientSettings = .init()) throws {
        try Self.startLibrary.get()
        guard let multi = Multi() else { throw Self.unusable("no memory or no descriptors for libcurl") }
        ccurl_multi_set_long(multi.raw, CURLMOPT_MAXCONNECTS, Self.keptConnections)
        let mailbox = Mailbox(multi: multi)
        let start = Unmanaged.passRetained(Start { TransferLoop(mailbox: mailbox, multi: multi, settings: settings).run() })
        let error = ccurl_start_thread(
            { context in
                if let context { Unmanaged<Start>.fromOpaque(context).takeRetainedValue().body() }
            }, start.toOpaque())
        guard error == 0 else {
            start.release()
            multi.free()
            throw Self.unusable("no thread for transfers: errno \(error)")
        }
        self.mailbox = mailbox
    }

    deinit { mailbox.stop() }

    package func call(_ call: HTTPCall) async -> HTTPResult {
        let deadline = ContinuousClock.now + call.timeout
        let transfer: Transfer
        do {
            transfer = try Transfer(CheckedRequest(call), deadline: deadline)
        } catch {
            return .failed(error)
        }
        let ended = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                transfer.continuation = continuation
                if !mailbox.put(.start(transfer)) { continuation.resume(returning: .failed(Self.shutDown)) }
            }
        } onCancel: {
            // Not taken means shut down, and then the call has been answered already.
            _ = mailbox.put(.cancel(transfer))
        }
        return ended.result
    }

    /// Aborts what runs and what waits (`cancelled`), refuses what comes, closes all connections, and returns when that is done.
    package func shutdown() async {
        mailbox.stop()
        await mailbox.ended()
    }

    /// Idle connections kept in one pool.
    private static let keptConnections = 128

    /// libcurl starts once per process, before any other use of it.
    private static let startLibrary: Result<Void, StageError> = {
        guard curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK else { return .failure(unusable("libcurl does not start")) }
        guard let version = ccurl_version()?.pointee, version.version_num >= 0x07_57_00 else {
            return .failure(unusable("libcurl 7.87 or later is needed"))
        }
        for (feature, name) in [
            (CURL_VERSION_ASYNCHDNS, "asynchronous name look-up"), (CURL_VERSION_SSL, "TLS"), (CURL_VERSION_LIBZ, "gzip"),
        ]
        where version.features & feature == 0 {
            return .failure(unusable("this libcurl has no \(name)"))
        }
        return .success(())
    }()

    private static let shutDown = HTTPFailure(kind: .cancelled, mayHaveBeenSent: false, detail: "the client was shut down")

    private static func unusable(_ cause: String) -> StageError {
        StageError(stage: .action, retryable: false, cause: "HTTP client: \(cause)")
    }
}

/// What the new thread runs, carried through C.
private final class Start: Sendable {
    let body: @Sendable () -> Void
    init(body: @escaping @Sendable () -> Void) { self.body = body }
}
