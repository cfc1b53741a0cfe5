import Conversation
import JSON
import Testing

@testable import WhatsApp

@Suite struct DeliveryTests {
    @Test func everyChangeIsRoutedByItsOwnNumber() throws {
        let items = try Payload.items("many-entries")
        #expect(items.map(\.account) == ["106540352242922", "106540352242999", "106540352242999", "999000999000999"])
        #expect(items.map { $0.message?.content.text } == ["For the salon", "For the jobs board", nil, "For nobody here"])
        #expect(items[2].status?.status == .delivered)
    }

    @Test func statusesCarryReferencePricingAndUnknownNames() throws {
        let statuses = try Payload.items("statuses").compactMap(\.status)
        #expect(statuses.map(\.status) == [.sent, .delivered, .read, .played, .other("warehoused")])
        #expect(statuses.allSatisfy { $0.reference == "01960000-0000-7000-8000-000000000001" })
        #expect(statuses.allSatisfy { $0.providerMessageID == "wamid.OUT0020" })
        #expect(statuses[0].pricing?["category"] == "service")
        #expect(statuses[1].pricing == nil)
        #expect(statuses[1].at == Timestamp(seconds: 1_780_000_201))
    }

    @Test func aFailedStatusSaysWhyAndWhatToDo() throws {
        let status = try #require(try Payload.items("status-failed").first?.status)
        #expect(status.status == .failed)
        #expect(status.errors.first?["code"] == 131_047)
        #expect(status.errors.first?["reaction"] == "ask_for_template")
    }

    @Test(arguments: [
        ("errors", "errors", true), ("template-paused", "message_template_status_update", false),
        ("account-update", "account_update", false),
        ("phone-number-quality", "phone_number_quality_update", false), ("user-preferences", "user_preferences", true),
        ("user-id-update", "user_id_update", true), ("echoes", "smb_message_echoes", true),
    ])
    func fieldEventsAreKept(payload: String, name: String, hasAddress: Bool) throws {
        let items = try Payload.items(payload)
        let field = try #require(items.first?.field)
        #expect(items.count == 1)
        #expect(field.name == name)
        #expect((field.address != nil) == hasAddress)
        let body = try JSONValue(parsing: field.body)
        if payload != "errors" {
            #expect(body["id"] == "700000000000001")
            #expect(body.at(pointer: "/changes/0/field")?.string == name)
            #expect(body["changes"]?.array?.count == 1)
        } else {
            #expect(body.at(pointer: "/0/code") == 130_429)
        }
    }

    @Test func messagesStatusesAndErrorsOfOneChangeAllCount() {
        let status = #"{"id":"wamid.9","status":"read","timestamp":1780000000}"#
        let value =
            #"{"metadata":{"phone_number_id":106540352242922},"messages":[\#(Hook.text("a"))],"statuses":[\#(status)],"errors":[{"code":1}]}"#
        let items = Hook.items(Hook.body(value: value))
        #expect(items.map(\.account) == ["106540352242922", "106540352242922", "106540352242922"])
        #expect(items[0].message != nil && items[1].status != nil && items[2].field?.name == "errors")
    }

    @Test func messagesWithoutANumberAreKeptWithoutAddress() throws {
        for value in [#"{"messages":[\#(Hook.text("a"))]}"#, #"{"metadata":{"phone_number_id":""},"messages":[]}"#, #"{"metadata":7}"#] {
            let items = Hook.items(Hook.body(value: value))
            let kept = try #require(items.first?.unreadable)
            #expect(items.count == 1 && kept.address == nil)
            #expect(try JSONValue(parsing: kept.body)["field"] == "messages")
        }
    }

