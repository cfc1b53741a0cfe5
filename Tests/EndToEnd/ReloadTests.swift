import Conversation
import Foundation
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// The configuration is read anew on SIGHUP: what is right is taken over, what is wrong leaves things as they were.
@Suite(.serialized) struct ReloadTests {
    private static let question = (
        file: "brands/salon/actions.yaml", from: "confirm: \"Book {service.name} on {start}?\"",
        to: "confirm: \"Shall we put you down for {service.name} on {start}?\""
    )
    private static let broken = (file: "brands/jobs/brand.yaml", from: "brand: jobs\n", to: "brand: jobs\nnonsense: 1\n")

    @Test func whatIsRightIsTakenOverAndWhatIsWrongStaysAsItWas() async throws {
        try await Rig.with { rig in
            #expect(try await rig.ask("book a haircut on Tuesday at 10am", from: "15550081001").hasPrefix("Book Haircut on "))
            try rig.apply(Self.question)
            try rig.apply(Self.broken)
            try await reload(rig, 1)
            #expect(rig.gatewayLog.contains("brands/jobs/brand.yaml:2: nonsense: "), "file, line and key are told")
            // An open question is the conversation's; a new one is asked in the new words.
            try await rig.say("yes", from: "15550081001")
            try await eventually("the booking is made") { try await rig.bookings().count == 1 }
            #expect(
                try await rig.ask("book a manicure on Wednesday at 11am", from: "15550081002").hasPrefix(
                    "Shall we put you down for Manicure on "))
            #expect(try await rig.ask("hello", from: "15550081003", instance: "jobs-whatsapp").isEmpty == false)
            // An error outside the brands takes nothing over, not even from a brand that is right.
            try rig.apply((Self.question.file, Self.question.to, Self.question.from))
            try rig.apply(("switchboard.yaml", "shutdown_grace_s: 35", "shutdown_grace_s: soon"))
            try await reload(rig, 2)
            #expect(rig.gatewayLog.contains("shutdown_grace_s: "))
            #expect(
                try await rig.ask("book a pedicure on Thursday at 12pm", from: "15550081004").hasPrefix(
                    "Shall we put you down for Pedicure on "))
            // Mended, all of it is taken over.
            try rig.apply(("switchboard.yaml", "shutdown_grace_s: soon", "shutdown_grace_s: 35"))
            try rig.apply((Self.broken.file, Self.broken.to, Self.broken.from))
            try await reload(rig, 3)
            #expect(try await rig.ask("book a facial on Thursday at 1pm", from: "15550081005").hasPrefix("Book Facial on "))
            let metrics = try await rig.get(rig.gatewayURL + "/metrics", key: rig.operatorKey).text
            #expect(metrics.contains("switchboard_configuration_reloads_total{result=\"refused\"} 2"))
            #expect(metrics.contains("switchboard_configuration_reloads_total{result=\"complete\"} 1"))
            #expect(await rig.stopGateway() == 0)
        }
    }

    @Test func aBrandThatIsAddedIsHeardAndOneThatIsTakenAwayIsNot() async throws {
        var options = Rig.Options()
        options.startsGateway = false
        try await Rig.with(options) { rig in
            let (jobs, aside) = (rig.config + "/brands/jobs", rig.folder + "/jobs-aside")
            try FileManager.default.moveItem(atPath: jobs, toPath: aside)
            try await rig.startGateway()
            try await rig.say("hello", from: "15550082001", instance: "jobs-whatsapp")
            try await eventually("what is nobody's is kept") { try await rig.quarantine().count == 1 }
            try FileManager.default.moveItem(atPath: aside, toPath: jobs)
            try await reload(rig, 1)
            #expect(try await rig.ask("hello", from: "15550082002", instance: "jobs-whatsapp").isEmpty == false)
            try FileManager.default.moveItem(atPath: jobs, toPath: aside)
            try await reload(rig, 2)
            try await rig.say("hello", from: "15550082003", instance: "jobs-whatsapp")
            try await eventually("what is nobody's again is kept") { try await rig.quarantine().count == 2 }
            #expect(try await rig.ask("hello", from: "15550082004").isEmpty == false)
        }
    }

    @Test func aDeathInTheMiddleOfTheSwapLosesNothing() async throws {
        var options = CrashTests.impatient
        options.startsGateway = false
        try await Rig.with(options) { rig in
            for (round, pass) in Chaos.passes([1, 2]).enumerated() {
                try await rig.startGateway(["SWITCHBOARD_CRASH_AT": "configuration-swapping:\(pass)"])
                let load = Load(rig)
                let customers = (0..<20).map { Load.Customer.numbered(round * 20 + $0, canaries: CrashTests.canaries) }
                let talking = Task { try await load.run(customers) }
                try await eventually("talk has begun") { load.acknowledged.count > 10 }
                let process = try #require(rig.gateway)
                kill(process.processIdentifier, SIGHUP)
                await rig.exited(process)
                #expect(process.terminationReason == .uncaughtSignal)
                try await rig.startGateway()
                try await talking.value
                try await rig.drain()
                #expect(await rig.stopGateway() == 0)
                let faults = try await rig.checked(acknowledged: load.acknowledged, canaries: CrashTests.canaries)
                #expect(faults.isEmpty, "\(faults.prefix(10).joined(separator: "\n"))")
                try await rig.resetSandbox()
            }
        }
    }

    /// Sends the signal and waits until the configuration was read `times` times in all.
    private func reload(_ rig: Rig, _ times: Int) async throws {
        kill(try #require(rig.gateway).processIdentifier, SIGHUP)
        try await eventually("the configuration is read anew") {
            rig.gatewayLog.components(separatedBy: "configuration read anew").count - 1 == times
        }
    }
}
