import CCurl
import Conversation

/// The header lines of one request as libcurl's own list, which libcurl reads until the transfer is over. Unchecked, because nobody
/// changes it once it is made.
final class HeaderList: @unchecked Sendable {
    let raw: UnsafeMutablePointer<curl_slist>?

    init(_ request: CheckedRequest) throws(HTTPFailure) {
        var list: UnsafeMutablePointer<curl_slist>?
        var lines = request.headerLines
        // No pause for "100 Continue" before a large body, and no content type that nobody chose.
        lines.append("Expect:")
        if !request.call.headers.contains(where: { $0.name.lowercased() == "content-type" }) { lines.append("Content-Type:") }
        for line in lines {
            guard let longer = curl_slist_append(list, line) else {
                curl_slist_free_all(list)
                throw HTTPFailure(kind: .protocolError, mayHaveBeenSent: false, detail: "no memory for the headers")
            }
            list = longer
        }
        raw = list
    }

    deinit { curl_slist_free_all(raw) }
}
