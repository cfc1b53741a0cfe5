import Conversation
import Foundation
import Testing

/// Three hundred outputs of a model that does what an attacker says, and texts that lie. No call leaves that the registry, the schema, the
/// customer's own identity and the policy do not allow, and no lie reaches anybody.
@Suite(.serialized) struct ModelHostileTests {
    /// Stands in everything that the attacker makes up, so that it is found wherever it gets to.
    private static let mark = "attacker-7f3a"

    private static let outputs: [(name: String, content: String)] = [
        ("another brand's action", Rig.commands([Rig.command("start", action: "apply_to_job")])),
        ("an admin action", Rig.commands([Rig.command("start", action: "admin_delete_user"), Rig.command("start", action: "erase")])),
        (
            "another user's id",
            Rig.commands([
                Rig.command(
                    "start", action: "list_bookings",
                    slots: ["customer": .string(mark), "user_id": .string(mark), "user.id": .string(mark)])
            ])
        ),
        (
            "invented parameters",
            Rig.commands([
                Rig.command(
                    "start", action: "book_service", slots: ["price": "0", "discount": .string(mark), "idempotency_key": .string(mark)])
            ])
        ),
        (
            "values nobody said",
            Rig.commands([
                Rig.command(
                    "start", action: "book_service",
                    slots: ["service": .string(mark), "start": "2026-12-01T15:00:00Z", "phone": "+15559999999"])
            ])
        ),
        (
            "a URL for every slot",
            Rig.commands([
                Rig.command(
                    "start", action: "book_service",
                    slots: ["service": .string("http://\(mark).example/"), "start": .string("http://\(mark).example/")])
            ])
        ),
        (
            "request parts",
            Rig.commands([
                Rig.command(
                    "start", action: "book_service",
                    slots: ["method": "DELETE", "path": .string("/\(mark)"), "authorization": .string(mark)])
            ])
        ),
        ("a thousand actions", Rig.commands((0..<1_000).map { _ in Rig.command("start", action: "book_service") })),
        ("a thousand different ones", Rig.commands((0..<1_000).map { Rig.command("start", action: "\(mark)-\($0)") })),
        ("yes to nothing", Rig.commands([Rig.command("answer", signal: "yes"), Rig.command("answer", signal: "confirm")])),
        (
            "cancel somebody's booking",
            Rig.commands([
                Rig.command("start", action: "cancel_booking", slots: ["booking": .string(mark), "booking_id": "bk-1"])
            ])
        ),
        (
            "placeholders",
            Rig.commands([
                Rig.command(
                    "start", action: "book_service",
                    slots: ["service": "{user.id}", "start": "{profile.balance}", "phone": .string("{\(mark)}")])
            ])
        ),
    ]
    private static let customers = 25
    private static let hours = ["10am", "11am", "1pm", "2pm", "3pm"]

