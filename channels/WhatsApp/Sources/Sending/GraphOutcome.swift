import Conversation
import JSON

/// What an answer of the Graph API means for the message that was sent.
enum GraphOutcome {
    static func outcome(of result: HTTPResult) -> SendOutcome {
        switch result {
        case .failed(let failure): outcome(of: failure)
        case .answer(let answer): outcome(of: answer)
        }
    }

    private static func outcome(of failure: HTTPFailure) -> SendOutcome {
        let reason = "\(failure.kind.rawValue): \(failure.detail)"
        if failure.mayHaveBeenSent { return .unknown(reason: reason) }
        switch failure.kind {
        case .invalidRequest, .forbiddenAddress:
            return .refused(ChannelError(code: failure.kind.rawValue, message: reason, reaction: .page))
        case .resolve, .connect, .tls, .timeout, .tooLarge, .reset, .secondPass, .cancelled, .protocolError, .breakerOpen:
            return .notSent(reason: reason, retryAfter: nil)
        }
    }

    private static func outcome(of answer: HTTPAnswer) -> SendOutcome {
        let error = GraphError(answer)
        if (200...299).contains(answer.status) {
            guard let id = error.body["messages"][0]["id"].identifier else {
                return .unknown(reason: "HTTP \(answer.status) without a message id")
            }
            return .sent(providerMessageID: id)
        }
        if answer.status == 429 || error.isRateLimit { return .notSent(reason: error.text, retryAfter: error.retryAfter) }
        // A redirect, a time-out on the way or a server error does not say whether the message was taken.
        guard (400...499).contains(answer.status), answer.status != 408 else { return .unknown(reason: error.text) }
        switch error.reaction {
        case .retry: return .notSent(reason: error.text, retryAfter: error.retryAfter)
        case .never, .stopContact, .pauseTemplate, .reauthorize, .askForTemplate, .page:
            return .refused(ChannelError(code: error.name, message: error.text, reaction: error.reaction))
        }
    }
}
