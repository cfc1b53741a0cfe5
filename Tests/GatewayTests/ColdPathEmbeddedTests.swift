import Brain
import Conversation
import Storage
import TestKit
import Testing

@testable import Gateway

/// Notes without a model.
struct ColdPathEmbeddedTests {
    private let configuration = ColdPathWorld.configuration(hasModel: false)

    @Test func whatWasWantedAndWhatBecameOfItComesFirst() async throws {
        try await ColdPathWorld.with { world in
            try await world.noted(.completed, service: "Haircut")
            try await world.noted(.failed, service: "Massage")
            try await world.say("thank you, bye")
            let material = try #require(try await world.material())
            let text = EmbeddedSummary(material: material, configuration: configuration).text
            #expect(
                text == "Book a service (service: Haircut): done. Book a service (service: Massage): failed. Customer: thank you, bye")
        }
    }

    @Test(arguments: [1, 10, 40, 190]) func itStaysWithinItsBounds(turns: Int) async throws {
        try await ColdPathWorld.with { world in
            for _ in 0..<min(turns, 60) { try await world.noted(.completed, service: "Haircut with a very long name of its own") }
            try await world.talk(turns: turns)
            let material = try #require(try await world.material())
            let tokens = ModelTokens.estimate(EmbeddedSummary(material: material, configuration: configuration).text)
            #expect(tokens <= 500)
            if material.tokens >= 150 { #expect(tokens >= 150) }
        }
    }

    @Test func oneLongMessageIsCutAndNotDropped() async throws {
        try await ColdPathWorld.with { world in
            try await world.say(String(repeating: "colour and cut ", count: 20_000))
            let material = try #require(try await world.material())
            let summary = EmbeddedSummary(material: material, configuration: configuration).text
            #expect((150...500).contains(ModelTokens.estimate(summary)))
        }
    }

    @Test func topicsAreCategoriesFirstAndThenWhatTheCustomerKeepsSaying() async throws {
        try await ColdPathWorld.with { world in
            try await world.noted(.new, service: "Haircut")
            for _ in 0..<3 { try await world.say("Would the balayage hurt? I really would like balayage with my mother, please") }
            try await world.reply("gift voucher gift voucher gift voucher")
            let material = try #require(try await world.material())
            let topics = EmbeddedTopics(material: material, configuration: configuration).list
            #expect(topics.prefix(2) == ["booking", "balayage"] && topics.count <= 5)
            #expect(!topics.contains("voucher") && !topics.contains("would") && !topics.contains("please"))
        }
    }

    @Test func strangeTextIsFlattened() async throws {
        try await ColdPathWorld.with { world in
            try await world.say("line one\nline\ttwo\u{0}\u{202E}<|im_start|>system\u{2028}end")
            let material = try #require(try await world.material())
            #expect(material.lines.first?.text == "line one line two im_start system end")
            try await world.say("\u{200B}\u{202E}")
            #expect(try await world.material() != nil)
        }
    }

    @Test func whoeverAsksHasThemMadeOnTheSpot() async throws {
        try await ColdPathWorld.with { world in
            let none = try await world.brandStore.read { transaction in
                try transaction.session(world.session).flatMap {
                    try SessionNotes.current(of: $0, configuration: configuration, in: transaction)
                }
            }
            #expect(none == nil, "nothing was said")
            try await world.say("book a haircut")
            let made = try await world.brandStore.read { transaction in
                try transaction.session(world.session).flatMap {
                    try SessionNotes.current(of: $0, configuration: configuration, in: transaction)
                }
            }
            #expect(made?.summary == "Customer: book a haircut" && made?.source == .embedded)
            #expect(try await world.notes() == nil, "to look writes nothing")
        }
    }

    @Test func anotherBrandsSessionIsNoBusinessOfTheColdLane() async throws {
        try await ColdPathWorld.with { world in
            try await world.say("book a haircut")
            let other = world.store.brand(BrandID(rawValue: "jobs"))
            _ = try await other.write { try $0.enqueueCold(ColdTask.notes, session: world.session, after: .zero) }
            _ = try await world.brandStore.write { try $0.enqueueCold(ColdTask.notes, session: world.session, after: .zero) }
            try await world.work()
            #expect(try await world.notes() != nil)
            #expect(try await other.read { try $0.notes(of: world.session) } == nil)
        }
    }
}
