import Conversation
import Foundation
import Synchronization
import Testing

@testable import Sandbox

#if canImport(Glibc)
    import Glibc
#endif

@Suite(.timeLimit(.minutes(1))) struct LedgerTests {
    private static func inFolder(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("ledger-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }

    private static func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    /// A disk that is full after so many bytes.
    private final class Disk: Sendable {
        private let room: Mutex<Int>

        init(room: Int) { self.room = Mutex(room) }

        func grow(by bytes: Int) { room.withLock { $0 += bytes } }

        func put(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
            room.withLock { room in
                guard room > 0 else {
                    errno = ENOSPC
                    return -1
                }
                let written = write(descriptor, bytes.baseAddress, min(room, bytes.count))
                room -= max(0, written)
                return written
            }
        }
    }

    @Test func aFullDiskLeavesNoPartOfALine() async throws {
        try await Self.inFolder { folder in
            let (path, disk) = (folder + "/lines.jsonl", Disk(room: 14))
            let file = try JSONLinesFile(path: path, writing: { disk.put($0, $1) })
            try await file.append(["n": 1])
            let error = await #expect(throws: SandboxError.self) { try await file.append(["n": 2]) }
            #expect(error == .cannotWrite(path: path, reason: "No space left on device"))
            #expect(try Self.text(path) == "{\"n\":1}\n")
            disk.grow(by: 100)
            try await file.append(["n": 3])
            #expect(try Self.text(path) == "{\"n\":1}\n{\"n\":3}\n")
        }
    }

    @Test(arguments: [
        ("", ""), ("{}\n", "{}\n"), ("{}\n{\"half", "{}\n"), ("{\"half", ""),
        ("{}\n" + String(repeating: "x", count: 200_000), "{}\n"), (String(repeating: "x", count: 65_536), ""),
        (
            String(repeating: "x", count: 65_535) + "\n" + String(repeating: "y", count: 65_536),
            String(repeating: "x", count: 65_535) + "\n"
        ),
    ])
    func aLineThatADeathCutShortIsNotContinued(_ before: String, _ kept: String) async throws {
        try await Self.inFolder { folder in
            let path = folder + "/lines.jsonl"
            try before.write(toFile: path, atomically: true, encoding: .utf8)
            try await JSONLinesFile(path: path).append(["n": 1])
            #expect(try Self.text(path) == kept + "{\"n\":1}\n")
        }
    }

    @Test func aKeyIsKnownToTheNextProcessToo() async throws {
        try await Self.inFolder { folder in
            let body = Mutex<[UInt8]>([])
            try await Rig.run(stateDirectory: folder) { rig in
                let first = try await rig.salon("POST", "/bookings", booking(), key: "k1")
                #expect(first.status == 201)
                body.withLock { $0 = first.body }
                try await rig.fault(["path": "/salon/bookings", "honour_keys": false, "times": 1])
                #expect(try await rig.salon("POST", "/bookings", booking(service: "svc-massage"), key: "k2").status == 201)
                // Refused, so it had no effect that would have to be kept.
                #expect(try await rig.salon("POST", "/bookings", booking(), key: "k3").status == 422)
            }
            try await Rig.run(stateDirectory: folder) { rig in
                let again = try await rig.salon("POST", "/bookings", booking(), key: "k1")
                #expect(again.status == 201 && again.header("idempotency-replayed") == "true")
                #expect(again.body == body.withLock { $0 })
                #expect(try await rig.bookingCount() == 0)
                let other = try await rig.salon("POST", "/bookings", booking(customer: "customer-2"), key: "k1")
                #expect(other.status == 409 && other.json["error"] == "key_reused")
                for (key, service) in [("k2", "svc-massage"), ("k3", "svc-haircut")] {
                    let fresh = try await rig.salon("POST", "/bookings", booking(service: service), key: key)
                    #expect(fresh.status == 201 && fresh.header("idempotency-replayed") == nil, "\(key)")
                }
            }
            #expect(try StandInRecords(directory: folder).effects.map(\.key) == ["k1", "k2", "k2", "k3"])
        }
    }

    @Test func aRequestIsOfWhomItGoesToOrElseOfWhoseTokenItShows() {
        let cases: [(path: String, token: String?, brand: String?)] = [
            ("/salon/bookings", "jobs-graph", "salon"), ("/jobs", nil, "jobs"), ("/graph/v23.0/106540352242999/messages", nil, "jobs"),
            ("/graph/v23.0/106540352242999/messages", "salon-graph", "jobs"), ("/graph/v23.0/media-1", "salon-graph", "salon"),
            ("/graph/v23.0/media/media-1/bytes", "jobs-graph", "jobs"), ("/graph/v23.0/media-1", "nobodys", nil),
            ("/graph/v23.0/media-1", nil, nil), ("/desk/webhook", nil, "salon"), ("/desk/zendesk/api/v2/tickets.json", "salon-graph", nil),
            ("/llm/v1/chat/completions", nil, nil), ("/", nil, nil),
        ]
        for (path, token, brand) in cases {
            let headers = token.map { ["authorization": "Bearer \($0)"] } ?? [:]
            let request = StandInRequest(method: "GET", path: path, query: [:], headers: headers, body: [])
            #expect(SandboxInstance.brand(of: request, tokens: ["salon-graph": "salon", "jobs-graph": "jobs"]) == brand, "\(path)")
        }
    }
}
