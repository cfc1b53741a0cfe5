import Conversation
import Testing

struct CanonicalTextTests {
    @Test(arguments: ["", "plain", "with \"quotes\" and \\", "line\nbreak\ttab\u{1}", "emoji 🧵 and ü", "\u{2028}"])
    func textIsWrittenAsItsJSONIs(text: String) {
        let content = Content.text(text)
        #expect(content.canonicalText == CanonicalJSON.text(content.json))
    }

    @Test func otherContentIsWrittenAsItsJSONIs() {
        let content = Content.reaction(Reaction(messageID: "m", emoji: "👍"))
        #expect(content.canonicalText == CanonicalJSON.text(content.json))
    }
}
