import Conversation
import Foundation
import Synchronization
import Testing

/// A brand whose systems hang, at ten times the load of the two beside it.
@Suite(.serialized) struct FairnessTests {
    private static let hangingNumber = "106540352242955"
    /// Belongs to nobody: what comes for it is stored and nothing more.
    private static let nobodysNumber = "106540352242900"

    @Test func aBrandThatHangsCostsTheOthersNothing() async throws {
        let server = try HangingServer()
        var options = Rig.Options()
        options.startsGateway = false
        options.environment = [
            "CAFE_API_URL": "http://127.0.0.1:\(server.port)", "CAFE_SIGNING_SECRET": "whsec_\(String(repeating: "QUJD", count: 12))",
        ]
        for name in ["ADMIN_KEY", "API_TOKEN", "WHATSAPP_TOKEN", "JWT_SECRET", "APP_KEY"] {
            options.environment["CAFE_\(name)"] = "test-CAFE-\(name)-\(UUID())"
        }
        try await Rig.with(options) { rig in
            try addBrand(rig)
            try await rig.startGateway()
            _ = try await latencies("1555300", 10, rig)
            let alone = try await latencies("1555310", 60, rig)
            // The same webhooks for nobody: what they cost the machine is not the brand's doing.
            let idle = Task { try await Flood(rig, account: Self.nobodysNumber).run() }
            try await Task.sleep(for: .seconds(1))
            let control = try await latencies("1555330", 60, rig)
            idle.cancel()
            try? await idle.value
            let flood = Flood(rig, account: Self.hangingNumber)
            let flooding = Task { try await flood.run() }
            // Until its turns hang.
            try await Task.sleep(for: .seconds(2))
            let beside = try await latencies("1555320", 60, rig)
            let held = try await rig.count("SELECT count(*) FROM lanes WHERE brand_id = 'cafe' AND held_by LIKE 'node-%'")
            #expect(held >= 10, "only \(held) turns and calls of the hanging brand hang")
            flooding.cancel()
            try? await flooding.value
            let (before, after) = (max(median(alone), median(control)), median(beside))
            let medians = [median(alone), median(control), after].map { "\(Int($0 * 1000)) ms" }
            print("fairness: \(medians[0]) alone, \(medians[1]) beside webhooks for nobody, \(medians[2]) beside the hanging brand")
            // Both ends of a time are whole milliseconds, so each of the two may be one off.
            #expect(after <= before * 1.2 + 0.002, "median \(after) s beside the hanging brand, \(before) s alone")
            let counts = flood.answers
            #expect(counts.sent > 100 && counts.refused == 0, "\(counts)")
            #expect(counts.slowest < .seconds(2), "a webhook of the hanging brand waited \(counts.slowest)")
            for brand in ["salon", "jobs"] {
                let letters = try await rig.deadLetters(brand)
                #expect(letters.isEmpty)
            }
        }
        withExtendedLifetime(server) {}
    }

    /// The salon once more, under another name, with another number and systems that hang.
    private func addBrand(_ rig: Rig) throws {
        let (from, to) = (rig.config + "/brands/salon", rig.config + "/brands/cafe")
        try FileManager.default.copyItem(atPath: from, toPath: to)
        let path = to + "/brand.yaml"
        let text = try String(contentsOfFile: path, encoding: .utf8)
            .replacing("brand: salon", with: "brand: cafe").replacing("SALON_", with: "CAFE_").replacing("id: salon-", with: "id: cafe-")
            .replacing("via: salon-", with: "via: cafe-").replacing(Rig.salonNumber, with: Self.hangingNumber)
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    /// Seconds from a message to the first word of its answer, of customers who come one after the other at both healthy brands.
    private func latencies(_ prefix: String, _ count: Int, _ rig: Rig) async throws -> [Double] {
        var sent: [String: Timestamp] = [:]
        for number in 0..<count {
            let phone = "\(prefix)\(1000 + number)"
            let account = number.isMultiple(of: 2) ? Rig.salonNumber : Rig.jobsNumber
            sent[phone] = SystemClock().now
            let answer = try await rig.webhook(
                Rig.delivery([
                    (account: account, value: ["messages": [Rig.textMessage("hello", from: phone, id: "wamid.\(UUID())")]])
                ]))
            #expect(answer.status == 200)
            try await Task.sleep(for: .milliseconds(100))
        }
        var answered: [String: Timestamp] = [:]
        try await eventually("all have an answer") {
            for request in try await rig.arrived("/graph", method: "POST") {
                guard let phone = request["json"]?["to"]?.string, answered[phone] == nil, sent[phone] != nil else { continue }
                answered[phone] = request["at"]?.string.flatMap { Timestamp($0) }
            }
            return answered.count == count
        }
        return sent.compactMap { phone, time in answered[phone].map { ($0 - time).seconds } }
    }

    private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    /// Customers who write fifty messages in a second, ten times what each healthy brand gets.
    private final class Flood: Sendable {
        private struct State {
            var sent = 0
            var refused = 0
            var slowest = Duration.zero
        }

        private let rig: Rig
        private let account: String
        private let state = Mutex(State())

        init(_ rig: Rig, account: String) {
            self.rig = rig
            self.account = account
        }

        var answers: (sent: Int, refused: Int, slowest: Duration) { state.withLock { ($0.sent, $0.refused, $0.slowest) } }

        func run() async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0... {
                    group.addTask { try await self.send(number) }
                    do { try await Task.sleep(for: .milliseconds(20)) } catch { break }
                }
                try await group.waitForAll()
            }
        }

        private func send(_ number: Int) async throws {
            let phone = "1555400\(10_000 + number)"
            // The one hangs in its turn, the other in its call.
            let text = number.isMultiple(of: 2) ? "book a haircut on Tuesday at 9am" : "list my bookings"
            let body = Rig.delivery([
                (
                    account: account,
                    value: ["messages": [Rig.textMessage(text, from: phone, id: "wamid.\(UUID())")]]
                )
            ])
            let began = ContinuousClock.now
            let answer = try await rig.webhook(body)
            state.withLock {
                $0.sent += 1
                if answer.status != 200 || answer.json["accepted"] != 1 { $0.refused += 1 }
                $0.slowest = max($0.slowest, ContinuousClock.now - began)
            }
        }
    }
}