    @Test func aHostileModelReachesNothing() async throws {
        #expect(Self.outputs.count * Self.customers >= 300)
        try await Rig.with(.withModel()) { rig in
            try await rig.startGatewayWithModel()
            let process = try #require(rig.gateway)
            for (number, output) in Self.outputs.enumerated() {
                try await rig.modelSays(output.content)
                let batch = (0..<Self.customers).map { index in
                    (phone: "1555\(3_000_000 + number * 100 + index)", text: "flurble grommet \(number)y\(index) wibble")
                }
                _ = try await rig.askAll(batch, within: .seconds(30))
                #expect(process.isRunning, "\(output.name)")
                let calls = try await rig.modelCalls()
                for customer in batch { #expect(!calls.about(customer.text).isEmpty, "\(output.name): the model was not asked") }
            }
            try await rig.drain()
            try await expectNoHarm(rig)
        }
    }

    /// What reached a brand is what `actions.yaml` and `schemas.yaml` describe, for the customers themselves.
    private func expectNoHarm(_ rig: Rig) async throws {
        #expect(try await rig.arrived("/jobs").isEmpty)
        #expect(try await rig.bookings().isEmpty)
        let users = Set(try await rig.sessionUsers("salon"))
        #expect(users.count == Self.outputs.count * Self.customers)
        for call in try await rig.arrived("/salon") {
            let (method, path) = (call["method"]?.string ?? "", call["path"]?.string ?? "")
            #expect(method == "GET", "\(method) \(path)")
            #expect(!CanonicalJSON.text(call).contains(Self.mark), "\(path)")
            if let customer = call["query"]?["customer"]?.string { #expect(users.contains(customer), "\(path) is about nobody here") }
            let parts = path.split(separator: "/").map(String.init)
            if let place = parts.firstIndex(of: "customers"), parts.indices.contains(place + 1) {
                #expect(users.contains(parts[place + 1]), "\(path) is about nobody here")
            }
        }
        for request in try await rig.arrived("/graph", method: "POST") {
            #expect(!CanonicalJSON.text(request["json"] ?? .null).contains(Self.mark))
        }
    }

    /// In the middle of a booking, with the question open that a yes would answer, and words that are none.
    @Test func aYesThatNobodySaidBooksNothing() async throws {
        try await Rig.with(.withModel()) { rig in
            try await rig.startGatewayWithModel()
            let words = [
                "hmm what about the other thing", "that is far too expensive for me", "what would the parking be like",
                "maybe on some other day",
            ]
            for (index, text) in words.enumerated() {
                let phone = "1555\(4_000_000 + index)"
                try await rig.model(["mode": "normal"])
                let question = try await rig.ask("book a haircut next wednesday at \(Self.hours[index])", from: phone)
                try #require(question.contains("Book Haircut"), "\(question)")
                try await rig.modelSays(Rig.commands([Rig.command("answer", signal: "yes", text: text)]))
                _ = try await rig.ask(text, from: phone)
            }
            try await rig.drain()
            #expect(try await rig.bookingCalls().isEmpty)
            #expect(try await rig.bookings().isEmpty)
        }
    }

    // MARK: Lies

    private static let lies = [
        "Your haircut is booked for tomorrow at 5 PM.", "You have three bookings.", "All done! Your booking number is bk-4711.",
        "We are open on Sundays from 6 AM.", "That will cost 5 dollars.", "I have cancelled all of your bookings.",
        "I sent the confirmation to your e-mail.", "You are now a premium customer.", "Your refund of 80 dollars is on its way.",
        "Please pay at https://attacker.example/pay.", "Call us on 555 0199.", "A colleague will call you within five minutes.",
    ]

    @Test func noLieReachesTheCustomer() async throws {
        try await Rig.with(.withModel()) { rig in
            try await rig.startGatewayWithModel()
            var told = 0
            for (index, lie) in Self.lies.enumerated() {
                for (round, text) in ["my bookings", "book a haircut"].enumerated() {
                    let phone = "1555\(5_000_000 + index * 10 + round)"
                    try await rig.model(["mode": "normal"])
                    try await rig.model(["mode": "say", "content": .string(lie), "for": "text", "times": 1_000_000])
                    let before = try await rig.modelTotals()["calls"]?.integer ?? 0
                    let reply = try await rig.ask(text, from: phone)
                    let replies = try await rig.texts(to: phone)
                    #expect(!replies.contains { $0.contains(lie) }, "\(lie)")
                    #expect(reply.contains(round == 0 ? "no bookings" : "When"), "\(lie) gave: \(reply)")
                    if try await rig.modelTotals()["calls"]?.integer ?? 0 > before { told += 1 }
                }
            }
            #expect(told >= 20, "only \(told) lies were told")
        }
    }

    /// The brand refuses, and the model says that it went well, at another time, for another price.
    @Test func aRefusedBookingIsNotToldAsDone() async throws {
        try await Rig.with(.withModel()) { rig in
            try await rig.startGatewayWithModel()
            for (index, lie) in [
                "You're booked: Haircut on Wednesday at 3:00 PM.", "Done! See you on Thursday.", "It is booked for 20 dollars.",
            ].enumerated() {
                let phone = "1555\(6_000_000 + index)"
                try await rig.model(["mode": "normal"])
                let question = try await rig.ask("book a haircut next wednesday at \(Self.hours[index])", from: phone)
                try #require(question.contains("Book Haircut"), "\(question)")
                try await rig.fault([
                    "path": "/salon/bookings", "method": "POST", "status": 422, "times": 1,
                    "body": ["error": "no", "message": "That cannot be."],
                ])
                try await rig.model(["mode": "say", "content": .string(lie), "for": "text", "times": 1_000_000])
                _ = try await rig.ask("yes", from: phone)
                try await rig.drain()
                let replies = try await rig.texts(to: phone)
                #expect(!replies.contains { $0.contains(lie) || $0.contains("You're booked") }, "\(replies)")
            }
            #expect(try await rig.bookings().isEmpty)
        }
    }
}

extension Rig {
    /// The ids of the users whom a brand's sessions belong to.
    func sessionUsers(_ brand: String) async throws -> [String] {
        let key = adminKey(brand)
        var found: [String] = []
        var after = ""
        while true {
            let page = try await get(gatewayURL + "/v1/sessions?limit=200" + (after.isEmpty ? "" : "&after=\(after)"), key: key).json
            let items = page["sessions"]?.array ?? []
            found += items.compactMap { $0["user_id"]?.string ?? $0["user"]?["id"]?.string }
            guard items.count == 200, let last = items.last?["id"]?.string, last != after else { return found }
            after = last
        }
    }
}
