import Conversation
import Testing

@testable import WhatsApp

private let channel = WhatsAppChannel.under()

private func options(_ titles: [String], description: String? = nil) -> [ChoicePrompt.Option] {
    titles.enumerated().map { ChoicePrompt.Option(id: "o\($0)", title: $1, description: description) }
}

private func texts(_ parts: [OutboundContent]) -> [String] {
    parts.compactMap { if case .text(let text) = $0 { text } else { nil } }
}

private func prompt(_ parts: [OutboundContent]) -> ChoicePrompt? {
    if case .choices(let prompt) = parts.last { prompt } else { nil }
}

@Suite struct TextRenderTests {
    @Test func shortTextsStayAsTheyAre() {
        for text in ["", " ", "x", " spaced \n", String(repeating: "a", count: 4096)] {
            #expect(channel.render(.text(text)) == [.text(text)])
        }
    }

    @Test func longTextsAreCutBetweenWordsAndLoseNone() {
        let words = (0..<3000).map { "word\($0)" }
        let parts = texts(channel.render(.text(words.joined(separator: " "))))
        #expect(parts.count > 4)
        #expect(parts.allSatisfy { (1...4096).contains($0.utf16.count) })
        #expect(parts.flatMap { $0.split(separator: " ").map(String.init) } == words)
    }

    @Test func paragraphsAndSentencesAreBetterPlacesThanWords() {
        let paragraph = String(repeating: "One sentence here. ", count: 150).trimmingSpaces
        let parts = texts(channel.render(.text([paragraph, paragraph].joined(separator: "\n\n"))))
        #expect(parts == [paragraph, paragraph])
        let sentences = texts(channel.render(.text(String(repeating: "One sentence here. ", count: 300))))
        #expect(sentences.allSatisfy { $0.hasSuffix("here.") && $0.hasPrefix("One") })
    }

    @Test(arguments: ["👨‍👩‍👧‍👦", "🇩🇪", "👍🏽", "e\u{301}", "क्षि", "مرحبا ", "שלום ", "漢", "\r\n", "a\u{200F}ب "])
    func noCharacterIsBroken(_ unit: String) {
        let text = String(repeating: unit, count: 5000)
        let parts = texts(channel.render(.text(text + "end")))
        #expect(parts.allSatisfy { (1...4096).contains($0.utf16.count) })
        let visible = { (text: String) in text.filter { !$0.isWhitespace } }
        #expect(parts.map(visible).joined() == visible(text + "end"))
        #expect(parts.map(visible).reduce(0) { $0 + $1.count } == visible(text + "end").count)
    }

    @Test func aCharacterLongerThanTheLimitIsCutBetweenItsScalars() {
        let monster = "a" + String(repeating: "\u{301}", count: 10_000)
        let parts = texts(channel.render(.text(monster)))
        #expect(parts.allSatisfy { (1...4096).contains($0.utf16.count) })
        #expect(parts.reduce(0) { $0 + $1.unicodeScalars.count } == 10_001)
    }

    @Test func whiteSpaceAloneBecomesOnePart() {
        #expect(channel.render(.text(String(repeating: " ", count: 9000))).count == 1)
    }

    @Test func captionsThatDoNotFitFollowAsText() {
        let long = String(repeating: "word ", count: 300).trimmingSpaces
        let image = Media(kind: .image, id: "1", caption: long)
        #expect(channel.render(.media(image)) == [.media(Media(kind: .image, id: "1")), .text(long)])
        let voice = Media(kind: .voice, id: "1", caption: "hear me")
        #expect(channel.render(.media(voice)) == [.media(Media(kind: .voice, id: "1")), .text("hear me")])
        let short = OutboundContent.media(Media(kind: .document, id: "1", caption: "short"))
        #expect(channel.render(short) == [short])
    }
}

