import Conversation

/// Puts together one HTTP/1.1 answer from the pieces in which it arrives.
struct AnswerReader {
    private var received: [UInt8] = []
    private var head: (answer: HTTPAnswer, bodyStart: Int)?

    var count: Int { received.count }

    /// The answer once it is complete. Throws `LoopbackClient.Failure.unreadable`.
    mutating func take(_ bytes: some Sequence<UInt8>) throws -> HTTPAnswer? {
        received += bytes
        if head == nil { head = try readHead() }
        guard let head else { return nil }
        if isChunked(head.answer) { return try unchunked(head) }
        guard let length = head.answer.header("content-length").flatMap({ Int($0) }), received.count - head.bodyStart >= length else {
            return nil
        }
        return filled(head.answer, received[head.bodyStart..<head.bodyStart + length])
    }

    /// An answer without a length ends with its connection.
    func atEnd() -> HTTPAnswer? {
        guard let head, head.answer.header("content-length") == nil, !isChunked(head.answer) else { return nil }
        return filled(head.answer, received[head.bodyStart...])
    }

    private func isChunked(_ answer: HTTPAnswer) -> Bool { answer.header("transfer-encoding")?.lowercased() == "chunked" }

    private func filled(_ answer: HTTPAnswer, _ body: ArraySlice<UInt8>) -> HTTPAnswer {
        HTTPAnswer(status: answer.status, headers: answer.headers, body: Array(body))
    }

    private func readHead() throws -> (answer: HTTPAnswer, bodyStart: Int)? {
        guard let end = find([13, 10, 13, 10], from: 0) else { return nil }
        let lines = String(decoding: received[..<end], as: UTF8.self).split(separator: "\r\n")
        let first = (lines.first ?? "").split(separator: " ")
        guard first.count >= 2, first[0].hasPrefix("HTTP/1."), let status = Int(first[1]) else { throw LoopbackClient.Failure.unreadable }
        let headers = lines.dropFirst().compactMap { line -> (name: String, value: String)? in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            return (line[..<colon].lowercased(), String(value))
        }
        return (HTTPAnswer(status: status, headers: headers), end + 4)
    }

    private func unchunked(_ head: (answer: HTTPAnswer, bodyStart: Int)) throws -> HTTPAnswer? {
        var body: [UInt8] = []
        var position = head.bodyStart
        while let lineEnd = find([13, 10], from: position) {
            let size = String(decoding: received[position..<lineEnd], as: UTF8.self).prefix { $0 != ";" }
            guard let length = Int(size, radix: 16), length >= 0 else { throw LoopbackClient.Failure.unreadable }
            if length == 0 { return filled(head.answer, body[...]) }
            guard received.count >= lineEnd + 2 + length + 2 else { return nil }
            body += received[lineEnd + 2..<lineEnd + 2 + length]
            position = lineEnd + 2 + length + 2
        }
        return nil
    }

    private func find(_ pattern: [UInt8], from start: Int) -> Int? {
        guard received.count >= start + pattern.count else { return nil }
        return (start...received.count - pattern.count).first { position in
            received[position] == pattern[0] && received[position..<position + pattern.count].elementsEqual(pattern)
        }
    }
}
