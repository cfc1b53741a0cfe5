import Conversation
import Foundation
import Testing

/// The second brand, which shares the app and the sender's phone with the first, and nothing else.
@Suite(.serialized) struct JobsTests {
    private static let jobs = "jobs-whatsapp"

    @Test func openingsAreFoundAndAnApplicationHandedIn() async throws {
        try await Rig.with { rig in
            let found = try await rig.ask("which jobs are open", instance: Self.jobs)
            #expect(found.contains("Warehouse operator at Gigantic Teapot Logistics") && found.contains("Pastry cook"))
            try await Self.makeProfile(rig)
            let asked = try await rig.ask("apply for the baker job", instance: Self.jobs)
            #expect(asked.contains("resume"), "\(asked)")
            // The name of the file is that of another opening.
            let question = try await rig.ask("https://example.com/care-assistant.pdf", instance: Self.jobs)
            #expect(question.contains("Send your application for Pastry cook at Moonlit Turnip Bakery?"), "\(question)")
            let told = try await rig.ask("yes", instance: Self.jobs)
            let applications = try await Self.applications(rig)
            #expect(applications.count == 1)
            #expect(applications.first?["job_id"] == "job-5")
            #expect(applications.first?["resume_url"] == "https://example.com/care-assistant.pdf")
            #expect(told.contains(try #require(applications.first?["id"]?.string)))
            let listed = try await rig.ask("show my applications", instance: Self.jobs)
            #expect(listed.contains("Pastry cook at Moonlit Turnip Bakery: submitted"))
            let calls = try await rig.arrived("/jobs/applications", method: "POST")
            #expect(calls.count == 1)
            #expect(calls.first?["headers"]?["idempotency-key"]?.string?.isEmpty == false)
        }
    }

    @Test func anApplicationInOneSentenceIsWithdrawnAgain() async throws {
        try await Rig.with { rig in
            try await Self.makeProfile(rig)
            let text = "I want to apply for the warehouse operator job, my resume is https://example.com/cv.pdf"
            let question = try await rig.ask(text, instance: Self.jobs)
            #expect(question.contains("Warehouse operator"), "\(question)")
            try await rig.ask("yes", instance: Self.jobs)
            let withdraw = try await rig.ask("withdraw my application", instance: Self.jobs)
            #expect(withdraw.contains("Withdraw your application for Warehouse operator"), "\(withdraw)")
            let told = try await rig.press(title: "Yes", instance: Self.jobs)
            #expect(told.contains("withdrawn"))
            let applications = try await Self.applications(rig)
            #expect(applications.map { $0["status"] } == ["withdrawn"])
        }
    }

    @Test func thePhoneOfOnePersonIsTwoUsersAtTwoBrands() async throws {
        try await Rig.with { rig in
            let day = NewYork.text(NewYork.openDays(around: NewYork.clockChanges[0]).after[1], "MMMM d yyyy")
            try await Self.makeProfile(rig)
            // Both conversations run at once: neither may answer in the other.
            try await rig.ask("book a facial on \(day) at 11am")
            try await rig.ask("apply for the data analyst job", instance: Self.jobs)
            try await rig.ask("yes")
            try await rig.ask("https://example.com/cv.pdf", instance: Self.jobs)
            try await rig.ask("yes", instance: Self.jobs)
            let customer = try #require(try await rig.bookings().first?["customer"]?.string)
            let candidate = try #require(try await Self.applications(rig).first?["candidate"]?.string)
            #expect(customer != candidate)
            let salon = try await sessions(rig, "salon")
            let jobs = try await sessions(rig, "jobs")
            #expect(salon.map { $0["user_id"]?.string } == [customer])
            #expect(jobs.map { $0["user_id"]?.string } == [candidate])
            let id = try #require(jobs.first?["id"]?.string)
            let foreign = try await rig.get(rig.gatewayURL + "/v1/sessions/\(id)", key: rig.adminKey("salon"))
            #expect(foreign.status == 404)
            let bookings = try await rig.ask("my bookings")
            #expect(bookings.contains("Facial") && !bookings.contains("analyst"))
        }
    }

    /// Nobody applies without one.
    private static func makeProfile(_ rig: Rig) async throws {
        let question = try await rig.ask("create my profile", instance: jobs)
        #expect(question.contains("Create your profile with the name Customer"), "\(question)")
        let told = try await rig.ask("yes", instance: jobs)
        #expect(told.contains("Your profile is saved"), "\(told)")
    }

    private func sessions(_ rig: Rig, _ brand: String) async throws -> [JSONValue] {
        let answer = try await rig.get(rig.gatewayURL + "/v1/sessions", key: rig.adminKey(brand))
        #expect(answer.status == 200)
        return answer.json["sessions"]?.array ?? []
    }

    private static func applications(_ rig: Rig) async throws -> [JSONValue] {
        try await rig.sandboxState()["jobs"]?["applications"]?.array ?? []
    }
}
