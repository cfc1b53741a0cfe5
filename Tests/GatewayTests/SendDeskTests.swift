import Conversation
import Signing
import TestKit
import Testing

@testable import Gateway
@testable import Storage

/// What a brand may have sent outside a turn, and what becomes of it.
struct SendDeskTests {
    @Test func aMessageIsStoredAndWaitsForItsTurnInTheConversation() async throws {
        try await SendWorld.with { world in
            guard case .accepted(let receipt) = try await world.send(world.command()) else {
                Issue.record("it was refused")
                return
            }
            let stored = try await world.outbound()
            #expect(stored.map(\.id) == receipt.messages && stored.map(\.sendState) == ["queued"])
            #expect(stored.first?.content == OutboundContent.text("Your order is ready.").json)
            #expect(stored.first?.context?["author"] == "brand" && stored.first?.context?["by"] == "api")
            #expect(try await world.waiting(.turn) == 1)
            #expect(try await world.waiting(.delivery) == 0)
        }
    }

    @Test func theCustomerIsFoundByAnIdentifierOfTheInstancesChannel() async throws {
        try await SendWorld.with { world in
            var command = world.command()
            command.recipient = .identifier(Identifier(kind: .phone, value: SendWorld.phone))
            guard case .accepted(let receipt) = try await world.send(command) else {
                Issue.record("it was refused")
                return
            }
            #expect(receipt.user == world.user)
            command.recipient = .identifier(Identifier(kind: .phone, value: "+15550009999"))
            #expect(try await world.refusal(command) == "unknown_user")
            command.recipient = .user(UserID(UniqueID(high: 1, low: 1)))
            #expect(try await world.refusal(command) == "unknown_user")
        }
    }

    @Test(arguments: [
        ("phone", "+5215512345678", "+52 55 1234 5678"), ("phone", "+525512345678", "+52 1 55 1234 5678"),
        ("phone", "+551161234567", "+55 (11) 96123-4567"), ("phone", "+5511961234567", "551161234567"),
        ("phone", "+12345", "1 23-45"), ("phone", "+442079460958", "+44 (0)20 7946 0958"),
        ("email", "orders@shop.example", "Orders@Shop.EXAMPLE"),
    ]) func aCustomerIsFoundHoweverTheirNameIsWritten(kind: String, stored: String, said: String) async throws {
        try await SendWorld.with { world in
            let kind = try #require(Identifier.Kind(rawValue: kind))
            let user = try await world.newcomer(Identifier(kind: kind, value: stored))
            let to: JSONValue = .object([kind.rawValue: .string(said)])
            let command = try SendCommand(json: ["instance": "salon-web", "to": to, "text": "Your order is ready."])
            guard case .accepted(let receipt) = try await world.send(command) else {
                Issue.record("\(said) was not found")
                return
            }
            #expect(receipt.user == user)
        }
    }

    @Test func aNumberThatIsKnownAsItIsWrittenIsNobodyElses() async throws {
        try await SendWorld.with { world in
            let old = try await world.newcomer(Identifier(kind: .phone, value: "+5215512345678"))
            let new = try await world.newcomer(Identifier(kind: .phone, value: "+525512345678"))
            for (said, user) in [("+5215512345678", old), ("+525512345678", new)] {
                var command = world.command()
                command.recipient = .identifier(Identifier(kind: .phone, value: said))
                guard case .accepted(let receipt) = try await world.send(command) else {
                    Issue.record("\(said) was not found")
                    return
                }
                #expect(receipt.user == user)
            }
        }
    }

    @Test func nobodyIsReachedWhereNobodyIsKnown() async throws {
        try await SendWorld.with { world in
            let elsewhere = try await world.brand.write { transaction in
                try transaction.resolveUser(
                    channel: ChannelName(rawValue: "mail"), sender: Sender(identifiers: [Identifier(kind: .email, value: "a@b.example")]),
                    tier: "visitor", verified: true)
            }
            var command = world.command()
            command.recipient = .user(elsewhere)
            #expect(try await world.refusal(command) == "no_recipient")
            command.instance = InstanceID(rawValue: "salon-mail")
            #expect(try await world.refusal(command) == "no_channel")
            command.instance = InstanceID(rawValue: "jobs-web")
            #expect(try await world.refusal(command) == "unknown_instance")
            #expect(try await world.desk.send(command, brand: SendWorld.stopped, key: nil, by: .api) == .refused(.unknownInstance))
        }
    }

