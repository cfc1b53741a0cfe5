import Conversation
import Testing

struct ValueTests {
    @Test(arguments: [
        (0.0, "0"), (-0.0, "0"), (1.0, "1"), (4.5, "4.5"), (1e21, "1e+21"), (1e20, "100000000000000000000"), (1e-6, "0.000001"),
        (1e-7, "1e-7"), (333_333_333.333_333_29, "333333333.3333333"), (9_007_199_254_740_991.0, "9007199254740991"),
        (-1.5e300, "-1.5e+300"),
        (2e-3, "0.002"), (.leastNonzeroMagnitude, "5e-324"),
    ])
    func numbersAreWrittenAsRFC8785Says(value: Double, text: String) { #expect(CanonicalJSON.number(value) == text) }

    @Test func membersAreSortedByUTF16AndTextsEscapedShort() {
        let value: JSONValue = ["\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "ö": 7]
        #expect(CanonicalJSON.text(value) == "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\u{fb33}\":3}")
        #expect(CanonicalJSON.text("a\u{1}\n\"\\/") == #""a\u0001\n\"\\/""#)
    }

    @Test(arguments: [
        "2026-11-20T23:16:05.123Z", "1970-01-01T00:00:00.000Z", "1969-12-31T23:59:59.999Z", "2024-02-29T12:00:00.000Z",
        "2100-03-01T00:00:00.000Z",
    ])
    func timestampsReadAndWriteRFC3339(text: String) { #expect(Timestamp(text)?.description == text) }

    @Test func offsetsAreUnderstoodAndGarbageRefused() {
        #expect(Timestamp("2026-11-20T18:16:05-05:00")?.description == "2026-11-20T23:16:05.000Z")
        #expect(
            ["", "2026-11-20", "2026-13-20T00:00:00Z", "2026-11-20T00:00:00", "2026-11-20T00:00:00+5"].allSatisfy { Timestamp($0) == nil })
    }

    @Test func pointersFollowRFC6901() {
        let value: JSONValue = ["a": ["b", ["c/d": 1, "e~f": 2]]]
        #expect(value.at(pointer: "/a/1/c~1d") == 1)
        #expect(value.at(pointer: "/a/1/e~0f") == 2)
        #expect(value.at(pointer: "") == value)
        #expect(value.at(pointer: "/a/2") == nil && value.at(pointer: "a") == nil)
    }

    @Test func idsAreUniqueSortedAndOfVersionSeven() {
        let ids = SystemIDs()
        let minted = (0..<10_000).map { _ in ids.next() }
        #expect(Set(minted).count == minted.count)
        #expect(minted == minted.sorted())
        #expect(minted.allSatisfy { $0.high >> 12 & 0xF == 7 && $0.low >> 62 == 2 })
        #expect(minted.prefix(20).allSatisfy { UniqueID($0.description) == $0 && UniqueID(bytes: $0.bytes) == $0 })
        #expect(UniqueID("not-an-id") == nil)
    }

    @Test(arguments: ["salon", "a", "9-lives", String(repeating: "a", count: 63)]) func goodSlugsPass(text: String) {
        #expect(BrandID(validating: text) != nil)
    }

    @Test(arguments: ["", "-a", "Salon", "a_b", "a.b", String(repeating: "a", count: 64), "é"]) func badSlugsFail(text: String) {
        #expect(InstanceID(validating: text) == nil)
    }

    @Test func secretsNeverPrint() {
        let secret = Secret("hunter2-hunter2-hunter2")
        #expect(!"\(secret)\(String(reflecting: secret))\(["x": secret])".contains("hunter2"))
    }

    @Test(arguments: [
        Content.text("hi"), .media(Media(kind: .voice, id: "1", mimeType: "audio/ogg")), .location(Location(latitude: 1.5, longitude: -2)),
        .contacts([["name": "x"]]), .reaction(Reaction(messageID: "m", emoji: nil)),
        .reply(InteractiveReply(kind: .list, id: "r", title: "T", response: ["a": 1])), .order(["items": []]),
        .system(SystemNotice(type: "moved", body: "b", newIdentifier: Identifier(kind: .phone, value: "+1"))),
        .unsupported(kind: "poll", raw: "{}"),
    ])
    func contentSurvivesTheStore(content: Content) { #expect(Content(json: content.json) == content) }

    @Test(arguments: [
        OutboundContent.text("x"), .choices(ChoicePrompt(text: "?", options: [.init(id: "a", title: "A", description: "d")])),
        .template(TemplateMessage(name: "t", language: "en_US", parameters: ["1"])), .media(Media(kind: .image, url: "u")),
        .reaction(Reaction(messageID: "m", emoji: "👍")),
    ])
    func outboundContentSurvivesTheStore(content: OutboundContent) { #expect(OutboundContent(json: content.json) == content) }

    @Test func signalsOfASheetAreListedOnceInTheOrderShown() {
        let sheet = AnswerSheet(type: .singleChoice, options: ["b": ["two", "x"], "a": ["one", "x"]], order: ["b", "a"], context: "c")
        #expect(sheet.availableSignals == ["b", "two", "x", "a", "one"])
    }
}
