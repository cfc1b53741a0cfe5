import Testing
import Text

@Suite struct PatternTests {
    @Test func aPatternTellsWholeAndPartialMatchesApart() throws {
        let pattern = try Pattern("b+")
        #expect(pattern.matches("abbc"))
        #expect(!pattern.matchesWhole("abbc"))
        #expect(pattern.matchesWhole("BBB"), "case does not count by default")
        #expect(!(try Pattern("b+", caseSensitive: true)).matches("BBB"))
    }

    @Test func groupsThatTookNoPartAreNil() throws {
        let match = try #require(try Pattern(#"(\d+)(px)?-(ü)"#).first(in: "é 12-ü!"))
        #expect(match.groups == ["12-ü", "12", nil, "ü"])
        #expect(String("é 12-ü!"[match.range]) == "12-ü")
    }

    @Test func allFindsOccurrencesInOrderAndStepsOverEmptyOnes() throws {
        #expect(try Pattern(#"\d+"#).all(in: "a1 b22 c333").compactMap { $0.groups[0] } == ["1", "22", "333"])
        #expect(try Pattern("x*").all(in: "axx").count >= 2)
        #expect(try Pattern("x").all(in: "xxxxxxxx", limit: 3).count == 3)
        #expect(try Pattern("x").all(in: "").isEmpty)
    }

    @Test(arguments: ["(a", "[z-a]", "a**b(", #"(?P<n"#, #"\8"#])
    func aBrokenPatternIsRefusedWithItsReason(source: String) {
        #expect {
            try Pattern(source)
        } throws: { error in
            guard let error = error as? PatternError else { return false }
            return error.pattern == source && !error.reason.isEmpty && error.description.contains(source)
        }
    }

    @Test func aSetNamesThePatternThatIsBroken() {
        #expect {
            try PatternSet(["fine", "(broken", "also fine"])
        } throws: { ($0 as? PatternError)?.pattern == "(broken" }
    }

    @Test func aSetReturnsTheIndexesOfAllThatMatchInOrder() throws {
        let set = try PatternSet(["zebra", "^book", "cut$", "hair"])
        #expect(set.matches("Book a haircut") == [1, 2, 3])
        #expect(set.matches("nothing of it") == [])
        #expect(try PatternSet([]).matches("anything") == [])
    }

    @Test func manyPatternsAreMatchedInOnePass() throws {
        let set = try PatternSet((0..<300).map { "word\($0)\\b" })
        #expect(set.matches("here is word7 and word299") == [7, 299])
    }

    @Test func hostilePatternsAndTextsTakeLinearTime() throws {
        let text = String(repeating: "a", count: 100_000)
        let clock = ContinuousClock()
        let pattern = try Pattern("(a+)+$|(a|aa)+b|(a*)*c")
        let set = try PatternSet(["(a+)+b", "(a|a)*c", "(.*)(.*)(.*)(.*)(.*)d"])
        let taken = clock.measure {
            #expect(!pattern.matchesWhole(text + "!"))
            #expect(set.matches(text) == [])
        }
        #expect(taken < .seconds(20))
        #expect(throws: PatternError.self) { try Pattern("((((a{100}){100}){100}){100})") }
    }

    @Test func zeroCharactersAreCharactersLikeOthers() throws {
        #expect(try Pattern("a.b").matchesWhole("a\u{0}b"))
        #expect(try PatternSet(["b"]).matches("a\u{0}b") == [0])
    }
}
