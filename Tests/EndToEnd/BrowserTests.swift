import Conversation
import Foundation
import Testing

/// The chat page and the widget in a real browser, against the real gateway. A missing Chromium is a failure, never a skip.
@Suite(.serialized) struct BrowserTests {
    /// These share a gateway and run side by side: most of their time they wait.
    static let shared = [
        "booking", "keyboard", "payloads", "offline-cut", "offline-hang", "accessibility", "embed-allowed", "embed-refused", "busy",
        "reload", "origins", "tabs",
    ]

    private struct Outcome: Sendable {
        var results: [String: BrowserCheck]
        var bookings: [JSONValue]
        var wish: Wish
    }

    /// Begun by the first test that asks; unstructured, for it belongs to all of them.
    private static let outcome = Task {
        var draw = Draw("words in the browser")
        let wish = Wish.all(&draw)[Int.random(in: 0..<Wish.paraphrases.count, using: &draw)]
        return try await Rig.with(.init(edits: Browsing.unhurried)) { rig in
            let results = try await Browsing.run(shared, words: wish.text, at: rig, jobs: 3, Browsing.keeping(wish))
            return Outcome(results: results, bookings: try await rig.bookings(), wish: wish)
        }
    }

    @Test(.timeLimit(.minutes(8)), arguments: shared) func thePageHoldsUp(check: String) async throws {
        let outcome = try await Self.outcome.value
        let result = try #require(outcome.results[check], "the check gave no result")
        #expect(result.ok, "\(check): \(result.detail)")
    }

    @Test(.timeLimit(.minutes(8))) func whatAGuestAskedForOnThePageIsWhatTheBrandBooked() async throws {
        let outcome = try await Self.outcome.value
        let wanted = outcome.bookings.filter {
            $0["service_id"]?.string == outcome.wish.service.id
                && $0["start"]?.string.flatMap { Timestamp($0) } == outcome.wish.instant
        }
        #expect(wanted.count == 1, "\(outcome.wish): \(outcome.bookings)")
    }

    @Test(.timeLimit(.minutes(8))) func aPageGoesOnByItselfWhenTheGatewayIsKilled() async throws {
        var draw = Draw("words before the kill")
        let words = Wish.all(&draw)[Int.random(in: 0..<Wish.paraphrases.count, using: &draw)].text
        try await Rig.with(.init(edits: Browsing.unhurried)) { rig in
            let pidFile = rig.folder + "/gateway.pid"
            let supervisor = Task { try await rig.supervise(pidFile: pidFile) }
            defer { supervisor.cancel() }
            try await eventually("the process is named") { FileManager.default.fileExists(atPath: pidFile) }
            let results = try await Browsing.run(["restart"], words: words, at: rig, ["--gateway-pid-file", pidFile])
            let result = try #require(results["restart"])
            #expect(result.ok, "\(words): \(result.detail)")
            #expect(try await rig.bookings().count == 1)
        }
    }

    @Test(.timeLimit(.minutes(8))) func markupInWhatTheBrandAndTheSignInSayStaysText() async throws {
        let run = "window.__ran.push('configuration')"
        let edits: [(file: String, from: String, to: String)] = [
            (file: "brands/salon/brand.yaml", from: "name: Blue Door Salon", to: "name: \"<img src=x onerror=\(run)> Salon\""),
            (file: "brands/salon/actions.yaml", from: "display_name: Book a service", to: "display_name: \"<svg onload=\(run)>\""),
            (
                file: "brands/salon/actions.yaml", from: "ask: \"Which service would you like?\"",
                to: "ask: \"<img src=x onerror=\(run)> Which service would you like?\""
            ),
            (
                file: "brands/salon/actions.yaml", from: "confirm: \"Book {service.name} on {start}?\"",
                to: "confirm: \"Book {service.name} on {start} for {user.name}?\""
            ),
        ]
        try await Rig.with(.init(edits: Browsing.unhurried + edits)) { rig in
            let results = try await Browsing.run(["brand-data"], words: "I need an appointment", at: rig, ["--payload-brand-data"])
            let result = try #require(results["brand-data"])
            #expect(result.ok, "\(result.detail)")
        }
    }
}
