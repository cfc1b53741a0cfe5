import Brain
import Conversation
import Signing
import Synchronization
import TestKit
import Testing

@testable import Gateway

/// A model that words everything the same way.
private final class OneAnswer: LanguageModel {
    private let answer: ModelResult
    private let asked = Mutex<[ModelPrompt]>([])
    private let functions: Set<ModelFunction>

    init(_ answer: ModelResult, functions: Set<ModelFunction> = [.response]) {
        self.answer = answer
        self.functions = functions
    }
    var prompts: [ModelPrompt] { asked.withLock { $0 } }
    func serves(_ function: ModelFunction) -> Bool { functions.contains(function) }
    func complete(_ prompt: ModelPrompt) async -> ModelResult {
        asked.withLock { $0.append(prompt) }
        return answer
    }
}

@Suite struct ModelResponderTests {
    private static let question = "Book Haircut for $45 on Tue, Nov 24 at 5:00 PM?"
    private static let honest = "Shall I book Haircut for $45 on Tue, Nov 24 at 5:00 PM?"

    private static func runtime(_ model: OneAnswer, locale: String = "en-US") throws -> BrandRuntime {
        let secret = Secret("whsec_" + Base64.encode(Array(repeating: 7, count: 32)))
        let configuration = BrandConfiguration(
            id: BrandID(rawValue: "salon"), name: "Blue Door Salon", locale: locale,
            api: BrandAPI(baseURL: "http://salon.invalid", signingSecrets: [secret]))
        let signer = try IdempotencySigner(secret: secret)
        return BrandRuntime(
            configuration: configuration, classifier: NoClassifier(),
            brain: Brain(configuration: configuration, slots: NoSlots(), signer: signer, ids: CountingIDs(), matches: { _, _ in false }),
            webhooks: try StandardWebhooks(secrets: [secret]), signer: signer, model: model)
    }

    private static func reply(_ text: String, _ instruction: Narrative.Instruction, options: [String] = []) -> Effect {
        let choices = options.map { ChoicePrompt.Option(id: "id-\($0)", title: $0) }
        let content: OutboundContent = options.isEmpty ? .text(text) : .choices(ChoicePrompt(text: text, options: choices))
        return .reply(
            Reply(
                content: content,
                narrative: Narrative(instruction: instruction, primary: text, must: [text], expectingResponse: text.contains("?"))))
    }

    private static func reworded(
        _ effects: [Effect], by model: OneAnswer, locale: String = "en-US", within: Duration = .seconds(10),
        change: (inout ConversationState) -> Void = { _ in }
    ) async throws -> [OutboundContent] {
        let clock = ControlledClock()
        let responder = try #require(ModelResponder(brand: runtime(model, locale: locale), clock: clock))
        var state = ConversationState()
        change(&state)
        let result = await responder.reworded(
            TurnResult(state: state, effects: effects), before: ConversationState(),
            user: User(id: UserID(UniqueID(high: 1, low: 1)), tier: "guest", isVerified: false),
            subject: ModelSubject(brand: BrandID(rawValue: "salon"), instance: InstanceID(rawValue: "salon-web")),
            deadline: clock.now + within)
        return result.effects.compactMap { if case .reply(let reply) = $0 { reply.content } else { nil } }
    }

    @Test func anHonestWordingIsSaidWithTheSameButtons() async throws {
        let model = OneAnswer(.answer("<reply>\n\(Self.honest)\n</reply>"))
        let contents = try await Self.reworded([Self.reply(Self.question, .confirm, options: ["Yes", "No"])], by: model)
        guard case .choices(let prompt)? = contents.first else { return #expect(Bool(false), "no choices") }
        #expect(prompt.text == Self.honest)
        #expect(prompt.options.map(\.id) == ["id-Yes", "id-No"])
        #expect(model.prompts.map(\.function) == [.response])
    }

    @Test(arguments: [
        ModelResult.answer("Booked! See you on Tue, Nov 24 at 5:00 PM, $45 for your Haircut."), .answer(""), .answer("{\"text\":\"hi\"}"),
        .answer("Shall I book Haircut for $35 on Tue, Nov 24 at 5:00 PM?"), .failed(ModelFailure(.timeout, "x")),
        .failed(ModelFailure(.overBudget, "x")),
    ])
    func anythingElseIsSaidInTheRepliesOwnWords(_ result: ModelResult) async throws {
        let contents = try await Self.reworded([Self.reply(Self.question, .confirm)], by: OneAnswer(result))
        #expect(contents == [.text(Self.question)])
    }

    @Test func whatMustBeExactIsNotShownToAModel() async throws {
        let model = OneAnswer(.answer(Self.honest))
        let handover = HandoverRequest(trigger: .userRequest, summary: "asked")
        #expect(try await Self.reworded([.handover(handover), Self.reply(Self.question, .confirm)], by: model) == [.text(Self.question)])
        #expect(try await Self.reworded([Self.reply(Self.question, .handover)], by: model) == [.text(Self.question)])
        #expect(
            try await Self.reworded([Self.reply(Self.question, .converse)], by: model) { $0.optedOutOfMarketing = true } == [
                .text(Self.question)
            ])
        #expect(try await Self.reworded([Self.reply(Self.question, .confirm)], by: model, locale: "de-DE") == [.text(Self.question)])
        #expect(
            try await Self.reworded([Self.reply(Self.question, .confirm)], by: model, within: .milliseconds(100)) == [.text(Self.question)])
        #expect(try await Self.reworded([Self.reply("Changed.", .confirm)], by: model) == [.text("Changed.")])
        #expect(model.prompts.isEmpty)
    }

    @Test func aBrandWithoutAModelForRepliesHasNoResponder() throws {
        #expect(ModelResponder(brand: try Self.runtime(OneAnswer(.answer("x"), functions: [.intent])), clock: ControlledClock()) == nil)
    }
}
