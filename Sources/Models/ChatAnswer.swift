internal import Conversation
internal import HTTPCalls
internal import JSON

/// What came back of one call: the text or why there is none, and the tokens that the endpoint says it used. Nothing of a body, and no
/// words of an error message, get into a failure's detail: both may repeat what was asked.
struct ChatAnswer: Sendable {
    struct Usage: Sendable, Hashable {
        var input: Int
        var output: Int
    }

    /// No honest call uses more; a larger number is cut.
    static let mostTokens = 10_000_000

    var result: ModelResult
    var usage: Usage?

    static func read(_ result: HTTPResult, isJSON: Bool, now: Timestamp) -> ChatAnswer {
        switch result {
        case .failed(let failure): ChatAnswer(result: .failed(Self.failure(failure)))
        case .answer(let answer):
            (200..<300).contains(answer.status)
                ? read(answer.body, isJSON: isJSON)
                : ChatAnswer(result: .failed(Self.failure(answer, now: now)), usage: usage(in: answer.body))
        }
    }

    private static func usage(in body: [UInt8]) -> Usage? {
        do {
            return usage(try JSONDocument.parse(body).root)
        } catch {
            // An error page need not be JSON.
            return nil
        }
    }

    private static func read(_ body: [UInt8], isJSON: Bool) -> ChatAnswer {
        let root: JSONView
        do {
            root = try JSONDocument.parse(body).root
        } catch {
            return ChatAnswer(result: failed(.unreadable, "the answer is not JSON"))
        }
        return ChatAnswer(result: text(root, isJSON: isJSON), usage: usage(root))
    }

    private static func text(_ root: JSONView, isJSON: Bool) -> ModelResult {
        let choice = root["choices"][0]
        let message = choice["message"]
        guard message.isObject else { return failed(.unreadable, "the answer has no message") }
        if let refusal = message["refusal"].string, !refusal.isEmpty { return failed(.refused, "the model declined") }
        let parts = message["content"].array ?? []
        if parts.contains(where: { $0["type"].string == "refusal" }) { return failed(.refused, "the model declined") }
        switch choice["finish_reason"].string {
        case "content_filter": return failed(.refused, "a content filter stopped the answer")
        // Cut JSON is for its reader to judge; a cut sentence is no answer.
        case "length" where !isJSON: return failed(.unreadable, "the answer was cut at its most tokens")
        default: break
        }
        let text = message["content"].string ?? parts.compactMap { $0["text"].string }.joined()
        guard text.contains(where: { !$0.isWhitespace }) else { return failed(.unreadable, "the answer has no text") }
        return .answer(text)
    }

    /// Nil unless both counts are there.
    private static func usage(_ root: JSONView) -> Usage? {
        let usage = root["usage"]
        guard let input = count(usage["prompt_tokens"]) else { return nil }
        if let output = count(usage["completion_tokens"]) { return Usage(input: input, output: output) }
        return count(usage["total_tokens"]).map { Usage(input: input, output: max(0, $0 - input)) }
    }

    private static func count(_ view: JSONView) -> Int? {
        guard let number = view.double, number.isFinite else { return nil }
        return Int(max(0, min(number, Double(mostTokens))))
    }

    private static func failed(_ kind: ModelFailure.Kind, _ detail: String) -> ModelResult { .failed(ModelFailure(kind, detail)) }
}

extension ChatAnswer {
    private static func failure(_ failure: HTTPFailure) -> ModelFailure {
        let kind: ModelFailure.Kind =
            switch failure.kind {
            case .timeout: .timeout
            case .tooLarge: .tooLarge
            case .invalidRequest, .forbiddenAddress: .rejected
            case .resolve, .connect, .tls, .reset, .secondPass, .cancelled, .protocolError, .breakerOpen: .unavailable
            }
        return ModelFailure(kind, "\(failure.kind.rawValue): \(failure.detail)")
    }

    private static func failure(_ answer: HTTPAnswer, now: Timestamp) -> ModelFailure {
        let code = code(in: answer.body)
        let detail = "status \(answer.status)" + (code.map { ", \($0)" } ?? "")
        switch answer.status {
        case 429: return ModelFailure(.rateLimited, detail, retryAfter: RetryAfter.read(answer, now: now))
        case 408, 500...: return ModelFailure(.unavailable, detail, retryAfter: RetryAfter.read(answer, now: now))
        // Some providers answer a filtered prompt so.
        case 400 where code == "content_filter": return ModelFailure(.refused, detail)
        default: return ModelFailure(.rejected, detail)
        }
    }

    /// The endpoint's own short word for an error, when it is one.
    private static func code(in body: [UInt8]) -> String? {
        guard let error = try? JSONDocument.parse(body).root["error"] else { return nil }
        return [error["code"].string, error["type"].string].compactMap { $0 }.first { word in
            (1...40).contains(word.utf8.count) && word.utf8.allSatisfy { (97...122).contains($0) || $0 == UInt8(ascii: "_") }
        }
    }
}