    @Test func oneKeyIsOneMessage() async throws {
        try await SendWorld.with { world in
            guard case .accepted(let receipt) = try await world.send(world.command(), key: "k1") else {
                Issue.record("it was refused")
                return
            }
            let again = try await world.send(world.command("something else"), key: "k1")
            #expect(again == .known(status: 202, body: CanonicalJSON.bytes(receipt.json)))
            #expect(try await world.outbound().count == 1)
            // The bus has keys of its own.
            guard case .accepted = try await world.desk.send(world.command(), brand: SendWorld.brand, key: "k1", by: .bus) else {
                Issue.record("it was refused")
                return
            }
            #expect(try await world.outbound().count == 2)
        }
    }

    @Test func aKeyThatComesWithAnotherBodyIsRefused() async throws {
        try await SendWorld.with { world in
            guard case .accepted(let receipt) = try await world.send(world.command(), key: "k1", body: [1]) else {
                Issue.record("it was refused")
                return
            }
            let answer = CanonicalJSON.bytes(receipt.json)
            #expect(try await world.send(world.command(), key: "k1", body: [1]) == .known(status: 202, body: answer))
            guard case .refused(let refusal) = try await world.send(world.command("Another"), key: "k1", body: [2]) else {
                Issue.record("another body was taken")
                return
            }
            #expect(refusal.kind == .reused && refusal.code == "key_reused")
            #expect(try await world.outbound().count == 1)
            #expect(try await world.send(world.command(), key: "k1", body: [1]) == .known(status: 202, body: answer), "it is still known")
        }
    }

    @Test func aKeyOfAReleaseThatNotedNoBodyIsKnownAgainWithAnyBody() async throws {
        try await SendWorld.with { world in
            try await world.brand.write { transaction in
                let key = "api\nk1"
                _ = try transaction.claimRequest(key: key, bodyHash: Digest.sha256(Array(key.utf8)))
                try transaction.storeAnswer(key: key, status: 202, body: [123, 125])
            }
            #expect(try await world.send(world.command(), key: "k1", body: [1]) == .known(status: 202, body: [123, 125]))
            #expect(try await world.outbound().isEmpty)
        }
    }

    @Test func ofManyBodiesAtOnceUnderOneKeyOneIsTaken() async throws {
        try await SendWorld.with { world in
            let command = world.command()
            let codes = try await withThrowingTaskGroup(of: String?.self) { group in
                for number in UInt8(0)..<20 { group.addTask { try await world.refusal(command, key: "same", body: [number]) } }
                return try await group.reduce(into: [String?]()) { $0.append($1) }
            }
            #expect(codes.filter { $0 == nil }.count == 1 && codes.filter { $0 == "key_reused" }.count == 19)
            #expect(try await world.outbound().count == 1)
        }
    }

