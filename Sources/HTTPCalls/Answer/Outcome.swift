package import Conversation

/// What may be believed about a call after one attempt. The rule: only what certainly did not happen is *not sent*, only a word of the
/// brand is *refused* or *done*, and all the rest is *unknown*.
package enum Outcome {
    /// - Parameters:
    ///   - notDoneStatuses: statuses by which the brand promises that nothing happened; they turn 4xx and 5xx into *not sent*.
    ///   - conflict: what 409 means for this action.
    ///   - now: for a `Retry-After` that is a date.
    ///   - isReadable: whether a 2xx body is what the caller can read (valid JSON, usually); an answer without content is not asked about.
    package static func of(
        _ result: HTTPResult, notDoneStatuses: [Int], conflict: ConflictMeaning, now: Timestamp, isReadable: ([UInt8]) -> Bool
    ) -> CallOutcome {
        switch result {
        case .failed(let failure): of(failure)
        case .answer(let answer): of(answer, notDoneStatuses: notDoneStatuses, conflict: conflict, now: now, isReadable: isReadable)
        }
    }

    private static func of(_ failure: HTTPFailure) -> CallOutcome {
        let reason = "\(failure.kind.rawValue): \(failure.detail)"
        if failure.mayHaveBeenSent { return .unknown(reason: reason) }
        switch failure.kind {
        case .invalidRequest, .forbiddenAddress: return .notSendable(reason: reason)
        case .breakerOpen: return .held(reason: failure.detail)
        case .resolve, .connect, .tls, .timeout, .tooLarge, .reset, .secondPass, .cancelled, .protocolError:
            return .notSent(reason: reason, retryAfter: nil)
        }
    }

    private static func of(
        _ answer: HTTPAnswer, notDoneStatuses: [Int], conflict: ConflictMeaning, now: Timestamp, isReadable: ([UInt8]) -> Bool
    ) -> CallOutcome {
        let status = answer.status
        let retryAfter = RetryAfter.read(answer, now: now)
        switch status {
        case 200...299:
            return hasNoContent(answer) || isReadable(answer.body)
                ? .done(status: status, body: answer.body) : .unknown(reason: "status \(status) with a body that cannot be read")
        case _ where notDoneStatuses.contains(status):
            return .notSent(reason: "status \(status), which this action lists as not done", retryAfter: retryAfter)
        case 429:
            return .notSent(reason: "status 429", retryAfter: retryAfter)
        case 409:
            return switch conflict {
            case .refused: .refused(status: status, body: answer.body)
            case .done: .done(status: status, body: answer.body)
            case .retry: .notSent(reason: "still running", retryAfter: retryAfter)
            }
        case 400...499:
            return .refused(status: status, body: answer.body)
        case 300...399:
            return .unknown(reason: "status \(status), a redirect, which is not followed")
        default:
            return .unknown(reason: "status \(status)")
        }
    }

    /// Empty on purpose: a status without content, or a length of zero said aloud. An empty body that merely ended may have been cut off.
    private static func hasNoContent(_ answer: HTTPAnswer) -> Bool {
        answer.body.isEmpty && (answer.status == 204 || answer.status == 205 || answer.header("content-length") == "0")
    }
}
