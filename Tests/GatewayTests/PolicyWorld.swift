import Brain
import Conversation
import Signing
import TestKit

@testable import Gateway

/// A brand with an action of each kind, whose policies a test sets.
enum PolicyWorld {
    static let monday = Timestamp("2026-11-23T15:00:00Z") ?? Timestamp(seconds: 0)

    static let book = ActionDefinition(
        canonicalName: "book_service", displayName: "Book a service",
        params: [
            ParameterDefinition(name: "service", entity: .choice, source: OptionSource(schema: "catalog", path: "/services")),
            ParameterDefinition(name: "tip", entity: .money, required: false),
        ], request: RequestTemplate(method: "POST", path: "/bookings"), safety: .idempotent)
    static let list = ActionDefinition(
        canonicalName: "list_bookings", displayName: "Show my bookings", request: RequestTemplate(method: "GET", path: "/bookings"))

    static func configuration(_ policies: Policies, templates: [String: String] = [:]) -> BrandConfiguration {
        BrandConfiguration(
            id: BrandID(rawValue: "salon"), name: "Salon", timeZone: "America/New_York",
            api: BrandAPI(baseURL: "http://salon.invalid", signingSecrets: [secret]), tiers: ["guest", "verified", "premium"],
            actions: [book, list], templates: templates, policies: policies)
    }

    private static let secret = Secret("whsec_" + Base64.encode(Array(repeating: 7, count: 32)))

    static func engine(_ policies: Policies, templates: [String: String] = [:]) throws -> PolicyEngine {
        try PolicyEngine(configuration(policies, templates: templates))
    }

    static func policy(
        _ policies: Policies, limiter: RateLimiter = RateLimiter(), now: Timestamp = monday, templates: [String: String] = [:]
    ) throws -> TurnPolicy {
        let configuration = configuration(policies, templates: templates)
        let brand = try BrandRuntime.bare(configuration, policy: try PolicyEngine(configuration))
        return TurnPolicy(
            brand: brand,
            lane: Lane(
                brand: brand.id, instance: InstanceID(rawValue: "salon-whatsapp"), user: UserID(UniqueID(high: 1, low: 1))),
            limiter: limiter, metrics: GatewayMetrics(), now: now)
    }

    static func message(_ text: String) -> LaneEvent {
        .message(
            StoredMessage(
                id: MessageID(UniqueID(high: 2, low: 1)), content: .text(text), providerID: "wamid.1", sentAt: monday, receivedAt: monday))
    }

    static func service(price: JSONValue?) -> Entity {
        var item: [String: JSONValue] = ["id": "s1", "name": "Haircut"]
        item["price"] = price
        return Entity(name: "service", kind: .choice, value: "s1", raw: "haircut", label: "Haircut", item: .object(item))
    }

    static func decision(_ action: String = "book_service", params: [String: Entity] = [:]) -> ActionDecision {
        ActionDecision(
            id: ActionID(UniqueID(high: 3, low: 1)), taskID: UniqueID(high: 4, low: 1), intentID: IntentID(UniqueID(high: 5, low: 1)),
            canonicalAction: action, params: params, method: "POST", target: "/bookings", body: nil, idempotencyKey: [1], fingerprint: [2],
            priority: .normal)
    }

    static func result(_ effects: Effect..., asking: Bool = false) -> TurnResult {
        var state = ConversationState()
        if asking {
            state.expectingResponse = true
            state.answerSheet = AnswerSheet(type: .text, context: "book_service.service")
        }
        return TurnResult(state: state, effects: effects)
    }

    static func reply(_ content: OutboundContent) -> Effect {
        .reply(Reply(content: content, narrative: Narrative(instruction: .converse, primary: content.plainText)))
    }
}

extension TurnResult {
    var texts: [String] {
        effects.compactMap { if case .reply(let reply) = $0 { reply.content.plainText } else { nil } }
    }
    var handovers: [HandoverRequest] {
        effects.compactMap { if case .handover(let request) = $0 { request } else { nil } }
    }
}
