import Conversation
import HTTPCalls
import Testing

struct OutcomeTests {
    /// 1994-11-06T08:49:00Z.
    private static let now = Timestamp(seconds: 784_111_740)

    private func told(
        _ status: Int, headers: [(String, String)] = [], body: String = "{}", notDone: [Int] = [], conflict: ConflictMeaning = .refused
    ) -> String {
        let answer = HTTPAnswer(status: status, headers: headers.map { (name: $0.0, value: $0.1) }, body: Array(body.utf8))
        return told(.answer(answer), notDone: notDone, conflict: conflict)
    }

    /// The outcome in one comparable word, with its status or its wish.
    private func told(_ result: HTTPResult, notDone: [Int] = [], conflict: ConflictMeaning = .refused) -> String {
        let outcome = Outcome.of(result, notDoneStatuses: notDone, conflict: conflict, now: Self.now) { $0.first == UInt8(ascii: "{") }
        return switch outcome {
        case .notSent(_, let retryAfter): "not sent" + (retryAfter.map { " \($0.milliseconds)" } ?? "")
        case .notSendable: "not sendable"
        case .held: "held"
        case .refused(let status, _): "refused \(status)"
        case .done(let status, _): "done \(status)"
        case .unknown: "unknown"
        }
    }

    @Test(arguments: [
        (200, "done 200"), (201, "done 201"), (299, "done 299"), (301, "unknown"), (304, "unknown"), (307, "unknown"), (400, "refused 400"),
        (401, "refused 401"), (404, "refused 404"), (409, "refused 409"), (422, "refused 422"), (429, "not sent"), (499, "refused 499"),
        (500, "unknown"), (502, "unknown"), (503, "unknown"), (504, "unknown"), (599, "unknown"), (600, "unknown"), (0, "unknown"),
        (101, "unknown"),
    ])
    func statusSaysWhatMayBeBelieved(status: Int, expected: String) {
        #expect(told(status) == expected)
    }

    @Test(arguments: [
        (HTTPFailure.Kind.resolve, false, "not sent"), (.connect, false, "not sent"), (.tls, false, "not sent"),
        (.forbiddenAddress, false, "not sendable"), (.forbiddenAddress, true, "unknown"), (.breakerOpen, false, "held"),
        (.timeout, false, "not sent"), (.cancelled, false, "not sent"), (.invalidRequest, false, "not sendable"),
        (.timeout, true, "unknown"),
        (.tooLarge, true, "unknown"), (.reset, true, "unknown"), (.secondPass, true, "unknown"), (.cancelled, true, "unknown"),
        (.protocolError, true, "unknown"),
    ])
    func failureIsUnknownWheneverAByteMayHaveLeft(kind: HTTPFailure.Kind, mayHaveBeenSent: Bool, expected: String) {
        #expect(told(.failed(HTTPFailure(kind: kind, mayHaveBeenSent: mayHaveBeenSent, detail: ""))) == expected)
    }

    @Test(arguments: [(ConflictMeaning.refused, "refused 409"), (.done, "done 409"), (.retry, "not sent 3000")])
    func conflictMeansWhatTheActionSays(conflict: ConflictMeaning, expected: String) {
        #expect(told(409, headers: [("retry-after", "3")], conflict: conflict) == expected)
    }

    @Test func statusListedAsNotDoneIsNotSent() {
        #expect(told(503, notDone: [503]) == "not sent")
        #expect(told(503, headers: [("retry-after", "120")], notDone: [503]) == "not sent 120000")
        #expect(told(502, notDone: [503]) == "unknown")
        #expect(told(423, notDone: [423]) == "not sent")
        #expect(told(409, notDone: [409], conflict: .done) == "not sent")
    }

    @Test func successCannotBeDeclaredNotDone() {
        #expect(told(200, notDone: [200]) == "done 200")
    }

    @Test(arguments: [
        (200, "<html>", [(String, String)](), "unknown"), (201, "{", [], "done 201"), (204, "", [], "done 204"), (205, "", [], "done 205"),
        (200, "", [], "unknown"), (200, "", [("content-length", "0")], "done 200"), (202, "ok", [("content-length", "0")], "unknown"),
    ])
    func successThatCannotBeReadIsUnknown(status: Int, body: String, headers: [(String, String)], expected: String) {
        #expect(told(status, headers: headers, body: body) == expected)
    }

    @Test(arguments: [
        ("0", 0), ("5", 5000), (" 7 ", 7000), ("86400", 86_400_000), ("86401", 86_400_000), ("99999999999999999999", 86_400_000),
        ("9223372036854775807", 86_400_000), ("Sun, 06 Nov 1994 08:49:37 GMT", 37_000), ("Sunday, 06-Nov-94 08:49:37 GMT", 37_000),
        ("Sun Nov  6 08:49:37 1994", 37_000), ("Sun, 06 Nov 1994 08:00:00 GMT", 0), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400_000),
    ])
    func retryAfterIsReadInEveryForm(text: String, milliseconds: Int) {
        #expect(told(429, headers: [("retry-after", text)]) == "not sent \(milliseconds)")
    }

    @Test(arguments: [
        "", "soon", "-5", "+5", "1.5", "5s", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT", "Sun, 06 Nov 1994", "٣",
    ])
    func retryAfterThatCannotBeReadIsNoWish(text: String) {
        #expect(told(429, headers: [("retry-after", text)]) == "not sent")
    }
}
