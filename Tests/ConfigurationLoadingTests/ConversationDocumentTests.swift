import Conversation
import Foundation
import Testing

@testable import ConfigurationLoading

@Suite struct ConversationDocumentTests {
    private static let good = """
        name: A cake is ordered
        brand: shop
        turns:
          - say: "hello"
            expect: { replies: ["^Hello"], intents: [greeting], actions: [] }
          - choose: '/^Yes/'
            expect:
              state: { active_task.status: completed, expecting_response: false, active_task.params_missing: null }
              blocked: ["auth"]
          - say: "bye"
            expect: { no_reply: true }
        """

    private func read(_ text: String) throws -> (script: ConversationScript?, problems: [String]) {
        let fixture = try Fixture()
        try fixture.write("conversation.yaml", text)
        let brands = fixture.load().brands
        let document = ConversationDocument(
            file: "\(fixture.root)/conversation.yaml", brands: brands, channel: try #require(brands.first?.instances.first?.channel)
        ) { $0.contains("(") ? "missing )" : nil }
        let (script, problems) = document.read()
        return (script, problems.map { "\($0)".replacing(fixture.root + "/", with: "") })
    }

    @Test func aGoodFileIsReadWhole() throws {
        let (script, problems) = try read(Self.good)
        #expect(problems == [])
        let turns = try #require(script?.turns)
        #expect(turns.map(\.line) == [4, 6, 10])
        #expect(turns[0].expected.replies?.map(\.value) == ["^Hello"])
        #expect(turns[0].expected.actions?.isEmpty == true && turns[0].expected.blocked == nil)
        guard case .choose(.pattern("^Yes")) = turns[1].act else {
            Issue.record("\(turns[1].act)")
            return
        }
        #expect(turns[1].expected.state.map(\.value.rule) == [.literal("completed"), .literal(false), .literal(.null)])
        #expect(turns[2].expected.replies?.isEmpty == true)
        #expect(script?.customer == nil)
    }

    /// (what stands there, what is written instead, line, key, what the message must hold)
    @Test(arguments: [
        ("turns:", "truns:", 3, "truns", "did you mean \"turns\"?"), ("brand: shop", "brand: shp", 2, "brand", "did you mean \"shop\"?"),
        ("say: \"hello\"", "sya: \"hello\"", 4, "turns[0].sya", "did you mean \"say\"?"),
        ("intents: [greeting]", "intents: [greting]", 5, "turns[0].expect.intents[0]", "did you mean \"greeting\"?"),
        ("actions: []", "actions: [{ name: nothing_known }]", 5, "turns[0].expect.actions[0].name", "no action"),
        ("\"^Hello\"", "\"(Hello\"", 5, "turns[0].expect.replies[0]", "RE2"), ("'/^Yes/'", "'/(Yes/'", 6, "turns[1].choose", "RE2"),
        ("no_reply: true", "no_reply: false", 11, "turns[2].expect.no_reply", "only true"),
        ("no_reply: true", "no_reply: true, replies: [\"x\"]", 11, "turns[2].expect.replies", "beside no_reply"),
        ("choose: '/^Yes/'", "choose: Yes\n    say: Yes", 6, "turns[1]", "exactly one"),
        ("name: A cake is ordered\n", "", 1, "name", "is missing"),
        ("brand: shop", "brand: shop\nuser: { phone: \"12\" }", 3, "user.phone", "international"),
        ("brand: shop", "brand: shop\nuser: { phone: \"+15550001111\", user_id: US.1 }", 3, "user", "one of phone and user_id"),
        ("brand: shop", "brand: shop\ninstance: shop-chatt", 3, "instance", "did you mean \"shop-chat\"?"),
        ("    expect: { no_reply: true }", "\texpect: x", 11, "conversation.yaml", "tabs"),
    ])
    func aMistakeIsNamedWithItsPlaceAndTheWayOut(from: String, to: String, line: Int, key: String, words: String) throws {
        try #require(Self.good.contains(from))
        let (script, problems) = try read(Self.good.replacingOccurrences(of: from, with: to))
        #expect(script == nil)
        let problem = try #require(problems.first { $0.hasPrefix("conversation.yaml:\(line): \(key): ") }, "\(problems)")
        #expect(problem.contains(words), "\(problem)")
    }

    @Test func aMissingOrEmptyFileIsAProblem() throws {
        let missing = ConversationDocument(file: "/nonexistent/x.yaml", brands: [], channel: ChannelName(rawValue: "any")) { _ in nil }
            .read()
        #expect(missing.problems.map(\.line) == [1])
        #expect(try read("").problems.count == 1)
    }
}
