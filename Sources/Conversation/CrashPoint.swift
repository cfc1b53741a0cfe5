#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif
#if DEBUG
    import Synchronization
#endif

/// Places where a crash is worst. In debug builds `SWITCHBOARD_CRASH_AT=name[:k]` kills the process (SIGKILL) on the k-th pass of
/// one of them; in release builds `pass()` is empty and the names are not compiled in.
package enum CrashPoint: Sendable, CaseIterable {
    case bodyRead, signatureChecked, insertedNotCommitted, committedNotAnswered, answeredNotWoken, leaseTaken, decisionStoredNotSent
    case sentNoResponse, responseNotStored, resultStoredReplyNotQueued, replyQueuedNotSent, sentToChannelIDNotStored, retryTimerWritten
    case deadLetterHalfMoved, migrationHalfDone, logFoldedBack, leaseRenewing
    case modelAnsweredNotStored, ticketCreatedNotStored, configurationSwapping, publishedNotMarked

    @inline(__always)
    package func pass() {
        #if DEBUG
            CrashTrigger.shared?.passed(self)
        #endif
    }

    /// In debug builds a text with the words of `SWITCHBOARD_CRASH_ON_TEXT` in it kills the process (SIGKILL) each time it is to be
    /// understood; in release builds this is empty.
    @inline(__always)
    package static func understanding(_ text: String) {
        #if DEBUG
            FatalWords.shared?.check(text)
        #endif
    }
}

#if DEBUG
    extension CrashPoint {
        /// The name outsiders use.
        package var name: String {
            switch self {
            case .bodyRead: "body-read"
            case .signatureChecked: "signature-checked"
            case .insertedNotCommitted: "inserted-not-committed"
            case .committedNotAnswered: "committed-not-answered"
            case .answeredNotWoken: "answered-not-woken"
            case .leaseTaken: "lease-taken"
            case .decisionStoredNotSent: "decision-stored-not-sent"
            case .sentNoResponse: "sent-no-response"
            case .responseNotStored: "response-not-stored"
            case .resultStoredReplyNotQueued: "result-stored-reply-not-queued"
            case .replyQueuedNotSent: "reply-queued-not-sent"
            case .sentToChannelIDNotStored: "sent-to-channel-id-not-stored"
            case .retryTimerWritten: "retry-timer-written"
            case .deadLetterHalfMoved: "dead-letter-half-moved"
            case .migrationHalfDone: "migration-half-done"
            case .logFoldedBack: "checkpointing"
            case .leaseRenewing: "lease-renewing"
            case .modelAnsweredNotStored: "model-answered-not-stored"
            case .ticketCreatedNotStored: "ticket-created-not-stored"
            case .configurationSwapping: "configuration-swapping"
            case .publishedNotMarked: "published-not-marked"
            }
        }
    }

    /// What stands for a message whose handling crashes the process.
    private struct FatalWords: Sendable {
        static let shared = getenv("SWITCHBOARD_CRASH_ON_TEXT").map { FatalWords(words: String(cString: $0)) }

        let words: String

        func check(_ text: String) {
            if !words.isEmpty, text.contains(words) { kill(getpid(), SIGKILL) }
        }
    }

    private final class CrashTrigger: Sendable {
        static let shared = CrashTrigger(setting: getenv("SWITCHBOARD_CRASH_AT").map { String(cString: $0) })

        private let point: CrashPoint
        private let left: Mutex<Int>

        private init?(setting: String?) {
            guard let parts = setting?.split(separator: ":"), let name = parts.first,
                let point = CrashPoint.allCases.first(where: { $0.name == name })
            else { return nil }
            self.point = point
            left = Mutex(parts.count > 1 ? Int(parts[1]) ?? 1 : 1)
        }

        func passed(_ point: CrashPoint) {
            guard point == self.point else { return }
            let isLast = left.withLock { count in
                count -= 1
                return count == 0
            }
            if isLast { kill(getpid(), SIGKILL) }
        }
    }
#endif