    @Test func manyAtOnceUnderOneKeyAreOneMessage() async throws {
        try await SendWorld.with { world in
            let command = world.command()
            let accepted = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<20 {
                    group.addTask { if case .accepted = try await world.send(command, key: "same") { true } else { false } }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(accepted == 1)
            #expect(try await world.outbound().count == 1)
        }
    }

    @Test func whatTheChannelForbidsIsRefusedAndNothingIsStored() async throws {
        try await SendWorld.with { world in
            world.channel.refuse(ChannelError(code: "window_closed", message: "more than 24 hours", reaction: .askForTemplate))
            #expect(try await world.refusal(world.command(), key: "k1") == "window_closed")
            #expect(try await world.outbound().isEmpty)
            #expect(try await world.waiting() == 0)
            let sessions = try await world.brand.read { try $0.sessions(after: nil, limit: 10) }
            #expect(sessions.isEmpty)
        }
    }

    @Test func offersReachOnlyWhoHasNotOptedOut() async throws {
        try await SendWorld.with { world in
            try await world.brand.write { [user = world.user] in try $0.optOut(user, topic: OptOutTopic.marketing, proof: "STOP") }
            #expect(try await world.refusal(world.command("Two for one today", .marketing)) == "opted_out")
            guard case .accepted = try await world.send(world.command()) else {
                Issue.record("a message that is no offer was refused")
                return
            }
            try await world.brand.write { [user = world.user] in try $0.optIn(user, topic: OptOutTopic.marketing, proof: "START") }
            guard case .accepted = try await world.send(world.command("Two for one today", .marketing)) else {
                Issue.record("an offer was refused that is wanted again")
                return
            }
            try await world.brand.write { [user = world.user] in try $0.optOut(user, topic: OptOutTopic.marketing, proof: "STOP") }
            #expect(try await world.refusal(world.command("Two for one today", .marketing)) == "opted_out")
        }
    }

    @Test func tooManyAMinuteAreRefusedWithTheTimeToWait() async throws {
        try await SendWorld.with(Policies(limits: RateLimits(userPerMinute: 2))) { world in
            for _ in 0..<2 { #expect(try await world.refusal(world.command()) == nil) }
            guard case .refused(let refusal) = try await world.send(world.command(), key: "late") else {
                Issue.record("the third was taken")
                return
            }
            #expect(refusal.code == "rate_limited:user" && refusal.kind == .limited)
            let wait = try #require(refusal.retryAfter)
            #expect(wait > .zero && wait <= .seconds(30))
            world.clock.advance(by: wait)
            // Nothing happened under the key, so it is still good.
            #expect(try await world.refusal(world.command(), key: "late") == nil)
            #expect(try await world.outbound().count == 3)
        }
    }

    @Test func whatIsRefusedForAnotherReasonCostsNoToken() async throws {
        try await SendWorld.with(Policies(limits: RateLimits(userPerMinute: 1))) { world in
            try await world.brand.write { [user = world.user] in try $0.optOut(user, topic: OptOutTopic.marketing, proof: "STOP") }
            for _ in 0..<5 { #expect(try await world.refusal(world.command("Two for one", .marketing)) == "opted_out") }
            guard case .accepted = try await world.send(world.command(), key: "k1", body: [1]) else {
                Issue.record("the token was gone")
                return
            }
            // Nor does what is known again, or comes under the key of another.
            #expect(try await world.refusal(world.command(), key: "k1", body: [1]) == nil)
            #expect(try await world.refusal(world.command(), key: "k1", body: [2]) == "key_reused")
            #expect(try await world.refusal(world.command()) == "rate_limited:user")
        }
    }

    @Test func aCopyThatAnotherNodeIsAtCostsNoToken() async throws {
        try await SendWorld.with(Policies(limits: RateLimits(userPerMinute: 1))) { world in
            try await world.brand.write { _ = try $0.claimRequest(key: "api\nk1", bodyHash: Digest.sha256([1])) }
            await #expect(throws: StageError.self) { try await world.send(world.command(), key: "k1", body: [1]) }
            try await world.brand.write { try $0.forgetRequest(key: "api\nk1") }
            guard case .accepted = try await world.send(world.command(), key: "k1", body: [1]) else {
                Issue.record("the token was gone")
                return
            }
            // What finds no token lets go of its key, for other words as well.
            #expect(try await world.refusal(world.command(), key: "k2", body: [2]) == "rate_limited:user")
            world.clock.advance(by: .seconds(60))
            #expect(try await world.refusal(world.command("Another"), key: "k2", body: [3]) == nil)
        }
    }

    @Test func aFilterOfTheBrandHoldsWordsBackOrAddsAWarning() async throws {
        let filters = [
            ContentFilter(name: "promises", pattern: "guarantee", side: .outbound, verdict: .deny),
            ContentFilter(name: "cakes", pattern: "cake", side: .both, verdict: .warn, say: "May contain nuts."),
        ]
        try await SendWorld.with(Policies(filters: filters)) { world in
            guard case .refused(let refusal) = try await world.send(world.command("We guarantee it")) else {
                Issue.record("it was taken")
                return
            }
            #expect(refusal.code == "filter:promises" && refusal.kind == .forbidden)
            #expect(try await world.refusal(world.command("Your cake is ready")) == nil)
            #expect(try await world.outbound().map(\.content) == [OutboundContent.text("Your cake is ready\nMay contain nuts.").json])
        }
    }

    @Test func optionsGetIDsOfTheirOwnWhereTheyHaveNone() async throws {
        try await SendWorld.with { world in
            var command = world.command()
            command.content = .choices(
                ChoicePrompt(text: "Coming?", options: [.init(id: "", title: "Yes"), .init(id: "no-1", title: "No")]))
            #expect(try await world.refusal(command) == nil)
            let content = try #require(try await world.outbound().first.flatMap { OutboundContent(json: $0.content) })
            guard case .choices(let prompt) = content else {
                Issue.record("\(content)")
                return
            }
            #expect(UniqueID(prompt.options[0].id) != nil && prompt.options[1].id == "no-1")
        }
    }

    // MARK: Sessions

    @Test func aMessageOfTheBrandDoesNotOpenTheWindow() async throws {
        try await SendWorld.with { world in
            #expect(try await world.refusal(world.command()) == nil)
            let session = try await world.brand.read { [user = world.user] in
                try $0.activeSession(instance: SendWorld.instance.id, user: user)
            }
            #expect(session != nil && session?.lastInboundAt == nil)
        }
    }

    @Test func aNewSessionRemembersWhenTheCustomerLastWrote() async throws {
        try await SendWorld.with { world in
            let first = try await world.brand.write { [user = world.user] in
                try $0.startSession(instance: SendWorld.instance, user: user)
            }
            let wrote = world.clock.now
            world.clock.advance(by: .seconds(3600))
            guard case .accepted(let receipt) = try await world.send(world.command()) else {
                Issue.record("it was refused")
                return
            }
            #expect(receipt.session != first)
            let (old, new) = try await world.brand.read { (try $0.session(first), try $0.session(receipt.session)) }
            #expect(old?.endedAt != nil && new?.endedAt == nil && new?.lastInboundAt == wrote)
            // What goes on is not begun anew.
            guard case .accepted(let second) = try await world.send(world.command()) else {
                Issue.record("it was refused")
                return
            }
            #expect(second.session == receipt.session)
        }
    }

    // MARK: People

    @Test func whilePeopleHaveTheConversationNothingIsTaken() async throws {
        try await HandoverWorld.with { world in
            try await world.say("person")
            try await world.settle()
            let told = try await world.told().count
            let desk = SendDesk(store: world.store, registry: world.registry, metrics: GatewayMetrics())
            let command = SendCommand(
                instance: HandoverWorld.instance.id, recipient: .user(world.user), content: .text("Your order is ready."))
            guard case .refused(let refusal) = try await desk.send(command, brand: HandoverWorld.brand, key: "k", by: .api) else {
                Issue.record("it was taken")
                return
            }
            let id = try await world.handover().id
            #expect(refusal.code == "handover_open" && refusal.message.contains("\(id)"))
            _ = try await world.people.close(id, summary: nil, brand: HandoverWorld.brand)
            try await world.settle()
            guard case .accepted = try await desk.send(command, brand: HandoverWorld.brand, key: "k", by: .api) else {
                Issue.record("it was refused")
                return
            }
            try await world.settle()
            #expect(try await world.told().dropFirst(told).contains("Your order is ready."))
        }
    }

    @Test func aMessageGoesBehindWhatTheCustomerWroteBefore() async throws {
        try await HandoverWorld.with { world in
            let desk = SendDesk(store: world.store, registry: world.registry, metrics: GatewayMetrics())
            try await world.say("hello")
            let command = SendCommand(
                instance: HandoverWorld.instance.id, recipient: .user(world.user), content: .text("Your order is ready."))
            guard case .accepted = try await desk.send(command, brand: HandoverWorld.brand, key: nil, by: .bus) else {
                Issue.record("it was refused")
                return
            }
            try await world.settle()
            let shown = try await world.brand.read { [user = world.user] in
                try $0.feed(instance: HandoverWorld.instance.id, user: user, after: 0, limit: 500).events
            }.filter { $0.kind == .message && $0.body["direction"] == "out" }.compactMap { $0.body["content"]?["text"]?.string }
            #expect(shown.count == 2 && shown.last == "Your order is ready.")
        }
    }

    @Test func whatPeopleOvertookIsHeldBackAndCanBeSentLater() async throws {
        try await HandoverWorld.with { world in
            // A person is asked for, and before that turn runs the brand wants something sent: it comes to the people.
            try await world.say("person")
            let desk = SendDesk(store: world.store, registry: world.registry, metrics: GatewayMetrics())
            let command = SendCommand(
                instance: HandoverWorld.instance.id, recipient: .user(world.user), content: .text("Your order is ready."))
            guard case .accepted(let receipt) = try await desk.send(command, brand: HandoverWorld.brand, key: nil, by: .bus) else {
                Issue.record("it was refused")
                return
            }
            try await world.settle()
            let handover = try await world.handover()
            let notes = try await world.brand.read { try $0.entries(of: handover.id, limit: 50) }.map(\.entry)
            #expect(notes.contains { $0.isInternal && $0.text.contains("Your order is ready.") })
            let letters = try await world.brand.read { try $0.deadLetters(after: nil, limit: 10) }
            #expect(letters.map(\.kind) == ["delivery"] && letters.map(\.reason) == ["handover_open"])
            let id = try #require(letters.first?.id)
            _ = try await world.people.close(handover.id, summary: nil, brand: HandoverWorld.brand)
            let letterDesk = DeadLetterDesk(store: world.store, registry: world.registry)
            #expect(try await letterDesk.redrive(id, brand: HandoverWorld.brand) == .done)
            try await world.settle()
            let message = try await world.brand.read { try $0.outboundMessage(receipt.messages[0]) }
            #expect(message?.sendState == "sent")
        }
    }

    @Test func anOfferIsHeldAgainstTheOptOutOnceMoreWhenItLeaves() async throws {
        try await HandoverWorld.with { world in
            let desk = SendDesk(store: world.store, registry: world.registry, metrics: GatewayMetrics())
            let command = SendCommand(
                instance: HandoverWorld.instance.id, recipient: .user(world.user), content: .text("Two for one"), category: .marketing)
            guard case .accepted(let receipt) = try await desk.send(command, brand: HandoverWorld.brand, key: nil, by: .api) else {
                Issue.record("it was refused")
                return
            }
            try await world.brand.write { [user = world.user] in try $0.optOut(user, topic: OptOutTopic.marketing, proof: "STOP") }
            try await world.settle()
            let message = try await world.brand.read { try $0.outboundMessage(receipt.messages[0]) }
            #expect(message?.sendState == "failed" && message?.error?.hasPrefix("opted_out") == true)
            #expect(world.channel.sent == 0)
        }
    }

    /// Such a node reads the session of every task of a turn, and gives up kinds that it does not know.
    @Test func aNodeOfTheReleaseBeforePutsASendAsideAndItGoesOutWhenItIsRedriven() async throws {
        try await HandoverWorld.with { world in
            let desk = SendDesk(store: world.store, registry: world.registry, metrics: GatewayMetrics())
            let command = SendCommand(
                instance: HandoverWorld.instance.id, recipient: .user(world.user), content: .text("Your order is ready."))
            let lane = Lane(brand: HandoverWorld.brand, instance: HandoverWorld.instance.id, user: world.user)
            guard case .accepted(let receipt) = try await desk.send(command, brand: HandoverWorld.brand, key: nil, by: .api) else {
                Issue.record("it was refused")
                return
            }
            let id = QueueTaskID(receipt.messages[0].value)
            let waiting = try await world.brand.read { try $0.task(id, lane: lane.key) }
            let written = try #require(waiting)
            #expect(written.payload["session"]?.string == receipt.session.description)
            let task = QueueTask(
                id: id, kind: TurnTask.send, payload: written.payload, priority: .normal, attempts: 1, crashes: 0,
                createdAt: world.clock.now, node: "old", wasInterrupted: false)
            await #expect(throws: StageError.self) {
                _ = try await world.brand.read { try TurnSnapshot.load(task, withHistory: false, in: $0) }
            }
            let letter = try await world.brand.write { transaction in
                _ = try transaction.cancelTask(id, lane: lane.key)
                try transaction.insertDeadLetter(
                    kind: "turn", reason: "failed", detail: [:], about: .init(id: id.value, session: receipt.session),
                    task: RedrivableTask(task, lane: lane.key, pool: .turn).json)
                return try transaction.deadLetters(after: nil, limit: 1).first?.id
            }
            let letters = DeadLetterDesk(store: world.store, registry: world.registry)
            #expect(try await letters.redrive(try #require(letter), brand: HandoverWorld.brand) == .done)
            try await world.settle()
            #expect(try await world.brand.read { try $0.outboundMessage(receipt.messages[0])?.sendState } == "sent")
        }
    }

    @Test func whatIsGivenUpInItsLaneFailsVisibly() async throws {
        try await SendWorld.with { world in
            struct Broken: Error {}
            guard case .accepted(let receipt) = try await world.send(world.command()) else {
                Issue.record("it was refused")
                return
            }
            let payload: JSONValue = ["messages": .array(receipt.messages.map { .string($0.description) })]
            try await world.brand.write { try SendTurn.giveUp(payload, error: Broken(), in: $0) }
            #expect(try await world.outbound().map(\.sendState) == ["failed"])
            let letter = try #require(try await world.letters().first)
            #expect(letter.kind == "delivery" && letter.task["kind"] == "deliver")
            // A second time finds nothing to give up.
            try await world.brand.write { try SendTurn.giveUp(payload, error: Broken(), in: $0) }
            #expect(try await world.letters().count == 1)
        }
    }

    @Test(arguments: [("STOP", true), (" Arrêter! ", true), ("stop it now", false), ("hello", false)])
    func anOptOutIsKeptThoughAPolicyDropsTheMessage(text: String, isKept: Bool) async throws {
        try await HandoverWorld.with { world in
            let id = try await world.say(text)
            let task = QueueTask(
                id: QueueTaskID(id.value), kind: TurnTask.message,
                payload: ["message": .string(id.description), "session": .string(world.session.description)], priority: .normal,
                attempts: 1, crashes: 0, createdAt: world.clock.now, node: "test", wasInterrupted: false)
            let loaded = try await world.brand.read { try TurnSnapshot.load(task, withHistory: false, in: $0) }
            let snapshot = try #require(loaded)
            let brand = try #require(world.registry.brand(HandoverWorld.brand))
            let refusal = MessageRefusal(verdict: PolicyVerdict(result: .rateLimit, rule: "rate_limited:user"), text: nil)
            try await world.brand.write { [channel = world.channel] in
                try refusal.store(snapshot, brand, channel, turn: $0.newID(), in: $0)
            }
            let (outcome, isOptedOut) = try await world.brand.read { [user = world.user, session = world.session] in
                (try $0.message(id, session: session)?.outcome, try $0.isOptedOut(user, topic: OptOutTopic.marketing))
            }
            #expect(outcome == "dropped:rate_limited:user" && isOptedOut == isKept)
        }
    }

    @Test func askingForOffersAgainEndsAnOptOutOfAnEarlierSession() async throws {
        try await HandoverWorld.with { world in
            try await world.brand.write { [user = world.user] in try $0.optOut(user, topic: OptOutTopic.marketing, proof: "STOP") }
            let task = try await world.brand.write { [user = world.user, session = world.session] transaction in
                let id = MessageID(transaction.newID())
                let message = InboundMessage(
                    providerID: "m1", sender: Sender(identifiers: []), content: .text(" START. "), sentAt: transaction.now)
                _ = try transaction.insertInbound(
                    message, content: message.content.canonicalText, id: id, session: session, instance: HandoverWorld.instance.id,
                    user: user)
                return QueueTask(
                    id: QueueTaskID(id.value), kind: TurnTask.message,
                    payload: ["message": .string(id.description), "session": .string(session.description)], priority: .normal,
                    attempts: 1, crashes: 0, createdAt: transaction.now, node: "test", wasInterrupted: false)
            }
            let snapshot = try await world.brand.read { try TurnSnapshot.load(task, withHistory: false, in: $0) }
            #expect(snapshot?.state.optedOutOfMarketing == true)
        }
    }
}
