import Conversation
import Foundation
import Logging
import Testing

@testable import Sandbox

@Suite(.timeLimit(.minutes(1))) struct RecordingTests {
    @Test func whatArrivedIsListedOldestFirstByPath() async throws {
        try await Rig.run { rig in
            _ = try await rig.salon("POST", "/bookings", booking(), key: "k1")
            _ = try await rig.salon("GET", "/bookings?customer=customer-1")
            _ = try await rig.jobs("GET", "/openings")
            let all = try await rig.call("GET", "/_sandbox/requests").json["requests"]?.array ?? []
            #expect(all.map { $0["path"] } == ["/salon/bookings", "/salon/bookings", "/jobs/openings"])
            let first = try #require(all.first)
            #expect(first["method"] == "POST" && first["status"] == 201)
            #expect(first["json"] == booking() && first["body"]?.string == CanonicalJSON.text(booking()))
            #expect(first.at(pointer: "/headers/idempotency-key") == "k1")
            #expect(first["at"] == "2026-11-20T15:00:00.000Z")
            #expect(all[1].at(pointer: "/query/customer") == "customer-1" && all[1]["json"] == .null)
            let some = try await rig.call("GET", "/_sandbox/requests?path=/jobs").json["requests"]?.array ?? []
            #expect(some.count == 1)
            _ = try await rig.call("DELETE", "/_sandbox/requests")
            #expect(try await rig.call("GET", "/_sandbox/requests").json == ["requests": []])
        }
    }

    @Test func unknownPlacesSayWhatThereIs() async throws {
        try await Rig.run { rig in
            for path in ["/", "/bank/accounts", "/_sandbox/nothing"] {
                let answer = try await rig.call("GET", path)
                #expect(answer.status == 404)
                #expect(answer.header("content-type") == "application/problem+json")
            }
        }
    }

    @Test func theLedgerHoldsCallsEffectsAndAcknowledgedWebhooks() async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("ledger-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await Rig.run(stateDirectory: directory) { rig in
            try await rig.fault(["path": "/salon/bookings", "drop": "before", "times": 1])
            await #expect(throws: LoopbackClient.Failure.noAnswer) { try await rig.salon("POST", "/bookings", booking(), key: "k1") }
            for _ in 0..<2 { _ = try await rig.salon("POST", "/bookings", booking(), key: "k1") }
            _ = try await rig.salon("GET", "/catalog")
            rig.gateway.refuse(next: 1)
            _ = try await rig.say(["instance": "salon-whatsapp", "from": "15550100100", "text": "a", "id": "wamid.REFUSED"])
            _ = try await rig.say(["instance": "salon-whatsapp", "from": "15550100100", "text": "b", "id": "wamid.TAKEN"])
            let calls = try lines(directory, "ledger")
            #expect(calls.count == 3 && calls.allSatisfy { $0["key"] == "k1" && $0["path"] == "/salon/bookings" })
            let hash = Hex.encode(Signatures.sha256(CanonicalJSON.bytes(booking())))
            #expect(calls.allSatisfy { $0["body_sha256"]?.string == hash && $0["body"]?.string == CanonicalJSON.text(booking()) })
            #expect(try lines(directory, "effects").map { $0["key"] } == ["k1"])
            #expect(try lines(directory, "acknowledged").map { $0["id"] } == ["wamid.TAKEN"])
        }
    }

    @Test func whatWasWrittenDownIsReadBack() async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("records-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await Rig.run(stateDirectory: directory) { rig in
            try await rig.fault(["path": "/salon/bookings", "drop": "after", "times": 1])
            await #expect(throws: LoopbackClient.Failure.noAnswer) { try await rig.salon("POST", "/bookings", booking(), key: "k1") }
            _ = try await rig.jobs("GET", "/openings?city=Springfield")
            _ = try await rig.call("GET", "/bank/accounts")
            _ = try await rig.call("GET", "/graph/v23.0/media-1", token: "jobs-graph")
            _ = try await rig.say(["instance": "salon-whatsapp", "from": "15550100100", "text": "b", "id": "wamid.TAKEN"])
            let records = try StandInRecords(directory: directory)
            #expect(records.calls.map(\.key) == ["k1"] && records.effects.map(\.key) == ["k1"])
            #expect(records.calls.first?.body == CanonicalJSON.text(booking()))
            #expect(records.calls.first?.bodyHash == records.effects.first?.bodyHash)
            #expect(records.acknowledged == [StandInRecords.Acknowledged(id: "wamid.TAKEN", brand: "salon")])
            #expect(records.requests.map(\.path) == ["/salon/bookings", "/jobs/openings", "/bank/accounts", "/graph/v23.0/media-1"])
            #expect(records.requests.map(\.brand) == ["salon", "jobs", nil, "jobs"])
            // Nobody knows what became of a call whose connection was dropped.
            #expect(records.requests.map(\.status) == [nil, 200, 404, 200])
            #expect(records.requests[1].holds("city=Springfield"))
            #expect(!records.requests.contains { $0.holds("authorization") || $0.holds("Bearer") })
        }
    }

    @Test func recordsThatAreMissingOrBadAreNamed() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("records-\(UUID().uuidString)").path
        #expect(throws: SandboxError.self) { try StandInRecords(directory: directory) }
        _ = try Ledger(directory: directory)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        #expect(try StandInRecords(directory: directory).calls.isEmpty)
        try #"{"key":"k","body_sha256":"00","body":""}"#.appending("\n[]\n{").write(
            toFile: directory + "/ledger.jsonl", atomically: true, encoding: .utf8)
        let error = #expect(throws: SandboxError.self) { try StandInRecords(directory: directory) }
        #expect(error?.description == "\(directory)/ledger.jsonl:2: cannot be read: not a line that stand-ins write")
    }

    private func lines(_ directory: String, _ name: String) throws -> [JSONValue] {
        try String(contentsOfFile: "\(directory)/\(name).jsonl", encoding: .utf8).split(separator: "\n")
            .compactMap { JSONText.read(Array($0.utf8)) }
    }

    @Test func aDirectoryThatCannotBeMadeStopsTheStart() async throws {
        let server = SandboxServer(
            port: 0, gateway: "http://127.0.0.1:1", environment: [:], logger: Logger(label: "test"), stateDirectory: "/dev/null/ledger")
        await #expect(throws: SandboxError.self) { try await server.run() }
    }

    @Test func aGatewayElsewhereStopsTheStart() async throws {
        let server = SandboxServer(port: 0, gateway: "http://192.0.2.1:8080", environment: [:], logger: Logger(label: "test"))
        await #expect(throws: SandboxError.notLoopback("http://192.0.2.1:8080")) { try await server.run() }
    }
}
