import Testing
import Text

@Suite struct EditDistanceTests {
    @Test func similarityRunsFromNothingToEqual() {
        #expect(EditDistance.similarity("", "") == 1)
        #expect(EditDistance.similarity("massage", "massage") == 1)
        #expect(EditDistance.similarity("abc", "xyz") == 0)
        #expect(EditDistance.similarity("", "abc") == 0)
        #expect(abs(EditDistance.similarity("lock_card", "unlock_card") - 9.0 / 11) < 1e-9)
    }

    @Test func itCountsCharactersNotBytes() {
        #expect(EditDistance.distance("café", "cafe\u{301}") == 0)
        #expect(EditDistance.distance("👩‍👩‍👧", "👍") == 1)
        #expect(EditDistance.distance("kitten", "sitting") == 3)
        #expect(EditDistance.distance("abcd", "") == 4)
    }

    @Test func longTextsAreOnlyComparedForEquality() {
        let long = String(repeating: "a", count: 5000)
        #expect(EditDistance.similarity(long, long) == 1)
        #expect(EditDistance.similarity(long, long + "b") == 0)
    }
}

@Suite struct TextSplitterTests {
    @Test(arguments: [1, 2, 7, 20, 64])
    func joiningThePartsGivesTheTextBack(limit: Int) {
        let text = "A first sentence. A second one!\n\nAnd 👩‍👩‍👧‍👦 families, naïve cafés, averyveryverylongwordwithoutanyspace; the end."
        let parts = TextSplitter.split(text, limit: limit)
        #expect(parts.joined() == text)
        #expect(parts.allSatisfy { $0.count <= limit && !$0.isEmpty })
    }

    @Test func cutsFallBetweenSentencesThenWords() {
        #expect(TextSplitter.split("One two three. Four five six.", limit: 20) == ["One two three. ", "Four five six."])
        #expect(TextSplitter.split("alpha beta gamma", limit: 12) == ["alpha beta ", "gamma"])
    }

    @Test func emptyAndShortTextsStayWhole() {
        #expect(TextSplitter.split("", limit: 5) == [""])
        #expect(TextSplitter.split("hello", limit: 5) == ["hello"])
    }

    @Test func aFamilyIsNeverTornApart() {
        let family = "👩‍👩‍👧‍👦"
        let parts = TextSplitter.split(String(repeating: family, count: 5), limit: 2)
        #expect(parts == [family + family, family + family, family])
        #expect(TextSplitter.truncate(String(repeating: family, count: 5), limit: 3) == family + family + "…")
    }

    @Test func truncationPrefersWholeWords() {
        #expect(TextSplitter.truncate("Deep tissue massage", limit: 20) == "Deep tissue massage")
        #expect(TextSplitter.truncate("Deep tissue massage with oil", limit: 20) == "Deep tissue massage…")
        #expect(TextSplitter.truncate("Deep tissue massages", limit: 14) == "Deep tissue…")
        #expect(TextSplitter.truncate("Supercalifragilistic", limit: 6) == "Super…")
        #expect(TextSplitter.truncate("abc", limit: 1) == "a")
    }

    @Test func labelsThatBecomeEqualAreNumbered() {
        let labels = ["Ladies cut and finish", "Ladies cut and colour", "ladies cut and curls", "Shave"]
        let unique = TextSplitter.uniqueLabels(labels, limit: 12)
        #expect(Set(unique.map { $0.lowercased() }).count == 4)
        #expect(unique.allSatisfy { $0.count <= 12 })
        #expect(unique[3] == "Shave")
        #expect(TextSplitter.uniqueLabels(["A", "A", "A"], limit: 20) == ["A", "A (2)", "A (3)"])
    }
}

@Suite struct NormalizerTests {
    @Test func cleaningTrimsCollapsesAndComposes() {
        #expect(Normalizer.clean("  two \n\t words  ") == "two words")
        #expect(Array(Normalizer.clean("cafe\u{301}").unicodeScalars).count == 4)
        #expect(Normalizer.clean("\u{200B}\u{202E}a\u{FEFF}b\u{0}") == "ab")
        #expect(Normalizer.clean("   ") == "")
        #expect(Normalizer.clean("👩‍👧") == "👩‍👧")
    }

    @Test func foldingIgnoresCaseQuotesDashesAndSkin() {
        #expect(Normalizer.fold("DON’T – “go”") == "don't - \"go\"")
        #expect(Normalizer.fold("Straße") == Normalizer.fold("STRASSE"))
        #expect(Normalizer.fold("👍🏽") == Normalizer.fold("👍"))
        #expect(Normalizer.foldWithoutAccents("Sí, Não, Über") == "si, nao, uber")
    }
}
