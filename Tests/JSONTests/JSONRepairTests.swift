import JSON
import Testing

@Suite struct JSONRepairTests {
    private func repaired(_ text: String) -> String { String(decoding: JSONRepair.withReplacedCharacters(Array(text.utf8)), as: UTF8.self) }

    @Test func loneSurrogatesAreReplacedAndPairsStay() {
        #expect(repaired(#"["\ud83d"]"#) == #"["\ufffd"]"#)
        #expect(repaired(#"["\udc4d"]"#) == #"["\ufffd"]"#)
        #expect(repaired(#"["\ud83d\udc4d"]"#) == #"["\ud83d\udc4d"]"#)
        #expect(repaired(#"["\uD83D\uD83D\uDC4D"]"#) == #"["\ufffd\uD83D\uDC4D"]"#)
        #expect(repaired(#"["\udc4d\ud83d"]"#) == #"["\ufffd\ufffd"]"#)
        #expect(repaired(#"["\ud83d x"]"#) == #"["\ufffd x"]"#)
    }

    @Test func anEscapedBackslashBeforeUIsNoEscape() {
        #expect(repaired(#"["\\ud83d"]"#) == #"["\\ud83d"]"#)
        #expect(repaired(#"["\\\ud83d"]"#) == #"["\\\ufffd"]"#)
    }

    @Test func bytesThatAreNoUTF8AreReplaced() throws {
        let bytes: [UInt8] = Array("{\"a\":\"x".utf8) + [0xC3, 0x28, 0xFF, 0xED, 0xA0, 0x80] + Array("y\",\"b\":1}".utf8)
        #expect(throws: JSONError.self) { try JSONDocument.parse(bytes) }
        let root = try JSONDocument.parse(JSONRepair.withReplacedCharacters(bytes)).root
        #expect(root["a"].string?.hasPrefix("x\u{FFFD}(\u{FFFD}") == true)
        #expect(root["a"].string?.hasSuffix("y") == true)
        #expect(root["b"].int == 1)
    }

    @Test(arguments: ["\\", "\"\\u", "\"\\ud8", "\\ud83d\\u", "\"\\ud83d", ""])
    func truncatedEscapesAreLeftAlone(_ text: String) {
        let bytes = Array(text.utf8)
        #expect(JSONRepair.withReplacedCharacters(bytes).count == bytes.count)
    }

    @Test func nullsAreReplacedOnlyWhereTheyAreEscapes() {
        #expect(JSONRepair.withoutNulls(Array(#"["a\u0000b"]"#.utf8)) == Array(#"["a\ufffdb"]"#.utf8))
        #expect(JSONRepair.withoutNulls(Array(#"["a\\u0000b"]"#.utf8)) == nil)
        #expect(JSONRepair.withoutNulls(Array(#"["ab"]"#.utf8)) == nil)
    }
}

@Suite struct JSONSliceTests {
    private let text = Array(#" { "a" : [ 1 , {"b": "x,]}\"" } , [] ] , "c\"d" : null, "e":-1.5e3 } "#.utf8)

    private func string(_ slice: JSONSlice?) -> String? { slice.map { String(decoding: $0.bytes, as: UTF8.self) } }

    @Test func findsMembersAndItemsAsTheyWereWritten() {
        let root = JSONSlice(text)
        #expect(root["a"]?.items.map { string($0)?.filter { $0 != " " } } == ["1", #"{"b":"x,]}\""}"#, "[]"])
        #expect(string(root["a"]?.items[1]["b"]) == #""x,]}\"""#)
        #expect(string(root["e"])?.filter { $0 != " " } == "-1.5e3")
        #expect(root["b"] == nil)
        #expect(root["a"]?["b"] == nil)
        #expect(root["e"]?.items.isEmpty == true)
        #expect(JSONSlice(Array("[]".utf8)).items.isEmpty)
    }

    @Test func neverReadsBeyondATextThatEndsEarly() {
        for end in 0...text.count {
            let root = JSONSlice(Array(text[0..<end]))
            _ = root["e"]?.bytes
            _ = root["a"]?.items.map(\.bytes)
            _ = root.items
        }
        #expect(JSONSlice([]).bytes.isEmpty)
    }
}
