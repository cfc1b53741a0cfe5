import Conversation

/// What leaves the sandbox in the end.
enum Reply: Sendable {
    case answer(StandInAnswer)
    /// The connection is reset.
    case drop
}

extension Fault {
    /// Turns the answer of a stand-in (nil when it did not act) into what the fault makes of it.
    func spoil(_ answer: StandInAnswer?, errorBody: (Int) -> JSONValue) -> Reply {
        if drop != nil { return .drop }
        var spoiled = refusal(errorBody: errorBody) ?? answer ?? .json(200, [:])
        if isGarbage {
            spoiled.status = status ?? 200
            spoiled.body = Self.garbage
        }
        if let filler {
            spoiled.status = status ?? 200
            spoiled.filler = filler
        }
        if let gzipBytes {
            spoiled.status = status ?? 200
            spoiled.headers.append(.init(name: "Content-Encoding", value: "gzip"))
            spoiled.body = GzipBomb.bytes(unpackingTo: gzipBytes)
        }
        if let trickle { spoiled.filler = .trickle(trickle) }
        if let headerBytes { spoiled.headers += Self.padding(headerBytes) }
        return .answer(spoiled)
    }

    private func refusal(errorBody: (Int) -> JSONValue) -> StandInAnswer? {
        if let redirect {
            let code = status.flatMap { (300...399).contains($0) ? $0 : nil } ?? 302
            return StandInAnswer(status: code, headers: [.init(name: "Location", value: redirect)], body: [])
        }
        guard let code = status ?? retryAfter.map({ _ in 429 }) else { return body.map { .json(200, $0) } }
        var answer = StandInAnswer.json(code, body ?? errorBody(code))
        if let retryAfter { answer.headers.append(.init(name: "Retry-After", value: String(retryAfter))) }
        return answer
    }

    /// Begins like JSON, then is neither JSON nor UTF-8.
    private static let garbage: [UInt8] = Array("{\"id\": \"".utf8) + [0xFF, 0xFE, 0xC3, 0x28, 0x00, 0x80] + Array("}}<html".utf8)

    /// Lines of at most 4 KiB, so that the sum is tested and not the length of one line.
    private static func padding(_ count: Int) -> [StandInAnswer.Header] {
        stride(from: 0, to: count, by: 4096).map { offset in
            let name = "x-padding-\(offset / 4096)"
            let length = min(4096, count - offset) - name.count - ": \r\n".utf8.count
            return StandInAnswer.Header(name: name, value: String(repeating: "x", count: max(1, length)))
        }
    }
}
