import Conversation
import TestKit
import Testing

@testable import HTTPCalls

@Suite(.timeLimit(.minutes(1)))
struct AddressTests {
    @Test(arguments: [
        "127.0.0.1", "0x7f.1", "2130706433", "127.1", "0177.0.0.1", "①②⑦.⓪.⓪.①", "localhost", "app.localhost", "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "0.0.0.0", "0", "[::]", "127.0.0.1.", "127.255.255.254",
        "LOCALHOST", "017700000001", "0x7f000001", "127%2e0.0.1",
    ])
    func loopbackIsRefusedInEveryDisguise(host: String) async throws {
        let world = try World { _ in [.answer()] }
        let call = HTTPCall(method: "POST", url: "http://\(host):\(world.server.port)/", body: [1], timeout: .seconds(10), pool: "salon")
        let failure = try await world.client.call(call).failure()
        #expect([.forbiddenAddress, .invalidRequest, .resolve, .connect].contains(failure.kind), "\(failure)")
        #expect(!failure.mayHaveBeenSent)
        #expect(world.server.log.accepted == 0)
    }

    @Test(arguments: ["127.0.0.1", "localhost", "2130706433", "127.1", "[::ffff:127.0.0.1]"])
    func refusalNamesTheAddressNotTheName(host: String) async throws {
        let client = try CurlClient()
        let failure = try await client.call(HTTPCall(method: "GET", url: "http://\(host):1/", pool: "salon")).failure()
        #expect(failure.kind == .forbiddenAddress)
        #expect(failure.detail.hasPrefix("127.0.0.1 ") || failure.detail.hasPrefix("::1 "))
    }

    @Test func ruleOpensItsOwnPortOnly() async throws {
        let world = try World { _ in [.answer()] }
        let other = try World(client: world.client) { _ in [.answer()] }
        var call = try world.request("GET")
        #expect(try await world.client.call(call).answer().status == 200)
        call.url = other.server.url()
        #expect(try await world.client.call(call).failure().kind == .forbiddenAddress)
        #expect(other.server.log.accepted == 0)
    }

    @Test func ruleHoldsForTheAddressAndNotForItsSpelling() async throws {
        let world = try World { _ in [.answer()] }
        var call = try world.request("GET")
        for host in ["2130706433", "127.1", "[::ffff:127.0.0.1]", "localhost"] {
            call.url = "http://\(host):\(world.server.port)/"
            #expect(try await world.client.call(call).answer().status == 200)
        }
    }

    @Test func addressOfANameThatIsOpenIsUsedThoughItsOtherOneIsNot() async throws {
        let world = try World { _ in [.answer()] }
        var call = try world.request("GET")
        call.url = "http://localhost:\(world.server.port)/"
        #expect(try await world.client.call(call).answer().status == 200)
        world.server.stop()
        await world.server.until { $0.isClosed && $0.ended == $0.accepted }
        let failure = try await world.client.call(call).failure()
        #expect(failure.kind == .connect)
        #expect(!failure.mayHaveBeenSent)
    }

    @Test func reusedConnectionIsCheckedAgainstTheRulesOfEachCall() async throws {
        let world = try World { _ in [.answer()] }
        var call = try world.request("GET")
        #expect(try await world.client.call(call).answer().status == 200)
        call.allowPrivateAddresses = []
        let failure = try await world.client.call(call).failure()
        #expect(failure.kind == .forbiddenAddress)
        #expect(!failure.mayHaveBeenSent)
        #expect(world.server.requests.count == 1)
    }

    @Test(arguments: [
        "8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0",
        "169.253.0.1",
        "223.255.255.255", "198.17.0.1", "198.20.0.1", "9.255.255.255", "11.0.0.0", "2606:4700::1111", "2a00:1450::1", "2001:4860::8888",
    ])
    func publicAddressesArePublic(text: String) throws {
        #expect(AddressGuard.isPublic(try #require(IPAddress(text))))
    }

    @Test(arguments: [
        "0.0.0.0", "0.1.2.3", "10.0.0.0", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.255",
        "169.254.169.254",
        "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::10.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:a00:1::", "3fff::1", "fc00::1", "fd12::1",
        "fe80::1", "fec0::1", "ff02::1", "4000::1", "5f00::1",
    ])
    func whatIsNotGloballyReachableIsNotPublic(text: String) throws {
        #expect(!AddressGuard.isPublic(try #require(IPAddress(text))))
    }
}

struct AddressRuleTests {
    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1", 80, true), ("127.0.0.1", "127.0.0.2", 80, false), ("127.0.0.1", "::ffff:127.0.0.1", 80, true),
        ("10.0.0.0/8", "10.255.1.2", 1, true), ("10.0.0.0/8", "11.0.0.0", 1, false), ("10.0.0.0/8:8443", "10.1.1.1", 8443, true),
        ("10.0.0.0/8:8443", "10.1.1.1", 8444, false), ("[::1]:80", "::1", 80, true), ("[::1]:80", "::1", 81, false),
        ("[::1]", "::1", 5, true),
        ("::1", "::1", 5, true), ("fd00::/8", "fd12:3456::1", 5, true), ("fd00::/8", "fc00::1", 5, false),
        ("[fd00::/8]:443", "fd00::1", 443, true),
        ("[fd00::]/8:443", "fd00::1", 443, true), ("[fd00::]/8:443", "fd00::1", 80, false), ("0.0.0.0/0", "192.168.1.1", 80, true),
        ("0.0.0.0/0", "::1", 80, false), ("192.168.4.0/22", "192.168.7.255", 80, true), ("192.168.4.0/22", "192.168.8.0", 80, false),
        ("::ffff:127.0.0.1", "127.0.0.1", 80, true),
    ])
    func ruleOpensExactlyWhatItSays(text: String, address: String, port: Int, opens: Bool) throws {
        let rule = try AddressRule(parsing: text)
        #expect(rule.opens(try #require(IPAddress(address)), port: port) == opens)
        #expect(rule.description == text)
    }

    @Test(arguments: [
        "", "localhost", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:+80", "127.0.0.1:http", "127.0.0.1/33", "127.0.0.1/-1",
        "127.0.0.1/", "10.1.2.3/8", "fd00::1/8", "fe80::1%eth0", "[::1", "::1]", "[]", "[::1]x", "[::1]:", "0x7f.1", "127.1", "0177.0.0.1",
        "::1/129",
        "127.0.0.1/8/8", " 127.0.0.1", "127.0.0.1:80:80", "http://127.0.0.1",
    ])
    func textThatIsNoRuleIsRefused(text: String) {
        #expect(throws: AddressRuleError.self) { try AddressRule(parsing: text) }
    }

    @Test func refusalSaysWhatWouldBeRight() {
        let error = #expect(throws: AddressRuleError.self) { try AddressRule(parsing: "10.1.2.3/8") }
        #expect(error?.description.contains("10.0.0.0/8") == true)
    }
}
