import Conversation
import Foundation
import Testing

/// An orderly end, and no room to write.
@Suite(.serialized) struct ShutdownTests {
    @Test func aTerminationUnderLoadEndsInTimeAndLosesNothing() async throws {
        var options = CrashTests.impatient.withLongLeases()
        options.edits += [(file: "switchboard.yaml", from: "shutdown_grace_s: 35", to: "shutdown_grace_s: 12")]
        try await Rig.with(options) { rig in
            try await rig.fault(["path": "/salon/bookings", "delay_ms": 700, "times": 60])
            let customers = (0..<60).map { Load.Customer.numbered($0, canaries: CrashTests.canaries) }
            let load = Load(rig)
            let talking = Task { try await load.run(customers) }
            for wanted in [20, 80] {
                try await eventually("\(wanted) messages are acknowledged") { load.acknowledged.count >= wanted }
                let began = ContinuousClock.now
                #expect(await rig.stopGateway() == 0)
                #expect(ContinuousClock.now - began < .seconds(12))
                try await rig.startGateway()
            }
            try await talking.value
            try await rig.drain()
            #expect(await rig.stopGateway() == 0)
            let faults = try await rig.checked(acknowledged: load.acknowledged, canaries: CrashTests.canaries)
            #expect(faults == [])
            #expect(load.acknowledged.count == customers.reduce(0) { $0 + $1.lines.count })
            // An orderly end waits for what is under way: nothing has to be guessed afterwards.
            #expect(try await rig.count("SELECT count(*) FROM attempts WHERE outcome = 'unknown'") == 0)
            #expect(try await rig.bookings().count == customers.filter(\.books).count)
        }
    }

    @Test(.onlySQLite(because: "the disk of a server cannot be filled from here"))
    func aFullDiskIsAnsweredWith503AndWhenFreeAgainWorkGoesOn() async throws {
        var options = CrashTests.impatient
        options.startsGateway = false
        try await Rig.with(options) { rig in
            try FileManager.default.createDirectory(atPath: rig.data, withIntermediateDirectories: true)
            // Without the right to mount there is no small disk, and then this cannot be shown: it fails.
            try await Rig.system("/bin/mount", ["-t", "tmpfs", "-o", "size=12m", "tmpfs", rig.data])
            do {
                try await fill(rig)
            } catch {
                await rig.killGateway()
                try await Rig.system("/bin/umount", [rig.data])
                throw error
            }
            try await Rig.system("/bin/umount", [rig.data])
        }
    }

    private func fill(_ rig: Rig) async throws {
        let phone = "15550008888"
        try await rig.startGateway()
        let process = try #require(rig.gateway)
        _ = try await rig.ask("book a haircut on Wednesday at 3pm", from: phone)
        // Longer than a lease: the call ends while nothing can be written, neither its result nor a renewal.
        try await rig.fault(["path": "/salon/bookings", "method": "POST", "delay_ms": 1500, "times": 1])
        var acknowledged: Set<String> = [try await rig.say("yes", from: phone)]
        try await eventually("the booking is under way") { try await rig.arrived("/salon/bookings", method: "POST").count == 1 }

        let filler = rig.data + "/filler"
        try fillUp(filler)
        var refused = 0
        let deadline = ContinuousClock.now + .seconds(4)
        var number = 0
        while ContinuousClock.now < deadline {
            number += 1
            let id = "wamid.full-\(number)"
            let message = Rig.textMessage("when are you open", from: "1555\(3_000_000 + number)", id: id)
            let answer = try await rig.webhook(Rig.delivery([(account: Rig.salonNumber, value: ["messages": [message]])]))
            #expect(answer.status == 200 || answer.status == 503, "answered \(answer.status)")
            if answer.status == 200 { acknowledged.insert(id) } else { refused += 1 }
            try fillUp(filler)
        }
        #expect(refused > 10)
        try FileManager.default.removeItem(atPath: filler)

        try await eventually("webhooks are accepted again") {
            let message = Rig.textMessage("when are you open", from: phone, id: "wamid.free")
            return try await rig.webhook(Rig.delivery([(account: Rig.salonNumber, value: ["messages": [message]])])).status == 200
        }
        acknowledged.insert("wamid.free")
        try await rig.drain()
        #expect(rig.gateway === process && process.isRunning, "it went on without a restart")
        #expect(
            try await rig.arrived("/salon/bookings", method: "POST").count == 1, "the result was recorded, so that nothing was asked twice")
        #expect(try await rig.bookings().count == 1)
        #expect(await rig.stopGateway() == 0)
        #expect(try await rig.checked(acknowledged: acknowledged) == [])
    }

    /// Takes all the room that is left.
    private func fillUp(_ path: String) throws {
        if !FileManager.default.fileExists(atPath: path) { try #require(FileManager.default.createFile(atPath: path, contents: nil)) }
        let handle = try #require(FileHandle(forWritingAtPath: path))
        defer { try? handle.close() }
        try handle.seekToEnd()
        for size in [1 << 20, 1 << 16, 1 << 12] {
            let block = Data(repeating: 0, count: size)
            while (try? handle.write(contentsOf: block)) != nil {}
        }
    }
}
