import Conversation
import Foundation
import Testing

/// A brand that is down for longer than all attempts last: two minutes with five seconds between probes, usually at a fifth of the time.
@Suite(.serialized) struct BreakerTests {
    /// Seconds between two probes.
    private static let pace = Chaos.seconds < 120 ? 1 : 5
    private static let patience = Duration.seconds(30 * pace)
    private static let options = Rig.Options(edits: [
        (file: "brands/salon/actions.yaml", from: "backoff_s: [2, 4, 8, 16]", to: "backoff_s: [\(pace), \(pace), \(pace), \(pace)]"),
        (
            file: "switchboard.yaml", from: "park_s: 1800",
            to: "park_s: 1800\n  breaker_window_s: \(2 * pace)\n  breaker_probe_s: \(pace)"
        ),
    ])

    @Test func whileABrandIsDownItsWorkWaitsAndAllOfItIsDoneAfterwards() async throws {
        try await Rig.with(Self.options) { rig in
            let customers = try await ready(16, rig)
            // What went well before does not count any more.
            try await Task.sleep(for: .seconds(3 * Self.pace))
            try await rig.fault(["path": "/salon/bookings", "method": "POST", "status": 503])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for customer in customers.dropLast(2) { group.addTask { try await rig.say("yes", from: customer) } }
                try await group.waitForAll()
            }
            try await eventually("calls to the brand wait", within: Self.patience) { try await level("switchboard_breaker_open", rig) == 1 }
            let opened = SystemClock().now
            try await eventually("all of them are parked", within: Self.patience) {
                try await level("switchboard_parked_tasks", rig) >= 13
            }
            // What the brand said of a customer a moment ago, if only that it knows none, is enough to keep a confirmed booking.
            try await rig.fault(["path": "/salon/customers", "method": "GET", "status": 503])
            for customer in customers.suffix(2) { try await rig.say("yes", from: customer) }
            try await eventually("those who came late are parked too", within: Self.patience) {
                try await level("switchboard_parked_tasks", rig) >= 15
            }
            try await Task.sleep(for: .seconds(24 * Self.pace))
            #expect(try await rig.deadLetters().isEmpty)
            let back = SystemClock().now
            try await rig.clearFaults()
            for customer in customers { try await rig.reply(with: "bk-", to: customer, within: Self.patience) }
            #expect(try await rig.bookings().count == customers.count)
            #expect(try await rig.deadLetters().isEmpty)
            try await eventually("the circuit is closed") { try await level("switchboard_breaker_open", rig) == 0 }
            try await eventually("nothing is parked") { try await level("switchboard_parked_tasks", rig) == 0 }
            try await expectProbes(from: opened + .seconds(Self.pace), to: back, rig)
            try await expectOneWord(customers, rig)
            try await rig.expectPeace()
        }
    }

    /// Customers who were asked whether to book, each a slot of their own.
    private func ready(_ count: Int, _ rig: Rig) async throws -> [String] {
        var phones: [String] = []
        var number = 0
        while phones.count < count {
            let customer = Load.Customer.numbered(number, canaries: [:])
            number += 1
            guard customer.books, let line = customer.lines.first else { continue }
            let question = try await rig.ask(line, from: customer.phone)
            try #require(question.contains("Book "), "\(line) was answered \(question)")
            phones.append(customer.phone)
        }
        return phones
    }

    private func level(_ name: String, _ rig: Rig) async throws -> Int {
        let text = try await rig.get(rig.gatewayURL + "/metrics", key: rig.operatorKey).text
        let line = text.split(separator: "\n").first { $0.hasPrefix(name + "{") && $0.contains("brand=\"salon\"") }
        return line.flatMap { $0.split(separator: " ").last }.flatMap { Double($0) }.map { Int($0) } ?? -1
    }

    private func expectProbes(from: Timestamp, to: Timestamp, _ rig: Rig) async throws {
        let times = try await rig.bookingCalls().compactMap { $0["at"]?.string.flatMap { Timestamp($0) } }
        let probes = times.filter { $0 > from && $0 < to }
        // One in each interval and no more, however long a busy machine made the wait.
        let most = Int((to - from).seconds / (0.9 * Double(Self.pace))) + 1
        #expect((8...most).contains(probes.count), "\(probes.count) probes in \((to - from).seconds) s")
        for (earlier, later) in zip(probes, probes.dropFirst()) {
            #expect(later - earlier >= .milliseconds(900 * Self.pace), "\((later - earlier).seconds) s between two probes")
        }
    }

    /// Everybody heard once that it takes longer, and then the result.
    private func expectOneWord(_ customers: [String], _ rig: Rig) async throws {
        for customer in customers {
            let texts = try await rig.texts(to: customer)
            let after = texts.drop { !$0.hasPrefix("Book ") }.dropFirst()
            #expect(after.filter { $0.contains("longer than usual") || $0.contains("on it") }.count <= 1, "\(texts)")
            #expect(after.filter { $0.contains("bk-") }.count == 1, "\(texts)")
        }
    }
}
