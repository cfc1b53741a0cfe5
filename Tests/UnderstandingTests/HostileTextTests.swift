import Conversation
import Testing

@testable import Understanding

@Suite struct HostileTextTests {
    static let texts: [String] = [
        String(repeating: "book a haircut tomorrow at 5pm and ", count: 3000), String(repeating: "a", count: 100_000),
        String(repeating: "1", count: 100_000),
        String(repeating: "1 ", count: 50_000), String(repeating: "👩‍👩‍👧‍👦", count: 4000), String(repeating: "\u{200B}", count: 100_000),
        String(repeating: "(((", count: 33_000), String(repeating: "a\u{301}\u{302}\u{303}", count: 20_000),
        String(repeating: "yes and ", count: 12_000),
        String(repeating: "next ", count: 20_000), String(repeating: "twenty ", count: 14_000), String(repeating: "a@b.", count: 25_000),
        String(repeating: "1/2/", count: 25_000), String(repeating: ", and cancel", count: 8000), String(repeating: "no ", count: 33_000),
        String(repeating: "...!?", count: 20_000), "e" + String(repeating: "\u{301}", count: 100_000),
        String(repeating: "+1 415 555 2671 ", count: 6000),
        String(repeating: "ا", count: 50_000), "\u{202E}emoh ta ma I\u{202C}", "\0\0\0", "\r\n\t", "😀😀😀",
        String(repeating: "http://a.", count: 11_000),
    ]

    @Test func longAndStrangeTextsAreReadQuickly() throws {
        let classifier = try #require(Salon.shared)
        let clock = ContinuousClock()
        for text in Self.texts {
            let taken = clock.measure {
                for sheet in [nil, Salon.confirmation, Salon.choice, Salon.when] {
                    let intents = classifier.detect(ClassificationRequest(text: text, answerSheet: sheet, activeAction: "book_service"))
                    #expect(!intents.isEmpty)
                    #expect(intents.count <= 24)
                    #expect(intents.allSatisfy { (0...1).contains($0.confidence) })
                }
            }
            #expect(taken < .seconds(20), "\(text.prefix(20)) took \(taken)")
        }
    }

    @Test func extractionOfHostileTextsIsQuickAndSane() throws {
        let parameters =
            Salon.params + [
                ParameterDefinition(name: "guests", entity: .number), ParameterDefinition(name: "amount", entity: .money),
                ParameterDefinition(name: "mail", entity: .email), ParameterDefinition(name: "link", entity: .url),
                ParameterDefinition(name: "note", entity: .text, pattern: "(a+)+(b|a)*$", maximum: 100),
            ]
        let clock = ContinuousClock()
        for text in Self.texts {
            for expecting in [nil, "service", "start", "phone", "note"] {
                let request = SlotRequest(
                    text: text, parameters: parameters, options: ["service": Salon.services], openingHours: ["start": Ask.hours],
                    reference: try #require(Timestamp(friday)), timeZone: "America/New_York", expecting: expecting, shown: Salon.services)
                let taken = clock.measure { _ = SlotExtractor().extract(request) }
                #expect(taken < .seconds(20), "\(text.prefix(20)) took \(taken)")
            }
        }
    }

    @Test func patternsThatExplodeElsewhereStayLinear() throws {
        let classifier = try EmbeddedClassifier(
            actions: Salon.actions, intents: [.init(type: .help, patterns: ["(a+)+$", "(x|x)*y", "(.*)*z"])])
        let clock = ContinuousClock()
        let taken = clock.measure { _ = classifier.detect(ClassificationRequest(text: String(repeating: "a", count: 50_000) + "!")) }
        #expect(taken < .seconds(20))
    }

    @Test func rightToLeftAndInvisibleCharactersDoNotHideTheWords() throws {
        let classifier = try #require(Salon.shared)
        #expect(
            classifier.detect(
                ClassificationRequest(text: "\u{202B}c\u{200B}ancel my boo\u{200D}king\u{202C}".replacing("\u{200D}", with: ""))
            ).first?.candidates.first == "cancel_booking")
        #expect(classifier.detect(ClassificationRequest(text: "“yes”", answerSheet: Salon.confirmation)).first?.signal == "yes")
        #expect(classifier.detect(ClassificationRequest(text: "   YES   ", answerSheet: Salon.confirmation)).first?.signal == "yes")
    }

    @Test func emptyTextsAreUnknown() throws {
        let classifier = try #require(Salon.shared)
        for text in ["", "   ", "\u{200B}\u{FEFF}", "\n"] {
            #expect(classifier.detect(ClassificationRequest(text: text)).map(\.type) == [.unknown])
        }
        #expect(
            SlotExtractor().extract(
                SlotRequest(text: "", parameters: Salon.params, reference: Timestamp(milliseconds: 0), timeZone: "Nowhere/Land")
            ).isEmpty)
    }

    @Test func aBrandWithoutActionsStillConverses() throws {
        let classifier = try EmbeddedClassifier(actions: [])
        #expect(classifier.detect(ClassificationRequest(text: "hello")).map(\.type) == [.greeting])
        #expect(classifier.detect(ClassificationRequest(text: "book a table")).allSatisfy { $0.type != .action })
    }
}