@Suite struct ChoiceRenderTests {
    @Test func threeOptionsAreButtonsTenAreAListElevenAreLines() {
        for count in 1...12 {
            let titles = (1...count).map { "Option number \($0) with a long name" }
            let parts = channel.render(
                .choices(ChoicePrompt(text: "Which one?", options: options(titles), listTitle: "Pick one of these options now")))
            switch count {
            case 1...3: #expect(prompt(parts)?.options.allSatisfy { $0.title.utf16.count <= 20 } == true)
            case 4...10:
                #expect(prompt(parts)?.options.allSatisfy { $0.title.utf16.count <= 24 } == true)
                #expect(prompt(parts)?.listTitle.utf16.count == 20)
                #expect(prompt(parts)?.options.map(\.description) == titles)
            default:
                #expect(texts(parts).joined().contains("\n11. Option number 11 with a long name"))
                #expect(prompt(parts) == nil)
            }
            if count <= 10 { #expect(prompt(parts)?.options.map(\.id) == (0..<count).map { "o\($0)" }) }
        }
    }

    @Test func labelsThatBecomeEqualAreNumbered() {
        let same = ["Haircut with washing and styling, short", "Haircut with washing and styling, long", "Shave"]
        let buttons = prompt(channel.render(.choices(ChoicePrompt(text: "?", options: options(same)))))
        let titles = buttons?.options.map(\.title) ?? []
        #expect(Set(titles).count == 3)
        #expect(titles[0].hasPrefix("1. Haircut") && titles[1].hasPrefix("2. Haircut") && titles[2] == "Shave")
        #expect(titles.allSatisfy { $0.utf16.count <= 20 })
    }

    @Test func labelsStayDifferentWhateverTheyAre() {
        let hostile = [["A", "A", "1. A"], ["", "", "1."], ["2. B", "B", "B"], [" x ", "x", "\nx\n"]]
        for titles in hostile {
            let labels = prompt(channel.render(.choices(ChoicePrompt(text: "?", options: options(titles)))))?.options.map(\.title) ?? []
            #expect(Set(labels).count == 3, "\(titles) → \(labels)")
            #expect(labels.allSatisfy { (1...20).contains($0.utf16.count) && $0 == $0.trimmingSpaces })
        }
    }

    @Test func labelsAreCutBetweenCharacters() {
        let families = String(repeating: "👨‍👩‍👧‍👦", count: 10)
        let labels = prompt(
            channel.render(.choices(ChoicePrompt(text: "?", options: options([families, "مرحبا بكم في صالوننا الجديد", "ok"])))))?.options
        #expect(labels?[0].title == "👨‍👩‍👧‍👦…")
        #expect(labels?[1].title.utf16.count ?? 99 <= 20)
    }

    @Test func aLongQuestionGoesAheadAsText() {
        let long = (0..<1200).map { "word\($0)" }.joined(separator: " ")
        for (count, limit) in [(2, 1024), (5, 4096)] {
            let parts = channel.render(.choices(ChoicePrompt(text: long, options: options((0..<count).map { "Option \($0)" }))))
            let body = prompt(parts)?.text ?? ""
            #expect((1...limit).contains(body.utf16.count))
            #expect((texts(parts) + [body]).joined(separator: " ") == long)
            #expect(texts(parts).allSatisfy { $0.utf16.count <= 4096 })
        }
    }

    @Test func promptsAlwaysHaveWords() {
        let parts = channel.render(.choices(ChoicePrompt(text: "  ", options: options(["A", "B"]), listTitle: " ")))
        #expect(prompt(parts)?.text == "Choose")
        #expect(channel.render(.choices(ChoicePrompt(text: "Only words", options: []))) == [.text("Only words")])
        #expect(channel.render(.choices(ChoicePrompt(text: "", options: []))).count == 1)
    }

    @Test func idsThatWhatsAppRefusesBecomeLines() {
        for ids in [["a", "a"], ["", "b"], [String(repeating: "x", count: 257), "b"]] {
            let choice = ChoicePrompt(text: "Which?", options: ids.map { ChoicePrompt.Option(id: $0, title: "T", description: "D") })
            #expect(channel.render(.choices(choice)) == [.text("Which?\n1. T – D\n2. T – D")])
        }
    }

    @Test func renderingAPartAgainChangesNothing() {
        let long = String(repeating: "A sentence of some length. ", count: 400)
        let contents: [OutboundContent] = [
            .text(long),
            .choices(ChoicePrompt(text: long, options: options(["Same long title of a thing 1", "Same long title of a thing 2"]))),
            .choices(ChoicePrompt(text: long, options: options((0..<8).map { "Row with quite a long title \($0)" }, description: long))),
            .choices(ChoicePrompt(text: long, options: options((0..<30).map { "Row \($0)" }))),
            .media(Media(kind: .image, id: "1", caption: long)), .template(TemplateMessage(name: "t", language: "en")),
            .reaction(Reaction(messageID: "m", emoji: "👍")),
        ]
        for content in contents {
            let parts = channel.render(content)
            #expect(!parts.isEmpty)
            for part in parts { #expect(channel.render(part) == [part]) }
        }
    }
}

@Suite struct WindowTests {
    private let now = Timestamp(seconds: 1_780_000_000)

    @Test func theWindowIsOpenForTwentyFourHours() {
        func refusal(_ seconds: Int) -> ChannelError? {
            channel.refusal(of: .text("x"), lastInboundAt: now + .seconds(-seconds), now: now)
        }
        #expect(refusal(0) == nil)
        #expect(refusal(86_399) == nil)
        #expect(refusal(86_400)?.code == "window_closed")
        #expect(refusal(90_000)?.reaction == .askForTemplate)
        #expect(refusal(-60) == nil)
    }

    @Test func whoNeverWroteGetsTemplatesOnly() {
        let contents: [OutboundContent] = [
            .text("x"), .media(Media(kind: .image, id: "1")), .reaction(Reaction(messageID: "m", emoji: "👍")),
            .choices(ChoicePrompt(text: "?", options: options(["A"]))),
        ]
        for content in contents { #expect(channel.refusal(of: content, lastInboundAt: nil, now: now)?.code == "window_closed") }
        #expect(channel.refusal(of: .template(TemplateMessage(name: "t", language: "en")), lastInboundAt: nil, now: now) == nil)
    }
}

extension String {
    var trimmingSpaces: String {
        var text = self[...].drop(while: \.isWhitespace)
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
