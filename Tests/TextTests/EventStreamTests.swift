import Testing
import Text

@Suite struct EventStreamTests {
    private func events(_ text: String, piece: Int = .max) -> [StreamEvent] {
        var parser = EventStreamParser()
        var rest = Array(text.utf8)[...]
        var events: [StreamEvent] = []
        while !rest.isEmpty {
            events += parser.feed(rest.prefix(piece))
            rest = rest.dropFirst(piece)
        }
        return events
    }

    @Test(arguments: [1, 2, 3, 7, .max]) func eventsAreReadWhereverTheBytesAreCut(piece: Int) {
        let stream = "id: 7\nevent: message\ndata: {\"text\":\"Grüße 👋\"}\n\n: still here\n\nevent: typing\ndata: {}\nid: 8\n\n"
        #expect(
            events(stream, piece: piece) == [
                StreamEvent(type: "message", data: "{\"text\":\"Grüße 👋\"}", id: "7"), StreamEvent(type: "typing", data: "{}", id: "8"),
            ])
    }

    @Test(arguments: ["\n", "\r", "\r\n"]) func everyLineEndCounts(end: String) {
        let stream = ["data: one", "data: two", "", "data:three", "", ""].joined(separator: end)
        #expect(events(stream, piece: 1).map(\.data) == ["one\ntwo", "three"])
    }

    @Test func anEventThatIsNotEndedIsNone() {
        #expect(events("data: half").isEmpty)
        #expect(events("data: half\n").isEmpty)
        #expect(events("event: hello\n\n").isEmpty)
    }

    @Test func onlyOneSpaceAfterTheColonIsDropped() {
        #expect(events("data:  two\ndata\n\n").map(\.data) == [" two\n"])
    }

    @Test func theIdIsKeptUntilAnotherOneComes() {
        var parser = EventStreamParser()
        #expect(parser.feed(Array("id: 3\ndata: a\n\ndata: b\n\n".utf8)).map(\.id) == ["3", "3"])
        #expect(parser.lastEventID == "3")
        #expect(parser.feed(Array("id\ndata: c\n\n".utf8)).map(\.id) == [""])
        #expect(parser.feed(Array("id: 4\u{0}\ndata: d\n\n".utf8)).map(\.id) == [""])
    }

    @Test func aByteOrderMarkAndUnknownFieldsAreOverlooked() {
        #expect(events("\u{FEFF}data: x\nfuture: y\n\n").map(\.data) == ["x"])
    }

    @Test func onlyDigitsAreATimeToWait() {
        var parser = EventStreamParser()
        _ = parser.feed(Array("retry: 2500\nretry: soon\nretry: -1\n".utf8))
        #expect(parser.retry == 2500)
    }

    @Test func aLineWithoutEndDoesNotFillTheMemory() {
        var parser = EventStreamParser()
        let megabyte = [UInt8](repeating: 120, count: 1 << 20)
        _ = parser.feed(Array("data:".utf8))
        for _ in 0..<4 { _ = parser.feed(megabyte) }
        #expect(parser.feed([10, 10]).first?.data.utf8.count ?? 0 <= EventStreamParser.longestLine)
        for _ in 0..<4 { _ = parser.feed(Array("data:".utf8) + megabyte.prefix(600_000) + [10]) }
        #expect(parser.feed([10]).first?.data.utf8.count ?? 0 <= EventStreamParser.longestLine)
    }
}
