import Conversation
import Testing

/// Names of customers in the one form in which they are kept.
struct IdentifierTests {
    @Test(arguments: [
        ("+15550001111", "+15550001111"), ("15550001111", "+15550001111"), ("12345", "+12345"), ("123456789012345", "+123456789012345"),
    ])
    func aPhoneIsItsDigitsBehindAPlus(text: String, value: String) {
        #expect(Identifier(phone: text) == Identifier(kind: .phone, value: value))
    }

    @Test(arguments: [
        "", "+", "1234", "1234567890123456", "++15550001111", "1 555 000 1111", "US.1349", "１５５５０００１１１１", "1555000111\0",
        String(repeating: "1", count: 100_000),
    ])
    func whatIsNoPhoneIsNil(text: String) { #expect(Identifier(phone: text) == nil) }

    @Test func addressesThatDifferInCapitalsAreOne() {
        #expect(Identifier(email: "Orders@Shop.EXAMPLE") == Identifier(kind: .email, value: "orders@shop.example"))
        #expect(Identifier(email: "orders@shop.example") == Identifier(email: "ORDERS@SHOP.EXAMPLE"))
    }

    @Test(arguments: [
        "", "@", "orders", "orders@", "@shop.example", "a@b@c", "a b@c", "a@b\n", "a\0@b",
        String(repeating: "a", count: 250) + "@b.example",
    ])
    func whatIsNoAddressIsNil(text: String) { #expect(Identifier(email: text) == nil) }
}
