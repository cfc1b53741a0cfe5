import Conversation
import JSON
import Testing

private func view(_ text: String) throws -> JSONView { try JSONDocument.parse(Array(text.utf8)).root }

@Suite struct JSONViewTests {
    @Test func readsEveryKindOfValue() throws {
        let root = try view(#"{"s":"é\n","i":-7,"d":1.5,"t":true,"f":false,"n":null,"a":[1,"x"],"o":{"k":"v"}}"#)
        #expect(root["s"].string == "é\n")
        #expect(root["i"].int == -7)
        #expect(root["i"].double == -7)
        #expect(root["d"].double == 1.5)
        #expect(root["d"].int == nil)
        #expect(root["t"].bool == true)
        #expect(root["f"].bool == false)
        #expect(root["n"].isNull && root["n"].exists)
        #expect(root["a"].array?.count == 2)
        #expect(root["a"][1].string == "x")
        #expect(root["o"]["k"].string == "v")
        #expect(root.members?.map(\.key) == ["s", "i", "d", "t", "f", "n", "a", "o"])
    }

    @Test func missingAndMistypedAreValuesAndNeverTrap() throws {
        let root = try view(#"{"a":[1],"s":"text","n":null}"#)
        #expect(!root["b"]["c"][7]["d"].exists)
        #expect(root["s"]["k"].string == nil)
        #expect(root["s"][0].exists == false)
        #expect(root["a"][1].exists == false)
        #expect(root["a"][-1].exists == false)
        #expect(root["a"]["0"].exists == false)
        #expect(root["s"].int == nil && root["s"].bool == nil && root["s"].array == nil && root["s"].members == nil)
        #expect(root["n"].string == nil)
        #expect(!JSONView.missing.isNull)
        #expect(JSONView.missing.rawText == "")
        #expect(JSONView.missing.value == .null)
        #expect(root[""].exists == false)
    }

    @Test func aViewOutlivesEveryOtherReferenceToItsDocument() throws {
        func inner() throws -> JSONView { try view(#"{"deep":{"er":["kept alive by the view alone"]}}"#)["deep"]["er"][0] }
        let kept = try inner()
        // Fresh documents would overwrite freed memory.
        for _ in 0..<100 { _ = try view(#"{"other":"0123456789012345678901234567"}"#) }
        #expect(kept.string == "kept alive by the view alone")
        #expect(kept.rawText == #""kept alive by the view alone""#)
    }

    @Test func zeroCharactersStayInStrings() throws {
        let root = try view("{\"s\":\"a\\u0000b\",\"k\\u0000\":1}")
        #expect(root["s"].string == "a\u{0}b")
        #expect(root["k\u{0}"].int == 1)
        #expect(root["s"].rawText == "\"a\\u0000b\"")
    }

    @Test func ofTwoMembersWithOneNameTheFirstCounts() throws {
        let root = try view(#"{"a":1,"a":2}"#)
        #expect(root["a"].int == 1)
        #expect(root.value == ["a": 1])
        #expect(root.members?.count == 2)
    }

    @Test func valueCopiesTheWholeTree() throws {
        let root = try view(#"{"a":[1,2.5,"x",null,true,{"b":[]}],"c":{}}"#)
        #expect(root.value == ["a": [1, 2.5, "x", nil, true, ["b": []]], "c": [:]])
        #expect(try JSONValue(parsing: Array(#"[{"k":1e2}]"#.utf8)) == [["k": 100.0]])
    }

    @Test func rawTextIsMinifiedAndReadsBackEqual() throws {
        let root = try view(#" { "a" : [ 1 , 2.25 , "q\"\\ü" ] , "o" : { } } "#)
        #expect(root.rawText == #"{"a":[1,2.25,"q\"\\ü"],"o":{}}"#)
        #expect(try view(root.rawText).value == root.value)
    }

    @Test func scalarsMayStandAlone() throws {
        #expect(try view("5").int == 5)
        #expect(try view("\"x\"").string == "x")
        #expect(try view("null").isNull)
    }

    @Test func documentsAreReadFromManyTasksAtOnce() async throws {
        let sums = try await withThrowingTaskGroup(of: Int.self) { group in
            for task in 0..<32 {
                group.addTask {
                    var sum = 0
                    for round in 0..<200 {
                        let root = try view(#"{"items":[\#(task),\#(round),{"n":1}]}"#)
                        sum += (root["items"][0].int ?? -1) + (root["items"][1].int ?? -1) + (root["items"][2]["n"].int ?? -1)
                    }
                    return sum - task * 200
                }
            }
            return try await group.reduce(into: [Int]()) { $0.append($1) }
        }
        #expect(sums.count == 32 && sums.allSatisfy { $0 == 199 * 100 + 200 })
    }
}

@Suite struct JSONLimitTests {
    @Test func hundredThousandLevelsAreAnErrorAndNoCrash() {
        for open in ["[", "{\"a\":"] {
            let text = String(repeating: open, count: 100_000)
            #expect(throws: JSONError.self) { try view(text) }
            let closed = text + "1" + String(repeating: open == "[" ? "]" : "}", count: 100_000)
            #expect(throws: JSONError.tooDeep) { try view(closed) }
        }
    }

    @Test func theDeepestTextThatIsReadCanBeCopiedAndWritten() throws {
        let levels = JSONDocument.maximumDepth - 1
        let text = String(repeating: "[", count: levels) + "1" + String(repeating: "]", count: levels)
        let root = try view(text)
        #expect(root.rawText == text)
        #expect(CanonicalJSON.text(root.value) == text)
    }

    @Test func wholeNumbersBeyondSixtyFourBitsReadAsDoubles() throws {
        let root = try view(#"{"max":9223372036854775807,"more":9223372036854775808,"huge":-1180591620717411303424,"after":"x"}"#)
        #expect(root["max"].int == Int.max)
        #expect(root["more"].int == nil)
        #expect(root["more"].double == 9_223_372_036_854_775_808)
        #expect(root["huge"].double == -1_180_591_620_717_411_303_424)
        #expect(root["after"].string == "x")
    }

    @Test func numbersBeyondADoubleReadAsTheirDigits() throws {
        let root = try view(#"{"a":1e999,"b":[-1E+400],"c":"1e999"}"#)
        #expect(root["a"].string == "1e999")
        #expect(root["a"].double == nil)
        #expect(root["b"][0].string == "-1E+400")
        #expect(root["c"].string == "1e999")
    }

    @Test func fourMebibytesAreFine() throws {
        let item = #"{"id":"wamid.0123456789","text":{"body":"a line of ordinary length, with some words"}}"#
        let count = 4_194_304 / (item.utf8.count + 1)
        let text = "[" + Array(repeating: item, count: count).joined(separator: ",") + "]"
        let items = try #require(try view(text).array)
        #expect(items.count == count)
        #expect(items.last?["text"]["body"].string == "a line of ordinary length, with some words")
        // The parser that grew for it serves small texts as well.
        #expect(try view(#"{"a":1}"#)["a"].int == 1)
    }

    @Test(arguments: [
        "", " ", "{", "{]", "[1,]", "{\"a\":}", "{\"a\":1}}", "nul", "01", "+1", "\"a", "\"\u{1}\"", "<html>", "[1 2]", "{'a':1}",
    ])
    func whatIsNoJSONThrows(_ text: String) {
        #expect(throws: JSONError.self) { try view(text) }
    }

    @Test func aByteOrderMarkInFrontIsSkipped() throws {
        #expect(try view("\u{FEFF}{\"a\":1}")["a"].int == 1)
    }
}
