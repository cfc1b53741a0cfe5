import Conversation
import Foundation
import Storage
import Testing

@Suite(.serialized) struct DuplicateTests {
    private let phone = "15550007777"

    @Test func aMessageThatComesAHundredTimesAndAgainAfterARestartIsOneMessage() async throws {
        try await Rig.with { rig in
            let question = body("book a haircut on Wednesday at 3pm", id: "wamid.twice-1")
            try await expect(rig, question, accepted: 1)
            try await eventually("the question") { try await rig.replies(to: phone).count == 1 }
            #expect(await rig.stopGateway() == 0)
            try await rig.startGateway()
            try await expect(rig, question, accepted: 0)

            let confirmation = body("yes", id: "wamid.twice-2")
            try await expect(rig, confirmation, accepted: 1)
            try await eventually("the booking is told") { try await rig.replies(to: phone).count == 2 }
            #expect(await rig.stopGateway() == 0)
            try await rig.startGateway()
            try await expect(rig, confirmation, accepted: 0)
            try await expect(rig, question, accepted: 0)
            try await rig.drain()

            let sessions = try await rig.sessions(of: phone)
            #expect(sessions.count == 1)
            let messages = try await rig.messages(session: try #require(sessions.first))
            #expect(
                messages.filter { $0["direction"] == "in" }.compactMap { $0["provider_message_id"]?.string } == [
                    "wamid.twice-1", "wamid.twice-2",
                ])
            #expect(messages.filter { $0["direction"] == "out" }.count == 2)
            #expect(Set(messages.filter { $0["direction"] == "in" }.compactMap { $0["turn_id"]?.string }).count == 2)
            #expect(try await rig.replies(to: phone).count == 2)
            #expect(try await rig.bookings().count == 1)
            #expect(try await rig.arrived("/salon/bookings", method: "POST").count == 1)
            #expect(await rig.stopGateway() == 0)
            #expect(try await rig.checked(acknowledged: ["wamid.twice-1", "wamid.twice-2"]) == [])
        }
    }

    /// The same message beside others in one delivery, and in two orders at once, counts once as well.
    @Test func aMessageThatComesInSeveralBatchesIsOneMessage() async throws {
        try await Rig.with { rig in
            let messages = (0..<20).map { Rig.textMessage("when are you open", from: "1555000\(6000 + $0)", id: "wamid.batch-\($0)") }
            let orders = [messages, messages.reversed(), messages + messages]
            let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
                for order in orders + orders {
                    group.addTask { try await rig.webhook(Rig.delivery([(account: Rig.salonNumber, value: ["messages": .array(order)])])) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.allSatisfy { $0.status == 200 })
            #expect(answers.compactMap { $0.json["accepted"]?.integer }.reduce(0, +) == 20)
            #expect(answers.compactMap { $0.json["duplicates"]?.integer }.reduce(0, +) == 140)
            try await rig.drain()
            for number in 0..<20 { #expect(try await rig.replies(to: "1555000\(6000 + number)").count == 1) }
            #expect(await rig.stopGateway() == 0)
            #expect(try await rig.checked(acknowledged: Set((0..<20).map { "wamid.batch-\($0)" })) == [])
        }
    }

    private func body(_ text: String, id: String) -> [UInt8] {
        Rig.delivery([(account: Rig.salonNumber, value: ["messages": [Rig.textMessage(text, from: phone, id: id)]])])
    }

    /// A hundred times, fifty at once: 200 each time, and `accepted` of them new.
    private func expect(_ rig: Rig, _ body: [UInt8], accepted: Int64) async throws {
        var answers: [Answer] = []
        for _ in 1...2 {
            answers += try await withThrowingTaskGroup(of: Answer.self) { group in
                for _ in 1...50 { group.addTask { try await rig.webhook(body) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        }
        #expect(answers.count == 100 && answers.allSatisfy { $0.status == 200 })
        #expect(answers.compactMap { $0.json["accepted"]?.integer }.reduce(0, +) == accepted)
        #expect(answers.compactMap { $0.json["duplicates"]?.integer }.reduce(0, +) == 100 - accepted)
    }
}
