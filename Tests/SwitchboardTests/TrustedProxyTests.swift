import Conversation
import HTTPCalls
import Testing

@testable import Switchboard

@Suite struct TrustedProxyTests {
    private func proxies(_ texts: String...) throws -> TrustedProxies {
        TrustedProxies(rules: try texts.map { try AddressRule(parsing: $0) })
    }

    @Test func withoutATrustedProxyThePeerCountsWhateverItSays() throws {
        let none = try proxies()
        for header in ["198.51.100.1", "127.0.0.1", "", ",", "unknown", "::1"] {
            #expect(none.origin(peer: "127.0.0.1", forwardedFor: [header]) == "127.0.0.1")
            #expect(try proxies("10.0.0.0/8").origin(peer: "203.0.113.5", forwardedFor: [header]) == "203.0.113.5")
        }
        #expect(none.origin(peer: nil, forwardedFor: ["198.51.100.1"]) == nil)
    }

    @Test(arguments: [
        (["198.51.100.1"], "198.51.100.1"), (["6.6.6.6, 198.51.100.1"], "198.51.100.1"), (["6.6.6.6", "198.51.100.1"], "198.51.100.1"),
        (["127.0.0.1, 198.51.100.1"], "198.51.100.1"), (["198.51.100.1, 10.1.2.3"], "198.51.100.1"),
        (["6.6.6.6, 198.51.100.1 , 10.1.2.3,127.0.0.1"], "198.51.100.1"), (["198.51.100.1:5050"], "198.51.100.1"),
        (["[2001:db8::7]:443"], "2001:db8::7"), (["2001:db8::7"], "2001:db8::7"), (["[2001:db8::7]"], "2001:db8::7"),
        (["::ffff:10.1.2.3"], "::ffff:10.1.2.3"), (["10.9.9.9"], "10.9.9.9"), ([], "127.0.0.1"), ([""], "127.0.0.1"),
        (["unknown"], "127.0.0.1"), (["6.6.6.6, _hidden"], "127.0.0.1"), (["6.6.6.6, unknown, 10.1.2.3"], "10.1.2.3"),
        (["6.6.6.6,"], "127.0.0.1"), (["1.2.3"], "127.0.0.1"), (["198.51.100.1/8"], "127.0.0.1"), (["0.0.0.0/0"], "127.0.0.1"),
        (["999.1.1.1"], "127.0.0.1"), (["127.0.0.1\r\n6.6.6.6"], "127.0.0.1"),
    ])
    func theRightMostAddressThatIsNotOursCounts(header: [String], expected: String) throws {
        #expect(try proxies("127.0.0.1", "10.0.0.0/8").origin(peer: "127.0.0.1", forwardedFor: header) == expected)
    }

    @Test func networksEndAtTheirLastBit() throws {
        let trusted = try proxies("10.20.0.0/15", "fd00::/8")
        for (peer, isOurs) in [
            ("10.20.0.1", true), ("10.21.255.255", true), ("10.22.0.0", false), ("10.19.255.255", false), ("fd12::1", true),
            ("fe00::1", false), ("::ffff:10.20.0.1", true),
        ] {
            #expect(trusted.origin(peer: peer, forwardedFor: ["198.51.100.1"]) == (isOurs ? "198.51.100.1" : peer), "\(peer)")
        }
    }
}
