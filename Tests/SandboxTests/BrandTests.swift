import Conversation
import Testing

@testable import Sandbox

@Suite(.timeLimit(.minutes(1))) struct BrandTests {
    @Test func theCatalogSaysServicesAndHours() async throws {
        try await Rig.run { rig in
            let catalog = try await rig.salon("GET", "/catalog").json
            #expect(catalog["services"]?.array?.count ?? 0 >= 6)
            #expect(catalog.at(pointer: "/services/0/id") == "svc-haircut")
            #expect(catalog.at(pointer: "/hours/mon") == [])
            #expect(catalog.at(pointer: "/hours/tue") == ["09:00-18:00"])
            #expect(catalog.at(pointer: "/hours/sat") == ["09:00-16:00"])
            #expect(catalog.at(pointer: "/hours/closed") == ["2026-12-25", "2027-01-01"])
        }
    }

    @Test func aWrongTokenIsRefusedAndHasNoEffect() async throws {
        try await Rig.run { rig in
            for token in ["jobs-token", nil] {
                let answer = try await rig.call("POST", "/salon/bookings", booking(), token: token)
                #expect(answer.status == 401)
            }
            #expect(try await rig.bookingCount() == 0)
        }
    }

    @Test func aBookingIsMadeListedAndCancelled() async throws {
        try await Rig.run { rig in
            let made = try await rig.salon("POST", "/bookings", booking(start: "2026-11-24T11:00:00-05:00"))
            #expect(made.status == 201)
            #expect(
                made.json == [
                    "id": "bk-1001", "service_id": "svc-haircut", "service_name": "Haircut", "start": "2026-11-24T16:00:00.000Z",
                    "customer": "customer-1", "contact_phone": "+15550100100", "status": "booked", "price": 45,
                ])
            _ = try await rig.salon("POST", "/bookings", booking(start: "2026-11-24T15:00:00Z"))
            let listed = try await rig.salon("GET", "/bookings?customer=customer-1").json["bookings"]?.array ?? []
            #expect(listed.map { $0["id"] } == ["bk-1002", "bk-1001"])
            let cancel: JSONValue = ["customer": "customer-1", "booking_id": "bk-1001"]
            let cancelled = try await rig.salon("POST", "/bookings/bk-1001/cancel", cancel)
            #expect(cancelled.status == 200 && cancelled.json["status"] == "cancelled")
            #expect(try await rig.salon("GET", "/bookings?customer=customer-1").json["bookings"]?.array?.count == 1)
            #expect(try await rig.salon("POST", "/bookings", booking(start: "2026-11-24T16:00:00Z")).status == 201)
        }
    }

    @Test func aNeighboursBookingsAreInvisible() async throws {
        try await Rig.run { rig in
            _ = try await rig.salon("POST", "/bookings", booking())
            #expect(try await rig.salon("GET", "/bookings?customer=customer-2").json == ["bookings": []])
            #expect(try await rig.salon("GET", "/bookings/bk-1001?customer=customer-2").status == 404)
            #expect(try await rig.salon("GET", "/bookings/bk-1001?customer=customer-1").status == 200)
            let cancel: JSONValue = ["customer": "customer-2", "booking_id": "bk-1001"]
            #expect(try await rig.salon("POST", "/bookings/bk-1001/cancel", cancel).status == 404)
            #expect(try await rig.salon("GET", "/bookings").status == 400)
            #expect(try await rig.salon("GET", "/bookings?customer=customer-1").json["bookings"]?.array?.count == 1)
        }
    }

    @Test(arguments: [
        ("2026-11-20T14:59:59Z", "svc-haircut", 422, "closed"), ("2026-11-24T13:59:00Z", "svc-haircut", 422, "closed"),
        ("2026-11-24T23:00:00Z", "svc-haircut", 422, "closed"), ("2026-11-23T15:00:00Z", "svc-haircut", 422, "closed"),
        ("2026-11-28T21:00:00Z", "svc-haircut", 422, "closed"), ("2026-12-25T15:00:00Z", "svc-haircut", 422, "closed"),
        ("2026-11-24T15:00:00Z", "svc-nothing", 422, "unknown_service"), ("tomorrow", "svc-haircut", 400, "invalid"),
    ])
    func whatCannotBeBookedIsRefusedWithItsReason(start: String, service: String, status: Int, code: String) async throws {
        try await Rig.run { rig in
            let answer = try await rig.salon("POST", "/bookings", booking(start: start, service: service))
            #expect(answer.status == status)
            #expect(answer.json["error"]?.string == code)
            #expect(try await rig.bookingCount() == 0)
        }
    }

    @Test func oneServiceAtOneTimeIsBookedOnce() async throws {
        try await Rig.run { rig in
            _ = try await rig.salon("POST", "/bookings", booking())
            let second = try await rig.salon("POST", "/bookings", booking(customer: "customer-2"))
            #expect(second.status == 422)
            #expect(second.json == ["error": "slot_taken", "message": "That time is taken."])
            #expect(try await rig.salon("POST", "/bookings", booking(service: "svc-massage")).status == 201)
        }
    }

    @Test func bodiesAreReadStrictly() async throws {
        try await Rig.run { rig in
            let bodies: [JSONValue?] = [
                nil, [], ["service_id": "svc-haircut"], .object((booking().object ?? [:]).merging(["note": "x"]) { $1 }),
                .object((booking().object ?? [:]).merging(["customer": 5]) { $1 }),
            ]
            for body in bodies {
                let answer = try await rig.salon("POST", "/bookings", body)
                #expect(answer.status == 400)
            }
            _ = try await rig.salon("POST", "/bookings", booking())
            let other: JSONValue = ["customer": "customer-1", "booking_id": "bk-9"]
            #expect(try await rig.salon("POST", "/bookings/bk-1001/cancel", other).status == 400)
        }
    }

    @Test func customersAreMergedFieldByField() async throws {
        try await Rig.run { rig in
            #expect(try await rig.salon("GET", "/customers/c%201").status == 404)
            _ = try await rig.salon("PUT", "/customers/c%201", ["phone": "+15550100100", "address": ["street": "1 Main St"]])
            _ = try await rig.salon("PUT", "/customers/c%201", ["address": ["city": "Springfield"], "balance": 12.5, "customer": "c 1"])
            #expect(
                try await rig.salon("GET", "/customers/c%201").json == [
                    "id": "c 1", "phone": "+15550100100", "address": ["street": "1 Main St", "city": "Springfield"], "balance": 12.5,
                ])
            #expect(try await rig.salon("PUT", "/customers/c%201", ["balance": "much"]).status == 400)
            #expect(try await rig.salon("PUT", "/customers/c%201", ["customer": "c 2"]).status == 400)
        }
    }

    @Test func seededCustomersAreThereUntilTheReset() async throws {
        try await Rig.run { rig in
            let seed: JSONValue = ["salon": ["customers": ["c1": ["balance": 30]]], "jobs": ["candidates": ["c2": ["name": "Candidate"]]]]
            #expect(try await rig.call("POST", "/_sandbox/state", seed).status == 200)
            #expect(try await rig.salon("GET", "/customers/c1").json["balance"] == 30)
            #expect(try await rig.jobs("GET", "/candidates/c2").json["name"] == "Candidate")
            _ = try await rig.call("DELETE", "/_sandbox/state")
            #expect(try await rig.salon("GET", "/customers/c1").status == 404)
            #expect(try await rig.call("POST", "/_sandbox/state", ["bank": [:]]).status == 400)
        }
    }

    @Test func openingsAreFoundByWordsAndPlace() async throws {
        try await Rig.run { rig in
            let searches = [
                ("?query=software+engineer", ["job-1"]), ("?location=boston", ["job-2", "job-7"]),
                ("?query=driver&location=boston", ["job-7"]), ("?query=astronaut", []), ("?query=logistics+drivers+boston", ["job-7"]),
                ("?query=remote+developer", ["job-1"]), ("", JobOpening.all.map(\.id)),
            ]
            for (query, expected) in searches {
                let found = try await rig.jobs("GET", "/openings" + query).json["openings"]?.array ?? []
                #expect(found.compactMap { $0["id"]?.string } == expected)
            }
        }
    }

    @Test func anApplicationIsMadeOnceAndWithdrawnByItsOwner() async throws {
        try await Rig.run { rig in
            let body: JSONValue = ["job_id": "job-1", "candidate": "c1", "resume_url": "https://example.com/cv.pdf"]
            let made = try await rig.jobs("POST", "/applications", body)
            #expect(made.status == 201 && made.json["id"] == "app-2001" && made.json["job_title"] == "Backend developer")
            let again = try await rig.jobs("POST", "/applications", body)
            #expect(again.status == 422 && again.json["error"] == "already_applied")
            #expect(try await rig.jobs("GET", "/applications?candidate=c2").json == ["applications": []])
            let foreign: JSONValue = ["candidate": "c2", "application_id": "app-2001"]
            #expect(try await rig.jobs("POST", "/applications/app-2001/withdraw", foreign).status == 404)
            let own: JSONValue = ["candidate": "c1", "application_id": "app-2001"]
            #expect(try await rig.jobs("POST", "/applications/app-2001/withdraw", own).json["status"] == "withdrawn")
            #expect(try await rig.jobs("POST", "/applications", body).status == 201)
            #expect(
                try await rig.jobs("POST", "/applications", ["job_id": "job-99", "candidate": "c1", "resume_url": "https://example.com"])
                    .status == 422)
        }
    }
}
