import Bus
import Conversation
import Logging
import Synchronization
import TestKit
import Testing

@Suite(.serialized) struct BusContractTests {
    @Test(arguments: BusContract.all.indices) func theEmbeddedBusKeepsTheContract(part: Int) async throws {
        try await BusContract.all[part](BusContract { EmbeddedUnderTest() })
    }

    @Test(arguments: BusContract.all.indices) func jetStreamKeepsTheContract(part: Int) async throws {
        try await BusContract.all[part](BusContract { try await JetStreamUnderTest() })
    }

    @Test(arguments: ["", "a.b", "*", ">", "salon ", "Salon", "-salon", "salon\n", "salon.>", "сал", String(repeating: "a", count: 64)])
    func noBrandIDCanReachBeyondItsSubjects(text: String) {
        #expect(BrandID(validating: text) == nil)
    }

    @Test(arguments: BusEvent.Kind.allCases) func aBrandIsOneWordOfItsSubjects(kind: BusEvent.Kind) throws {
        let longest = try #require(BrandID(validating: String(repeating: "a", count: 62) + "9"))
        let event = BusEvent(
            id: BusEventID(UniqueID(high: 1, low: 1)), brand: longest, instance: InstanceID(rawValue: "i"), kind: kind,
            at: Timestamp(seconds: 0), data: .null)
        let words = event.subject.split(separator: ".", omittingEmptySubsequences: false)
        #expect(words.prefix(2) == ["switchboard", Substring(longest.rawValue)])
        #expect(words.dropFirst(2).joined(separator: ".") == kind.rawValue)
    }
}

private final class EmbeddedUnderTest: BusUnderTest {
    private struct Away: Error {}

    let traits = BusTraits(name: "embedded", knowsIDs: false, largestEvent: nil)
    private let embedded = EmbeddedBus()
    private let seen = Mutex<(events: [JSONValue], isAway: Bool)>(([], false))

    init() {
        embedded.subscribe { [self] event in
            try seen.withLock { seen in
                if seen.isAway { throw Away() }
                seen.events.append(event.json)
            }
        }
    }

    var bus: any EventBus { embedded }
    func received() -> [JSONValue] { seen.withLock { $0.events } }
    func leave() { seen.withLock { $0.isAway = true } }
    func comeBack() { seen.withLock { $0.isAway = false } }
    func loseEverything() { seen.withLock { $0.events = [] } }
    func close() {}
}

/// On a server of its own, which it may stop and wipe.
private final class JetStreamUnderTest: BusUnderTest {
    let traits = BusTraits(name: "JetStream", knowsIDs: true, largestEvent: 262_144)
    private let server: NATSServer
    private let url: String
    private let jetStream: JetStreamBus

    init() async throws {
        server = try NATSServer()
        try await server.waitUntilReady()
        url = server.freshURL()
        jetStream = JetStreamBus(try BusAddress(url), logger: Logger(label: "test"))
    }

    var bus: any EventBus { jetStream }
    func received() throws -> [JSONValue] { try NATSReader.messages(url: url).map(\.body) }
    func leave() { server.stop() }
    func comeBack() async throws {
        try server.start()
        try await server.waitUntilReady()
    }
    func loseEverything() async throws { try await server.wipe() }
    func close() async {
        await jetStream.close()
        server.remove()
    }
}
