import Brain
import Conversation
import Foundation
import Synchronization

final class CountingIDs: IDSource {
    private let counter = Mutex<UInt64>(0)
    func next() -> UniqueID {
        counter.withLock { value in
            value += 1
            return UniqueID(high: 1, low: value)
        }
    }
}

/// One conversation, driven as the turn drives it: fetch what is needed, ask again, keep the new state.
struct Talk {
    var configuration = Salon.configuration
    var user = Salon.user
    var state = ConversationState()
    /// What each schema answers; a missing one is unavailable.
    var world: [String: SchemaState] = Talk.world()
    var cached: Set<String> = []
    var open: [OpenAction] = []
    var completed: Set<String> = []
    var recent: [[UInt8]: Timestamp] = [:]
    var refused: [String: ActionRefusal] = [:]
    var script: [String: [String: Entity]] = Talk.script
    let ids = CountingIDs()

    /// Of the last turn.
    var effects: [Effect] = []
    var needs: [SchemaNeed] = []
    var lastDecision: ActionDecision?
    private var sent = 0

    static let script: [String: [String: Entity]] = [
        "book a haircut on tuesday at 5": ["service": Salon.haircut(), "start": Salon.at(Salon.fivePM)],
        "book a haircut": ["service": Salon.haircut()],
        "book a massage": ["service": Salon.massage()],
        "tuesday at 5": ["start": Salon.at(Salon.fivePM)],
        "no, make it 6pm": ["start": Salon.at(Salon.sixPM)],
        "make it 6pm": ["start": Salon.at(Salon.sixPM)],
        "a haircut please": ["service": Salon.haircut()],
        "yesterday": ["start": Salon.start(.past)],
        "sunday": ["start": Salon.start(.closed(day: "sun", hours: []))],
        "tuesday at 8pm": ["start": Salon.start(.closed(day: "tue", hours: ["09:00-18:00"]))],
        "on tuesday": ["start": Salon.start(.incomplete(missing: "time"), partial: ["date": "2026-11-24"])],
        "my street": ["address": Entity(name: "address", kind: .text, value: "Main Street 1", raw: "my street")],
    ]

    static func world(balance: JSONValue = 0, bookings: JSONValue = Salon.oneBooking) -> [String: SchemaState] {
        var profile = Salon.profile
        profile["balance"] = balance
        return [
            "catalog": SchemaState(name: "catalog", source: .fetched, body: Salon.services, fetchedAt: Salon.now),
            "profile": SchemaState(name: "profile", source: .fetched, body: profile, fetchedAt: Salon.now),
            "bookings": SchemaState(name: "bookings", source: .fetched, body: bookings, fetchedAt: Salon.now),
        ]
    }

    var brain: Brain {
        Brain(
            configuration: configuration, slots: ScriptedSlots(script: script), signer: PlainSigner(), ids: ids, inlineWait: .seconds(5),
            matches: { pattern, text in text.range(of: pattern, options: .regularExpression) != nil })
    }

    mutating func run(_ event: LaneEvent, _ intents: [DetectedIntent] = [], topic: String? = nil) {
        let brain = self.brain
        var input = TurnInput(
            instance: InstanceID(rawValue: "salon-whatsapp"), user: user, state: state, event: event, intents: intents, openActions: open,
            completedActions: completed, recentFingerprints: recent, sessionIsNew: state.turn == 0,
            refusedActions: refused, sensitiveTopic: topic, now: Salon.now)
        needs = []
        effects = []
        for _ in 0..<10 {
            switch brain.step(input) {
            case .needs(let names):
                needs += names
                for need in names {
                    var answer = world[need.name] ?? SchemaState(name: need.name, source: .unavailable, fetchedAt: Salon.now)
                    if need.mayBeCached, cached.contains(need.name), answer.source == .fetched { answer.source = .cached }
                    cached.insert(need.name)
                    input.schemas[need.name] = answer
                }
            case .decided(let result):
                state = result.state
                effects = result.effects
                for effect in effects {
                    if case .queue(let decision) = effect {
                        lastDecision = decision
                        open.append(
                            OpenAction(
                                id: decision.id, taskID: decision.taskID, canonicalAction: decision.canonicalAction, state: .queued,
                                mayHaveTakenEffect: false))
                    }
                }
                return
            }
        }
    }

