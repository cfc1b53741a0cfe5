import CCurl
import Conversation

/// libcurl's code and what our callbacks saw, made into one failure.
enum TransferFailure {
    static func of(_ code: CURLcode, _ transfer: Transfer, words: String) -> HTTPFailure {
        let (kind, detail) = kindAndDetail(code, transfer, words)
        return HTTPFailure(kind: kind, mayHaveBeenSent: transfer.wasLetThrough, detail: detail)
    }

    private static func kindAndDetail(_ code: CURLcode, _ transfer: Transfer, _ words: String) -> (HTTPFailure.Kind, String) {
        switch transfer.refusal {
        case .secondPass: return (.secondPass, "the connection died; the request was not sent a second time")
        case .spoiltConnection: return (.protocolError, "something came on the connection that was not asked for")
        case .tooLate: return (.cancelled, "its caller may have lost the right to make this call while it waited; nothing was sent")
        case .bodyTooLarge: return (.tooLarge, "the answer is larger than \(transfer.call.maxResponseBytes) bytes")
        case .headersTooLarge: return (.tooLarge, "the headers of the answer are larger than \(Transfer.maxHeaderBytes) bytes")
        case .forbiddenAddress(let address) where !transfer.wasLetThrough && !transfer.hadPermittedAddress:
            return (.forbiddenAddress, "\(address) is not a public address and no rule opens it")
        case .forbiddenAddress, nil: return (kind(code, transfer), words)
        }
    }

    private static func kind(_ code: CURLcode, _ transfer: Transfer) -> HTTPFailure.Kind {
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .resolve
        case CURLE_COULDNT_CONNECT, CURLE_INTERFACE_FAILED: .connect
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_CACERT_BADFILE,
            CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_PINNEDPUBKEYNOTMATCH:
            .tls
        // Before the request was let through, only the connect time-out is that short.
        case CURLE_OPERATION_TIMEDOUT: !transfer.wasLetThrough && ContinuousClock.now < transfer.deadline ? .connect : .timeout
        case CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE: .reset
        // Afterwards the same codes speak of an answer that is no HTTP.
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_FUNCTION_ARGUMENT:
            transfer.wasLetThrough ? .protocolError : .invalidRequest
        // libcurl says so of a header line beyond its own limit.
        case CURLE_OUT_OF_MEMORY where transfer.wasLetThrough: .tooLarge
        default: .protocolError
        }
    }
}
