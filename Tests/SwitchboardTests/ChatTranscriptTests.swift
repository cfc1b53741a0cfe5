import Conversation
import Testing

@testable import Switchboard

@Suite struct ChatTranscriptTests {
    private static let first = "01a1fc5c-b9e5-70c3-86f0-36c588d1ae3f"
    private static let second = "01a1fc5c-b9ed-7229-a7ed-b7d451f040f0"

    private func message(_ id: String, _ direction: String, _ content: JSONValue) -> JSONValue {
        ["id": .string(id), "direction": .string(direction), "content": content]
    }

    @Test func aReplyIsShownOnce() {
        var transcript = ChatTranscript()
        let reply = message(Self.first, "out", ["type": "text", "text": "Hello"])
        #expect(transcript.take(type: "message", data: reply) == ["< Hello"])
        #expect(transcript.take(message: reply).isEmpty)
        #expect(transcript.replies == 1)
    }

    @Test func aReplyThatLeavesAfterALaterMessageIsShown() {
        var transcript = ChatTranscript()
        #expect(transcript.take(message: message(Self.second, "in", ["type": "text", "text": "and tomorrow?"])).isEmpty)
        #expect(transcript.take(message: message(Self.first, "out", ["type": "text", "text": "Hello"])) == ["< Hello"])
    }

    @Test func aNumberAnswersWithTheOptionOfThatNumber() {
        var transcript = ChatTranscript()
        let options: JSONValue = [["id": "y", "title": "Yes"], ["id": "n", "title": "No"]]
        let question = message(Self.first, "out", ["type": "choices", "text": "Book it?", "options": options])
        #expect(transcript.take(message: question) == ["< Book it?", "  1. Yes", "  2. No"])
        #expect(transcript.meaning(of: "2") == .reply(id: "n"))
        #expect(transcript.meaning(of: "3") == .text("3"))
        #expect(transcript.meaning(of: "yes") == .text("yes"))
    }

    @Test func whatOthersWriteDoesNotMoveTheCursor() {
        var transcript = ChatTranscript()
        let hostile = message(Self.first, "out", ["type": "text", "text": "\u{1B}]0;title\u{07}\u{1B}[2Jhi"])
        #expect(transcript.take(message: hostile) == ["< ]0;title[2Jhi"])
    }
}