    mutating func say(_ text: String, _ intents: DetectedIntent...) {
        run(.message(Self.message(.text(text))), intents)
    }
    mutating func say(_ text: String, action: String..., confidence: Double = 0.95) {
        say(text, DetectedIntent(type: .action, candidates: action, confidence: confidence, text: text, source: .classifier))
    }
    mutating func reply(_ text: String, _ signal: String?) {
        say(text, DetectedIntent(type: .response, confidence: 1, signal: signal, text: text, source: .answerSheet))
    }
    mutating func mumble(_ text: String) { say(text, DetectedIntent(type: .unknown, confidence: 0.1, text: text, source: .classifier)) }
    mutating func press(_ title: String) {
        guard let offered = state.offeredReplies.last(where: { $0.title == title }) else { return effects = [] }
        press(id: offered.id, title)
    }
    mutating func press(id: String, _ title: String?, _ intents: DetectedIntent...) {
        run(.message(Self.message(.reply(InteractiveReply(kind: .button, id: id, title: title)))), intents)
    }

    /// People give the conversation back.
    mutating func handBack(_ reports: [ActionReport], words: String = "handover.closed") {
        open.removeAll { action in reports.contains { $0.id == action.id } }
        run(.handedBack(HandBack(summary: "agent: see you on Friday", reports: reports, words: words)))
    }

    /// Words on a topic for people.
    mutating func touch(_ text: String) { run(.message(Self.message(.text(text))), topic: "lawyer") }

    /// The end of the last decided call.
    mutating func finish(_ reportState: ActionReport.State, result: [String: JSONValue] = [:], body: JSONValue = .null) {
        guard let decision = lastDecision else { return effects = [] }
        open.removeAll { $0.id == decision.id }
        if case .done = reportState { completed.insert(decision.canonicalAction) }
        run(.toolResult(Self.report(decision, reportState, result: result, body: body)))
    }

    static func report(
        _ decision: ActionDecision, _ state: ActionReport.State, result: [String: JSONValue] = [:], body: JSONValue = .null
    ) -> ActionReport {
        ActionReport(
            id: decision.id, taskID: decision.taskID, intentID: decision.intentID, canonicalAction: decision.canonicalAction,
            params: decision.params, state: state, result: result, body: body)
    }

    static func message(_ content: Content) -> StoredMessage {
        StoredMessage(
            id: MessageID(UniqueID(high: 2, low: 1)), content: content, providerID: "wamid.1", sentAt: Salon.now, receivedAt: Salon.now)
    }

    // What the last turn did.
    var replies: [Reply] {
        effects.compactMap { effect in
            guard case .reply(let reply) = effect else { return nil }
            return reply
        }
    }
    var text: String { replies.first?.content.plainText ?? "" }
    var decisions: [ActionDecision] {
        effects.compactMap { effect in
            guard case .queue(let decision) = effect else { return nil }
            return decision
        }
    }
    var handovers: [HandoverRequest] {
        effects.compactMap { effect in
            guard case .handover(let request) = effect else { return nil }
            return request
        }
    }
    var cancelled: [ActionID] {
        effects.compactMap { effect in
            guard case .cancelAction(let id) = effect else { return nil }
            return id
        }
    }
    var ledger: [IntentLedgerEntry] {
        effects.compactMap { effect in
            guard case .ledger(let entry) = effect else { return nil }
            return entry
        }
    }
    var updates: [StreamingUpdate] {
        effects.compactMap { effect in
            guard case .update(let update) = effect else { return nil }
            return update
        }
    }
    var options: [String] {
        guard case .choices(let prompt)? = replies.first?.content else { return [] }
        return prompt.options.map(\.title)
    }

    /// A talk in which the haircut on Tuesday at five waits for its yes.
    static func atConfirmation() -> Talk {
        var talk = Talk()
        talk.say("book a haircut on tuesday at 5", action: "book_service")
        return talk
    }
    /// … and in which it has been decided.
    static func executing() -> Talk {
        var talk = atConfirmation()
        talk.press("Yes")
        return talk
    }
}
