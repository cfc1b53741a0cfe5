import Conversation
import Testing

@testable import Gateway

/// How the body of a command is read.
struct SendCommandTests {
    private static let user = "01a1fd8e-4110-7085-b718-b03eeef1b9af"

    private func command(_ more: [String: JSONValue], to: JSONValue = ["user_id": .string(user)]) throws -> SendCommand {
        try SendCommand(json: .object(["instance": "salon-web", "to": to].merging(more) { $1 }))
    }

    private func problems(_ json: JSONValue) -> [String] {
        do throws(InvalidCommand) {
            _ = try SendCommand(json: json)
            return []
        } catch {
            return error.problems.map(\.pointer)
        }
    }

    @Test func eachKindOfContentIsRead() throws {
        let text = try command(["text": "Hello", "category": "marketing", "media": .null])
        #expect(text.content == .text("Hello") && text.category == .marketing && text.instance.rawValue == "salon-web")
        #expect(text.recipient == .user(try #require(UserID(Self.user))))
        let choices = try command([
            "interactive": ["text": "Coming?", "options": [["title": "Yes"], ["id": "n", "title": "No", "description": "Another day"]]]
        ])
        #expect(
            choices.content
                == .choices(
                    ChoicePrompt(
                        text: "Coming?",
                        options: [.init(id: "", title: "Yes"), .init(id: "n", title: "No", description: "Another day")])))
        #expect(choices.category == .service)
        let template = try command(["template": ["name": "reminder", "language": "en_US", "parameters": ["Monday"]]])
        #expect(template.content == .template(TemplateMessage(name: "reminder", language: "en_US", parameters: ["Monday"])))
        let media = try command(["media": ["kind": "document", "url": "https://files.example/1.pdf", "filename": "1.pdf", "caption": "x"]])
        #expect(
            media.content == .media(Media(kind: .document, url: "https://files.example/1.pdf", caption: "x", filename: "1.pdf")))
    }

    @Test(arguments: [
        ("phone", "+15550001111", "+15550001111"), ("phone", "15550001111", "+15550001111"), ("bsuid", "US.1349", "US.1349"),
        ("phone", "+1 (555) 000-1111", "+15550001111"), ("phone", "1.555\u{A0}000/1111", "+15550001111"),
        ("phone", "12345", "+12345"), ("email", "Orders@Shop.EXAMPLE", "orders@shop.example"), ("parent_bsuid", "US.99", "US.99"),
        ("email", "a@b.example", "a@b.example"), ("brand_user", "c-17", "c-17"),
    ]) func anIdentifierIsReadAsItStandsInTheStore(name: String, said: String, kept: String) throws {
        let kind = try #require(Identifier.Kind(rawValue: name))
        let read = try command(["text": "x"], to: .object([name: .string(said)]))
        #expect(read.recipient == .identifier(Identifier(kind: kind, value: kept)))
    }

    @Test func everythingThatIsWrongIsSaidWithItsPlace() {
        #expect(problems([]) == [""])
        #expect(Set(problems([:])) == ["/instance", "/to"])
        let wrong: JSONValue = [
            "instance": 1, "to": ["phone": "abc"], "text": "  ", "categroy": "marketing", "category": "offers",
        ]
        #expect(Set(problems(wrong)) == ["/instance", "/to/phone", "/text", "/categroy", "/category"])
    }

    @Test(
        arguments: [
            ["to": ["user_id": "x"]], ["to": ["user_id": "01a1fd8e-4110-7085-b718-b03eeef1b9af", "phone": "+15550001111"]],
            ["to": [:]], ["to": "someone"], ["to": ["guest": "g1"]], ["to": ["phone": "+1555000a111"]], ["to": ["phone": "1234"]],
            ["to": ["phone": "++15550001111"]], ["to": ["phone": "1234567890123456"]], ["to": ["phone": "１５５５０００１１１１"]],
            ["to": ["email": "nobody"]], ["to": ["email": "a@b@c.example"]], ["to": ["email": "a b@c.example"]],
            ["to": ["email": "@c.example"]],
        ] as [JSONValue]) func aRecipientThatIsNoneIsRefused(more: JSONValue)
    {
        let body: [String: JSONValue] = ["instance": "salon-web", "text": "x"]
        #expect(problems(.object(body.merging(more.object ?? [:]) { $1 })).allSatisfy { $0.hasPrefix("/to") })
        #expect(!problems(.object(body.merging(more.object ?? [:]) { $1 })).isEmpty)
    }

    @Test(
        arguments: [
            [:], ["text": "a", "media": ["kind": "image", "id": "1"]], ["text": ["a"]], ["text": ""], ["text": .null],
            ["interactive": ["text": "x", "options": []]], ["interactive": ["text": "x", "options": [["title": "A"], ["title": "A"]]]],
            ["interactive": ["text": "x", "options": [["id": "1", "title": "A"], ["id": "1", "title": "B"]]]],
            ["interactive": ["text": "x", "options": [["title": ""]]]], ["interactive": ["options": [["title": "A"]]]],
            ["interactive": ["text": "x", "options": .array(Array(repeating: ["title": "A"], count: 11))]], ["interactive": "x"],
            ["template": ["name": "x"]], ["template": ["name": "x", "language": "en", "parameters": [1]]],
            ["template": ["name": "x", "language": "en", "parameters": "y"]], ["media": ["kind": "image"]],
            ["media": ["kind": "image", "url": "javascript:alert(1)"]], ["media": ["kind": "image", "url": "file:///etc/passwd"]],
            ["media": ["kind": "hologram", "id": "1"]], ["media": ["kind": "image", "id": "1", "url": "https://a.example"]],
        ] as [JSONValue]) func contentThatIsNoneIsRefused(more: JSONValue)
    {
        let body: [String: JSONValue] = ["instance": "salon-web", "to": ["user_id": .string(Self.user)]]
        #expect(!problems(.object(body.merging(more.object ?? [:]) { $1 })).isEmpty)
    }

    @Test func whatNoStoreTakesIsReplacedAndListsOfFaultsEnd() throws {
        #expect(try command(["text": "a\0b"]).content == .text("a\u{FFFD}b"))
        let fields = Dictionary(uniqueKeysWithValues: (0..<100).map { ("x\($0)", JSONValue.null) })
        #expect(problems(.object(fields)).count == 20)
        #expect(problems(["a/b~c": 1]).contains("/a~1b~0c"))
    }

    @Test func aTextOfTheLargestSizeIsTakenAndALongerOneIsNot() throws {
        #expect(throws: Never.self) { try command(["text": .string(String(repeating: "é", count: 8_000))]) }
        #expect(throws: InvalidCommand.self) { try command(["text": .string(String(repeating: "é", count: 8_001))]) }
    }
}