    @Test func shapesThatAreWrongCostOnlyThemselves() {
        let entry =
            #"{"id":"7","changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"1"},"messages":[\#(Hook.text("a"))]}}]}"#
        for wrong in ["5", "null", "[]", "{}", #"{"changes":7}"#, #"{"changes":["x"]}"#, #"{"changes":[{"field":"messages"}]}"#] {
            let items = Hook.items(Array(#"{"object":"whatsapp_business_account","entry":[\#(wrong),\#(entry)]}"#.utf8))
            #expect(items.count == 2)
            #expect(items[0].unreadable != nil, "\(wrong)")
            #expect(items[1].message?.content == .text("a"))
        }
        for key in ["messages", "statuses"] {
            let items = Hook.items(Hook.body(value: #"{"metadata":{"phone_number_id":"1"},"\#(key)":{"0":1}}"#))
            #expect(items.count == 1 && items[0].unreadable?.address?.account == "1")
        }
    }

    @Test func aDeliveryWithNothingInItIsIgnored() {
        for body in [
            #"{"object":"whatsapp_business_account","entry":[]}"#, #"{"object":"whatsapp_business_account","entry":[{"changes":[]}]}"#,
        ] {
            let items = Hook.items(Array(body.utf8))
            guard items.count == 1, case .ignored = items[0] else {
                Issue.record("\(items)")
                continue
            }
        }
        #expect(Hook.items(Hook.body(value: #"{"metadata":{"phone_number_id":"1"}}"#)).first?.field?.name == "messages")
    }

    @Test func aStatusWithoutWhatItNeedsIsKept() {
        let good = #"{"id":"wamid.9","status":"read","timestamp":"1780000000"}"#
        for wrong in [
            "7", "null", #"{"status":"read","timestamp":"1"}"#, #"{"id":"wamid.9","timestamp":"1"}"#, #"{"id":"wamid.9","status":"read"}"#,
            #"{"id":5,"status":"read","timestamp":"1"}"#, #"{"id":"wamid.9","status":{},"timestamp":"1"}"#,
        ] {
            let items = Hook.items(Hook.body(value: #"{"metadata":{"phone_number_id":"1"},"statuses":[\#(wrong),\#(good)]}"#))
            #expect(items.count == 2)
            #expect(items[0].unreadable?.address?.account == "1", "\(wrong)")
            #expect(items[1].status?.status == .read)
        }
    }
}

@Suite struct MalformedMessageTests {
    @Test(arguments: [
        "5", "null", "[]", "\"text\"", "{}", #"{"from":"15550123456","timestamp":"1","type":"text","text":{"body":"x"}}"#,
        #"{"from":"15550123456","id":7,"timestamp":"1","type":"text","text":{"body":"x"}}"#,
        #"{"from":"15550123456","id":"","timestamp":"1","type":"text","text":{"body":"x"}}"#,
        #"{"id":"wamid.1","timestamp":"1","type":"text","text":{"body":"x"}}"#,
        #"{"from":["1"],"id":"wamid.1","timestamp":"1","type":"text","text":{"body":"x"}}"#,
        #"{"from":"nobody","id":"wamid.1","timestamp":"1","type":"text","text":{"body":"x"}}"#,
        #"{"from":"15550123456","id":"wamid.1","timestamp":"1","text":{"body":"x"}}"#,
        #"{"from":"15550123456","id":"wamid.1","timestamp":"1","type":3,"text":{"body":"x"}}"#,
        #"{"from":"15550123456","id":"wamid.1","type":"text","text":{"body":"x"}}"#,
        #"{"from":"15550123456","id":"wamid.1","timestamp":"soon","type":"text","text":{"body":"x"}}"#,
        #"{"from":"15550123456","id":"wamid.1","timestamp":99999999999999999999999,"type":"text","text":{"body":"x"}}"#,
        #"{"from":"15550123456","id":"wamid.1","timestamp":9223372036854775807,"type":"text","text":{"body":"x"}}"#,
        #"{"from":"15550123456","id":"wamid.1","timestamp":-1,"type":"text","text":{"body":"x"}}"#,
        #"{"from":"15550123456","id":"wamid.1","timestamp":"1","type":"text"}"#,
        #"{"from":"15550123456","id":"wamid.1","timestamp":"1","type":"text","text":"x"}"#,
        #"{"from":"15550123456","id":"wamid.1","timestamp":"1","type":"text","text":{"body":5}}"#,
        #"{"from":"15550123456","id":"wamid.1","timestamp":"1","type":"image","image":{"caption":"x"}}"#,
        #"{"from":"15550123456","id":"wamid.1","timestamp":"1","type":"location","location":{"latitude":91,"longitude":0}}"#,
        #"{"from":"15550123456","id":"wamid.1","timestamp":"1","type":"reaction","reaction":{"emoji":"x"}}"#,
        #"{"from":"15550123456","id":"wamid.1","timestamp":"1","type":"interactive","interactive":{"type":"button_reply"}}"#,
        #"{"from":"15550123456","id":"wamid.1","timestamp":"1","type":"contacts","contacts":{}}"#,
        #"{"from":"15550123456","id":"wamid.1","timestamp":"1","type":"order","order":[]}"#,
        #"{"from":"15550123456","id":"wamid.1","timestamp":"1","type":"system","system":{}}"#,
        #"{"from":"15550123456","id":"wamid.1","timestamp":"1","type":"button","button":{}}"#,
    ])
    func aMalformedMessageIsKeptRawAndItsNeighboursGoOn(_ wrong: String) throws {
        let items = Hook.items(Hook.body([Hook.text("before", id: "a"), wrong, Hook.text("after", id: "b")]))
        #expect(items.count == 3)
        #expect(items[0].message?.content == .text("before"))
        #expect(items[2].message?.content == .text("after"))
        let kept = try #require(items[1].unreadable)
        #expect(kept.address?.account == "106540352242922")
        #expect(try JSONValue(parsing: kept.body) == JSONValue(parsing: Array(wrong.utf8)))
    }

    @Test func oneMalformedMessageInAThousandCostsItself() throws {
        var messages = (0..<1000).map { Hook.text("message \($0)", id: "wamid.\($0)") }
        messages[500] = #"{"id":"wamid.500","type":"text"}"#
        let items = Hook.items(Hook.body(messages))
        #expect(items.count == 1000)
        #expect(items.compactMap(\.message).map(\.providerID) == (0..<1000).filter { $0 != 500 }.map { "wamid.\($0)" })
        #expect(items[500].unreadable != nil)
    }

    @Test func aZeroCharacterIsReplacedAndTheRawKept() throws {
        let items = Hook.items(
            Hook.body([Hook.text(#"a\u0000b"#, id: "a"), Hook.text("plain", id: "b"), Hook.text(#"c\\u0000d"#, id: "c")]))
        #expect(items.map { $0.message?.content.text } == ["a\u{FFFD}b", "plain", #"c\u0000d"#])
        #expect(items[0].message?.raw == Hook.text(#"a\u0000b"#, id: "a"))
        #expect(items[1].message?.raw == nil)
        #expect(items[2].message?.raw == nil)
    }

    @Test func zeroCharactersLeaveIdentifiersNamesAndFormsToo() throws {
        let contacts = #"[{"wa_id":"15550123456","profile":{"name":"Cust\u0000omer"}}]"#
        let form =
            #"{"from":"15550123456","id":"w\u0000amid","timestamp":"1","type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"#
            + #""name":"flow","response_json":"{\"a\":\"x\\u0000y\"}"}}}"#
        let message = try #require(Hook.items(Hook.body([form], contacts: contacts)).first?.message)
        #expect(message.sender.profileName == "Cust\u{FFFD}omer")
        #expect(message.providerID == "w\u{FFFD}amid")
        #expect(message.content == .reply(InteractiveReply(kind: .form, id: "flow", response: ["a": "x\u{FFFD}y"])))
    }

    @Test func aLoneSurrogateCostsOneCharacter() throws {
        var messages = (0..<1000).map { Hook.text("message \($0)", id: "wamid.\($0)") }
        messages[500] = Hook.text(#"broken \ud83d here 👍"#, id: "wamid.500")
        let read = Hook.items(Hook.body(messages)).compactMap(\.message)
        #expect(read.count == 1000)
        #expect(read[500].content == .text("broken \u{FFFD} here 👍"))
        #expect(read[500].raw == messages[500])
        #expect(read.filter { $0.raw != nil }.count == 1)
    }

    @Test func bytesThatAreNoUTF8CostOneCharacter() throws {
        var body = Hook.body([Hook.text("first", id: "a"), Hook.text("brXken", id: "b"), #"{"id":"wamid.c","type":"text"}"#])
        let place = try #require(body.firstIndex(of: UInt8(ascii: "X")))
        body[place] = 0xFF
        let items = Hook.items(body)
        #expect(items.map { $0.message?.content.text } == ["first", "br\u{FFFD}ken", nil])
        #expect(items[0].message?.raw == nil)
        #expect(items[1].message?.raw?.contains("wamid") == false)
        #expect(items[1].message?.raw?.contains("\"id\":\"b\"") == true)
        #expect(items[2].unreadable.map { String(decoding: $0.body, as: UTF8.self) } == #"{"id":"wamid.c","type":"text"}"#)
    }

    @Test func anUnknownTypeWithBrokenCharactersKeepsItsOriginal() throws {
        let wrong = #"{"from":"15550123456","id":"a","timestamp":"1","type":"hologram","hologram":"\udc00"}"#
        let message = try #require(Hook.items(Hook.body([wrong])).first?.message)
        #expect(message.content == .unsupported(kind: "hologram", raw: wrong))
    }

    @Test func hugeNumbersCostNothing() throws {
        let message = try Hook.message(#"{"type":"text","text":{"body":"x","weight":1e999,"serial":123456789012345678901234567890}}"#)
        #expect(message.content == .text("x"))
    }
}

@Suite struct OriginalTextTests {
    @Test func whatIsKeptOfADeliveryWithHugeNumbersIsAsItCame() throws {
        let wrong = #"{"id":"wamid.1",  "type":"text", "serial":123456789012345678901234567890}"#
        let kept = try #require(Hook.items(Hook.body([wrong])).first?.unreadable)
        #expect(String(decoding: kept.body, as: UTF8.self) == wrong)
    }

    @Test func aByteOrderMarkChangesNothing() throws {
        let wrong = #"{"id":"wamid.1", "text":"\u0000"}"#
        let items = Hook.items([0xEF, 0xBB, 0xBF] + Hook.body([wrong, Hook.text("x")]))
        #expect(items.first?.unreadable.map { String(decoding: $0.body, as: UTF8.self) } == wrong)
        #expect(items.last?.message?.content == .text("x"))
    }

    @Test func timesAreSecondsAsTextOrNumber() throws {
        for time in [#""1780000000""#, "1780000000", "1780000000.0", "1.78e9"] {
            let message = try Hook.message(#"{"type":"text","text":{"body":"x"},"timestamp":\#(time)}"#)
            #expect(message.sentAt == Timestamp(seconds: 1_780_000_000))
        }
    }
}
