import Testing
import Text

struct MaskingTests {
    @Test(arguments: [
        "+1 (555) 010-7788", "+15550107788", "15550107788", "555-010-7788", "555.010.7788", "(555) 010 7788", "+49 30 55501077-88",
        "+1\u{A0}555\u{A0}010\u{A0}7788", "555\u{2011}010\u{2011}7788", "+1 555 010.7788", "00 1 555 010 7788", "0 1 5 5 5 0 1 0 7 7 8 8",
        "\u{0661}\u{0665}\u{0665}\u{0665}\u{0660}\u{0661}\u{0660}\u{0667}\u{0667}\u{0668}\u{0668}",
    ])
    func aTelephoneNumberIsMaskedHoweverItIsWritten(number: String) {
        for text in [number, "from \(number) today", "from=\(number),", "[\(number)]", "\(number)\n\(number)"] {
            let masked = Masking.mask(text)
            #expect(masked.contains("•••"), "\(text) became \(masked)")
            #expect(masked.count { $0.isNumber } <= 2 * text.split(separator: "\n").count, "\(text) became \(masked)")
        }
    }

    @Test(arguments: [
        "019aa3f2-7c11-7d02-8123-456789012345", "turn:salon-whatsapp:019aa3f2-7c11-7d02-8123-456789012345",
        "/v1/x/01234567-0123-7123-8123-012345678901",
        "2026-11-21T03:22:40Z", "2026-11-21T03:22:40.123Z", "2026-11-21T03:22:40.123+01:00", "on 2026-11-21 at 03:22:40",
        "2026-11-21 03:22:40.123",
        "0.12400000000000001", "12.3456789 s", "192.168.100.200", "192.168.100.200:8080 refused", "10.20.30.40/24", "503", "attempt 3 of 5",
        "[1, 2, 3, 4, 5, 6, 7, 8]", "ports 8080,8081,8082", "", "no digits at all", "123456",
    ])
    func idsTimesAddressesAndFractionsStay(text: String) { #expect(Masking.mask(text) == text) }

    @Test func whatStandsBesideANumberStays() {
        let id = "019aa3f2-7c11-7d02-8123-456789012345"
        #expect(Masking.mask("lane \(id) of +1 555 010 7788 at 2026-11-21T03:22:40Z") == "lane \(id) of +•••88 at 2026-11-21T03:22:40Z")
        #expect(Masking.mask("555-010-7788 2026-11-21") == "•••88 2026-11-21")
        #expect(Masking.mask("0.1234567 555 010 7788") == "0.1234567 •••88")
        #expect(Masking.mask("{\"wa_id\":\"15550107788\",\"n\":1}") == "{\"wa_id\":\"•••88\",\"n\":1}")
    }

    @Test func aMailAddressIsMaskedWhole() {
        #expect(Masking.mask("to customer@example.com now") == "to •••@••• now")
        #expect(Masking.mask("@mention and a @ b") == "@mention and a @ b")
    }

    @Test func longTextOfDigitsEndsInTime() {
        let text = String(repeating: "5 ", count: 100_000)
        #expect(Masking.mask(text).count < 20)
    }
}
