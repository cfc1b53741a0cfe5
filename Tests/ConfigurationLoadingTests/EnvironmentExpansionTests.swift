import Testing

@testable import ConfigurationLoading

@Suite struct EnvironmentExpansionTests {
    private let expansion = EnvironmentExpansion(environment: ["A": "one", "EMPTY": "", "B_2": "{x}"])

    @Test(arguments: [
        ("plain", "plain"), ("${A}", "one"), ("x-${A}-y", "x-one-y"), ("${A}${A}", "oneone"), ("${EMPTY}", ""), ("${EMPTY:-z}", "z"),
        ("${NONE:-}", ""), ("${NONE:-http://h:1/p}", "http://h:1/p"), ("${NONE:-${A}}", "one"), ("${NONE:-${ALSO:-deep}}", "deep"),
        ("${B_2}", "{x}"), ("$${A}", "${A}"), ("cost $5", "cost $5"), ("$", "$"), ("{user.id}", "{user.id}"),
        ("${NONE:-{user.id}}", "{user.id}"),
    ])
    func fills(_ text: String, _ expected: String) throws {
        #expect(try expansion.expand(text).text == expected)
    }

    @Test func whatTheEnvironmentHoldsIsNotExpandedAgain() throws {
        let nested = EnvironmentExpansion(environment: ["A": "${B}", "B": "secret"])
        #expect(try nested.expand("${A}").text == "${B}")
    }

    @Test(arguments: [
        ("${NONE}", EnvironmentExpansion.Failure.missing("NONE")), ("${A", .unclosed), ("${}", .badName("")), ("${1A}", .badName("1A")),
        ("${A-b}", .badName("A-b")), ("${A:b}", .badName("A:b")), ("${NONE:-${GONE}}", .missing("GONE")),
    ])
    func refuses(_ text: String, _ failure: EnvironmentExpansion.Failure) {
        #expect(throws: failure) { try expansion.expand(text) }
    }
}
