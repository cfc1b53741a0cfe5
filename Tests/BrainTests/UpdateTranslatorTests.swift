import Brain
import Conversation
import Testing

struct UpdateTranslatorTests {
    private let now = Timestamp(milliseconds: 1_800_000_000_000)

    @Test(arguments: StreamingUpdate.Kind.allCases) func everyUpdateHasALine(kind: StreamingUpdate.Kind) {
        let shown = UpdateTranslator(templates: [:]).screen(StreamingUpdate(kind, at: now, ["queue_id": "q"]))
        #expect(shown.fields["status_line"]?.string?.isEmpty == false)
        #expect(shown.fields["queue_id"] == "q")
        #expect(shown.kind == kind)
    }

    @Test func progressRunsFromNothingToAll() {
        let translator = UpdateTranslator(templates: [:])
        let kinds: [(StreamingUpdate.Kind, [String: JSONValue])] = [
            (.actionQueued, [:]), (.actionExecuting, ["progress": 0]), (.actionProgress, ["progress": 40, "current_step": "Booking"]),
            (.actionCompleted, ["result": [:]]),
        ]
        let shown = kinds.map { translator.screen(StreamingUpdate($0.0, at: now, $0.1)) }
        #expect(shown.map { $0.fields["progress"] } == [0, 0, 40, 100])
        #expect(shown[2].fields["status_line"] == "Booking")
    }

    @Test func theBrandsOwnWordsCount() {
        let translator = UpdateTranslator(templates: ["status.action_queued": "One moment"])
        #expect(translator.screen(StreamingUpdate(.actionQueued, at: now)).fields["status_line"] == "One moment")
    }

    @Test func whyACallFailedStaysWithTheBrand() {
        let error: JSONValue = ["outcome": "refused", "detail": "the answer of an inner system"]
        let shown = UpdateTranslator(templates: [:]).screen(StreamingUpdate(.actionFailed, at: now, ["error": error]))
        #expect(shown.fields["error"] == ["outcome": "refused"])
    }
}
