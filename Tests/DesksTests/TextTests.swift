import Conversation
import Testing

@testable import Desks

@Suite struct TextTests {
    @Test(arguments: [
        ("<p>Hello <b>there</b> &amp; welcome</p>", "Hello there & welcome"), ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("<p>a</p><p>b</p>", "a\n\nb"), ("<ul><li>one</li><li>two</li></ul>", "- one\n- two"),
        ("<script>alert('<b>x</b>')</script>safe<style>p{}</style>", "safe"), ("<scr<script>ipt>x</script>y", "ipt>xy"),
        ("a <!-- <b>hidden</b> --> b", "a b"), ("5 < 6 && 7 > 2", "5 < 6 && 7 > 2"), ("&lt;script&gt;", "<script>"),
        ("&#104;&#x69;&#0;&#1114112;&bogus; &", "hi&#1114112;&bogus; &"),
        ("<a href=\"https://a.example/x\">here</a>", "here (https://a.example/x)"),
        ("<a href='https://a.example/x'>https://a.example/x</a>", "https://a.example/x"), ("<a href=\"javascript:alert(1)\">go</a>", "go"),
        ("<blockquote>old<br>words</blockquote>new", "> old\n> words\nnew"), ("<img src=x onerror=\"alert('>')\">text", "text"),
        ("<p title=\"a > b\">text</p>", "text"), ("unfinished <b", "unfinished <b"), ("", ""), ("<div></div><div> </div>", ""),
    ])
    func htmlBecomesText(_ html: String, _ text: String) { #expect(PlainText.from(html: html) == text) }

    @Test(arguments: ["<", "<a ", "&", "<a href=\"", "<!--", "<blockquote>", "<script>", "a<b\"", "</p>"])
    func brokenMarkupTakesLittleTime(_ piece: String) {
        let html = String(repeating: piece, count: 262_144 / piece.utf8.count)
        let start = ContinuousClock.now
        _ = PlainText.from(html: html)
        #expect(ContinuousClock.now - start < .seconds(20), "linear, not quadratic")
    }

    @Test func aMarkIsReadOnlyWhereWeWroteIt() {
        let id = Sample.ids.next()
        #expect(DeskText.markedID(in: "Hello\n\n\(DeskText.mark(id))") == id)
        #expect(DeskText.markedID(in: "Hello\r\n\(DeskText.mark(id)) \n \n") == id)
        #expect(DeskText.markedID(in: "Thanks!\n> Hello\n> \(DeskText.mark(id))") == nil)
        #expect(DeskText.markedID(in: "\(DeskText.mark(id))\nand more") == nil)
        #expect(DeskText.markedID(in: "[sb:none]") == nil)
        #expect(DeskText.markedID(in: "") == nil)
    }

    @Test func textsAreCutAtCharacters() {
        let text = String(repeating: "👍🏽é", count: 40)
        for limit in 60...120 {
            let cut = DeskText.cut(text, to: limit)
            #expect(cut.utf8.count <= limit && cut.hasSuffix("(cut here: the text was too long)"))
            #expect(text.hasPrefix(cut.prefix { $0 != "\n" }))
        }
        #expect(DeskText.cut("short", to: 60) == "short")
    }

    @Test(arguments: [
        ("https://files.example/a.jpg", true), ("HTTP://files.example", true), ("ftp://files.example/a", false), ("https://", false),
        ("https:///a", false), ("https://a@b/c", false), ("https://a.example/a b", false), ("https://a.example/\"onload=", false),
        ("data:text/html,x", false),
    ])
    func linksAreChecked(_ url: String, _ isGood: Bool) { #expect((Link.checked(url) != nil) == isGood) }

    @Test func aStateComesBackAsItWas() throws {
        #expect(try DeskState("7:1:9") == DeskState(message: 7, isDone: true, assignee: 9))
        #expect(DeskState(message: 7, isDone: true, assignee: 9).description == "7:1:9")
        for text in ["", "1", "1:2", "1:-1:2", "a:b:c"] { #expect(throws: DeskError.self) { try DeskState(text) } }
    }

    @Test func anUnreachableDeskDidNothing() async throws {
        let desk = try WebhookDeskFixture.desk.get()
        let error = await Sample.error { () async throws(DeskError) in _ = try await desk.open(Sample.draft()) }
        #expect(error?.outcome == .notDone)
    }
}
