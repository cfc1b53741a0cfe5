import Testing
import Text

@Suite struct PhoneNumberTests {
    @Test(arguments: [
        ("(415) 555-2671", "US", "+14155552671"), ("415.555.2671", "US", "+14155552671"), ("+44 20 7946 0958", "US", "+442079460958"),
        ("020 7946 0958", "GB", "+442079460958"), ("+1 415 555 2671", "DE", "+14155552671"), ("030 901820", "DE", "+4930901820"),
        ("０２０ ７９４６ ０９５８", "GB", "+442079460958"),
    ])
    func numbersComeOutAsE164(text: String, region: String, expected: String) {
        #expect(PhoneNumbers.e164(text, region: region) == expected)
    }

    @Test(arguments: ["", "12", "hello", "+0", "++1", "+999999999999999999", "555", "2026-11-28", String(repeating: "9", count: 500)])
    func whatIsNoNumberIsNil(text: String) {
        #expect(PhoneNumbers.e164(text, region: "US") == nil)
    }

    @Test func oldAndNewFormsOfMexicanAndBrazilianMobilesAreOne() {
        #expect(PhoneNumbers.e164("+521 55 1234 5678") == "+525512345678")
        #expect(PhoneNumbers.e164("+52 55 1234 5678") == "+525512345678")
        #expect(PhoneNumbers.e164("+55 11 96123-4567") == "+5511961234567")
        #expect(PhoneNumbers.e164("+55 11 6123-4567") == PhoneNumbers.e164("+55 11 96123-4567"))
        #expect(PhoneNumbers.e164("+55 11 3123-4567") == "+551131234567", "landlines stay")
    }

    @Test(arguments: [
        ("+5215512345678", ["+5215512345678", "+525512345678"]), ("+525512345678", ["+525512345678", "+5215512345678"]),
        ("+551161234567", ["+551161234567", "+5511961234567"]), ("+5511961234567", ["+5511961234567", "+551161234567"]),
        ("+551131234567", ["+551131234567"]), ("+15550001111", ["+15550001111"]), ("+12345", ["+12345"]),
        ("+4402079460958", ["+4402079460958", "+442079460958"]),
    ])
    func aNumberHasTheFormsUnderWhichItMayBeKept(number: String, forms: [String]) { #expect(PhoneNumbers.forms(of: number) == forms) }

    @Test func numbersAreFoundInsideTextsWithTheirPlaces() throws {
        let text = "Größe 38 — call +1 415 555 2671 or (212) 555-0187 before 5pm"
        let found = PhoneNumbers.find(in: text, region: "US")
        #expect(found.map(\.e164) == ["+14155552671", "+12125550187"])
        #expect(found.map { String(text[$0.range]) } == ["+1 415 555 2671", "(212) 555-0187"])
    }

    @Test func datesAndTimesAreNoNumbers() {
        #expect(PhoneNumbers.find(in: "on 28/11/2026 at 17:30 for 2 people", region: "US").isEmpty)
    }

    @Test func hostileTextsAreSearchedQuickly() {
        let clock = ContinuousClock()
        let taken = clock.measure {
            _ = PhoneNumbers.find(in: String(repeating: "1 (2) 3-", count: 15_000), region: "US")
            _ = PhoneNumbers.find(in: String(repeating: "٣", count: 50_000), region: "US")
        }
        #expect(taken < .seconds(20))
    }
}
