import Conversation
import Foundation
import Storage
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// Brands in databases of their own.
@Suite(.serialized, .onlySQLite(because: "two files are the plainest of two stores")) struct StoresTests {
    private func options(_ folder: String) -> Rig.Options {
        var options = CrashTests.impatient
        options.edits.append(
            (
                "switchboard.yaml", "shutdown_grace_s: 35",
                "shutdown_grace_s: 35\nstores: { named: { own: \"sqlite:${OWN_STORE}\" }, brands: { jobs: own } }"
            ))
        options.environment["OWN_STORE"] = folder + "/own.sqlite"
        return options
    }

    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = NSTemporaryDirectory() + "switchboard-stores-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }

    private func brands(_ path: String) async throws -> Set<String> {
        let database = try SQLiteDatabase(path: path)
        let found = try await database.read(.installation) { connection in
            try StoreTable.all(connection, .sqlite).filter(\.hasBrand).reduce(into: Set<String>()) { brands, table in
                brands.formUnion(try connection.rows(SQL("SELECT DISTINCT brand_id FROM \(table.name)"), []).map { try $0.text(0) })
            }
        }
        await database.close()
        return found
    }

    @Test func eachBrandIsInItsOwnStoreAndOneDeliveryIsForBoth() async throws {
        try await withFolder { folder in
            try await Rig.with(options(folder)) { rig in
                let body = Rig.delivery([
                    (
                        account: Rig.salonNumber,
                        value: ["messages": [Rig.textMessage("when are you open", from: "15557000001", id: "both-1")]]
                    ),
                    (account: Rig.jobsNumber, value: ["messages": [Rig.textMessage("hello", from: "15557000002", id: "both-2")]]),
                ])
                #expect(try await rig.webhook(body).json["accepted"] == 2)
                #expect(try await rig.webhook(body).json["duplicates"] == 2)
                for phone in ["15557000001", "15557000002"] {
                    try await eventually("\(phone) is answered") { try await rig.replies(to: phone).count == 1 }
                }
                for brand in ["salon", "jobs"] { #expect(try await rig.sessions(brand).count == 1) }
                let taken = try await rig.run(
                    ["serve", "--config", rig.config, "--channels", rig.channels, "--data", folder + "/second", "--port", "0"])
                #expect(taken.code == 3 && taken.err.contains("own.sqlite is in use by another gateway"), "\(taken)")
                // What one process left in both stores the next one takes up.
                await rig.killGateway()
                try await rig.startGateway()
                _ = try await rig.ask("help", from: "15557000002", instance: "jobs-whatsapp")
                #expect(await rig.stopGateway() == 0)
                #expect(try await brands(rig.data + "/switchboard.sqlite") == ["salon"])
                #expect(try await brands(folder + "/own.sqlite") == ["jobs"])
            }
        }
    }

    /// What is wrong in the store of one brand is found, and what it has is missed where only the other store is named.
    private func expectBothStoresAreLookedAt(_ rig: Rig, own path: String) async throws {
        let one = ["--store", "sqlite:\(rig.data)/switchboard.sqlite"]
        let half = try await rig.checked(acknowledged: ["slow-1", "slow-2"], options: one)
        #expect(half == ["outcome: acknowledged message slow-2 is not in the store"])
        let own = try SQLiteDatabase(path: path)
        _ = try await own.write(.installation) { try $0.run(SQL("UPDATE messages SET outcome = NULL WHERE direction = 'in'"), []) }
        await own.close()
        #expect(try await rig.checked(acknowledged: ["slow-1", "slow-2"]) == ["outcome: message slow-2 has no outcome"])
    }

    @Test func anAcknowledgementWaitsForTheSlowerStore() async throws {
        try await withFolder { folder in
            try await Rig.with(options(folder)) { rig in
                let both = Rig.delivery([
                    (
                        account: Rig.salonNumber,
                        value: ["messages": [Rig.textMessage("when are you open", from: "15557000003", id: "slow-1")]]
                    ),
                    (account: Rig.jobsNumber, value: ["messages": [Rig.textMessage("hello", from: "15557000004", id: "slow-2")]]),
                ])
                // Somebody else writes in the brand's file and does not end.
                let blocker = try await rig.blockWrites(folder + "/own.sqlite")
                let refused = try await rig.webhook(both)
                #expect(refused.status == 503 && refused.header("Retry-After") != nil, "\(refused.status) \(refused.text)")
                let other = try await rig.ask("what services do you offer", from: "15557000005")
                #expect(!other.isEmpty, "the other store's brand goes on")
                kill(blocker.processIdentifier, SIGKILL)
                await rig.exited(blocker)
                var answer: Answer?
                try await eventually("the same delivery is taken") {
                    answer = try await rig.webhook(both)
                    return answer?.status == 200
                }
                #expect(answer?.json["accepted"] == 1 && answer?.json["duplicates"] == 1, "\(answer?.text ?? "")")
                for phone in ["15557000003", "15557000004"] {
                    try await eventually("\(phone) is answered") { try await rig.replies(to: phone).count == 1 }
                }
                try await rig.drain()
                #expect(await rig.stopGateway() == 0)
                #expect(try await rig.checked(acknowledged: ["slow-1", "slow-2"]) == [])
                try await expectBothStoresAreLookedAt(rig, own: folder + "/own.sqlite")
            }
        }
    }
}

extension Rig {
    /// Another process that holds the right to write in a SQLite file until it is ended.
    fileprivate func blockWrites(_ path: String) async throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "python3", "-c",
            """
            import sqlite3, sys, time
            store = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=20)
            store.execute("BEGIN IMMEDIATE")
            print("blocked", flush=True)
            time.sleep(120)
            """, path,
        ]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let words = output.fileHandleForReading.availableData
        try #require(String(decoding: words, as: UTF8.self).contains("blocked"))
        return process
    }
}
