import Conversation
import Foundation
import Testing

/// Short waits between attempts, for tests in which many of them fail.
extension Rig.Options {
    static let quick = Rig.Options(edits: [
        (file: "brands/salon/actions.yaml", from: "backoff_s: [2, 4, 8, 16]", to: "backoff_s: [0.1, 0.1, 0.1, 0.1]"),
        (file: "switchboard.yaml", from: "backoff_s: [2, 4, 8, 16]", to: "backoff_s: [0.1, 0.1, 0.1, 0.1]"),
    ])
}

extension Rig.Options {
    /// For tests in which nobody dies: leases that no busy machine lets end.
    func withLongLeases() -> Self {
        var options = self
        options.edits.removeAll { $0.from == "lease_s: 30" }
        options.edits.append((file: "switchboard.yaml", from: "lease_s: 30", to: "lease_s: 20"))
        return options
    }
}

extension Rig {
    /// Presses an option of the last question by its title and returns the next reply.
    @discardableResult func press(
        title: String, from: String = "15550001111", instance: String = "salon-whatsapp"
    ) async throws -> String {
        let before = try await replies(to: from).count
        try await tap(title, from: from, instance: instance)
        return try await nextReply(after: before, to: from, said: "[\(title)]")
    }

    func tap(_ title: String, from: String = "15550001111", instance: String = "salon-whatsapp") async throws {
        var body: [String: JSONValue] = ["instance": .string(instance), "reply": ["title": .string(title)]]
        body[from.contains(".") ? "from_user_id" : "from"] = .string(from)
        _ = try await sayRaw(body)
    }

    /// Texts of all replies so far.
    func texts(to: String = "15550001111") async throws -> [String] { try await replies(to: to).compactMap { $0["text"]?.string } }

    /// Waits for a reply with these words in it, however many others come before; its text.
    @discardableResult func reply(
        with words: String, to: String = "15550001111", after count: Int = 0, within limit: Duration = patience
    ) async throws -> String {
        var found: String?
        do {
            try await eventually("a reply with \"\(words)\"", within: limit) {
                found = try await self.texts(to: to).dropFirst(count).first { $0.contains(words) }
                return found != nil
            }
        } catch {
            throw Timeout(description: "\(error); there were: \(try await texts(to: to).dropFirst(count))")
        }
        return found ?? ""
    }

    /// The calls that asked the salon for a booking, oldest first.
    func bookingCalls() async throws -> [JSONValue] {
        try await arrived("/salon/bookings", method: "POST").filter { $0["path"]?.string == "/salon/bookings" }
    }

    /// Says what is wished and answers what is asked back, as a customer would, up to the question whether to book. Its text.
    /// `isUnderstood` tells whether the first words were enough to know that it is about a booking.
    func order(_ wish: Wish, from: String, phone: String? = nil) async throws -> (question: String, isUnderstood: Bool) {
        var answer = try await ask(wish.text, from: from)
        let isUnderstood = !answer.contains("I'm not sure")
        for _ in 0..<6 where !answer.contains("Book \(wish.service.name) on ") {
            let words = try #require(Self.answer(to: answer, wish, phone: phone), "\(wish) was answered \"\(answer)\"")
            answer = try await ask(words, from: from)
        }
        return (answer, isUnderstood)
    }

    private static func answer(to question: String, _ wish: Wish, phone: String?) -> String? {
        if question.contains("Did you mean \"Book a service\"") { return "yes" }
        if question.contains("I'm not sure") { return "book an appointment" }
        if question.contains("Which phone number") { return phone }
        if question.contains("Which service") || question.contains("Which one do you mean") { return wish.service.name }
        if question.contains("When would you like") { return "\(wish.dayWords) at \(wish.hour.words)" }
        if question.contains("At what time") { return wish.hour.words }
        if question.contains("On which day") { return wish.dayWords }
        return nil
    }
}
