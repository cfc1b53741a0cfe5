import CCurl
import Conversation

/// Everything one pool has for itself: its connections, its TLS sessions, its easy handles and its waiting line. Lives on the transfer
/// thread.
final class Pool {
    let share: UnsafeMutableRawPointer
    /// Outlives the connections, which report their end to it.
    let sockets = SocketTable()
    var line: WaitingLine<Transfer>
    var lastUsed: ContinuousClock.Instant
    private var idle: [EasyHandle] = []
    private let settings: ClientSettings

    private static let mostIdleHandles = 64

    init?(settings: ClientSettings, now: ContinuousClock.Instant) {
        guard let share = curl_share_init() else { return nil }
        // One multi handle would reuse a connection of any of its transfers; with a connection cache per pool it finds only the pool's own.
        guard ccurl_share_add(share, CURL_LOCK_DATA_CONNECT) == CURLSHE_OK, ccurl_share_add(share, CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK
        else {
            curl_share_cleanup(share)
            return nil
        }
        self.share = share
        self.settings = settings
        line = WaitingLine(limit: 1, hostLimit: settings.maxConcurrentPerHost)
        lastUsed = now
    }

    deinit {
        idle = []
        curl_share_cleanup(share)
    }

    func takeHandle() -> EasyHandle? { idle.popLast() ?? EasyHandle(pool: self, settings: settings) }

    func giveBack(_ handle: EasyHandle) {
        handle.reset()
        if idle.count < Self.mostIdleHandles { idle.append(handle) }
    }
}
