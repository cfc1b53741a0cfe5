import Brain
import Conversation

enum Salon {
    static let now = Timestamp("2026-11-20T15:42:00Z") ?? Timestamp(seconds: 0)
    static let fivePM = "2026-11-24T22:00:00.000Z"
    static let sixPM = "2026-11-24T23:00:00.000Z"

    static let services: JSONValue = [
        "services": [
            ["id": "s1", "name": "Haircut", "price": 45, "synonyms": ["cut"]],
            ["id": "s2", "name": "Massage", "price": 80],
        ],
        "hours": ["tue": ["09:00-18:00"]],
    ]
    static let oneBooking: JSONValue = ["bookings": [["id": 42, "service": "Haircut", "start": "2026-11-24T22:00:00.000Z"]]]
    static let profile: JSONValue = ["phone": "+15550100200", "balance": 0]

    static let bookService = ActionDefinition(
        canonicalName: "book_service", displayName: "Book a service", description: "Book an appointment", category: "booking",
        synonyms: ["make_appointment", "reserve_slot"],
        params: [
            ParameterDefinition(
                name: "service", entity: .choice, source: OptionSource(schema: "catalog", path: "/services"),
                ask: "Which service would you like?"),
            ParameterDefinition(
                name: "start", entity: .datetime, open: OpeningSource(schema: "catalog", path: "/hours"),
                ask: "When would you like to come?"),
            ParameterDefinition(
                name: "phone", entity: .phone, defaultValue: "{user.phone}", ask: "Which phone number may we reach you at?"),
            ParameterDefinition(name: "note", entity: .text, required: false, ask: "Any note?"),
        ],
        confirm: "Book {service.name} for {service.price:money} on {start}?",
        request: RequestTemplate(
            method: "POST", path: "/bookings",
            body: ["service_id": "{service.id}", "start": "{start}", "customer": "{user.id}", "contact_phone": "{phone}", "note": "{note}"]),
        result: ["booking_id": "/id"], progress: ["Checking the calendar", "Booking"],
        eligibility: EligibilityRule(userTier: "guest", blockers: ["outstanding_balance"], opposites: ["cancel_booking"]),
        safety: .idempotent,
        compensate: "cancel_booking", refusedParameter: "start")

    static let listBookings = ActionDefinition(
        canonicalName: "list_bookings", displayName: "List my bookings", category: "booking", synonyms: ["my_bookings"],
        request: RequestTemplate(method: "GET", path: "/customers/{user.id}/bookings"),
        resultList: ResultList(
            path: "/bookings", item: "{service} on {start}", empty: "You have no bookings.", formats: ["start": .datetime]))

    static let cancelBooking = ActionDefinition(
        canonicalName: "cancel_booking", displayName: "Cancel a booking", category: "booking",
        params: [
            ParameterDefinition(
                name: "booking", entity: .choice,
                source: OptionSource(
                    schema: "bookings", path: "/bookings", label: "{service} on {start}", formats: ["start": .datetime]),
                ask: "Which booking?")
        ],
        confirm: "Cancel {booking}?", request: RequestTemplate(method: "DELETE", path: "/bookings/{booking.id}"), safety: .idempotent)

    static let updateProfile = ActionDefinition(
        canonicalName: "update_profile", displayName: "Update my profile",
        params: [ParameterDefinition(name: "address", entity: .text, ask: "What is your address?")],
        request: RequestTemplate(method: "PUT", path: "/profile", body: ["address": "{address}", "customer": "{user.id}"]),
        safety: .idempotent)

    static let homeVisit = ActionDefinition(
        canonicalName: "home_visit", displayName: "Order a home visit", request: RequestTemplate(method: "POST", path: "/visits"),
        eligibility: EligibilityRule(schemas: ["profile": ["address"]]), safety: .idempotent)

    static let lockCard = ActionDefinition(
        canonicalName: "lock_card", displayName: "Lock my card", request: RequestTemplate(method: "POST", path: "/lock"),
        eligibility: EligibilityRule(opposites: ["unlock_card"]), priority: .high)
    static let unlockCard = ActionDefinition(
        canonicalName: "unlock_card", displayName: "Unlock my card", request: RequestTemplate(method: "POST", path: "/unlock"))

    static let premium = ActionDefinition(
        canonicalName: "vip_lounge", displayName: "Open the lounge", request: RequestTemplate(method: "POST", path: "/lounge"),
        eligibility: EligibilityRule(
            userTier: "premium", requiresAuth: true, schemas: ["profile": ["address"]], blockers: ["outstanding_balance"],
            after: ["book_service"],
            opposites: ["lock_card"]))

    static let configuration = BrandConfiguration(
        id: BrandID(rawValue: "salon"), name: "Blue Door Salon", locale: "en-US", timeZone: "America/New_York",
        api: BrandAPI(baseURL: "http://127.0.0.1:8090/salon"), tiers: ["guest", "verified", "premium"],
        popularActions: ["book_service", "list_bookings", "cancel_booking"],
        actions: [bookService, listBookings, cancelBooking, updateProfile, homeVisit, lockCard, unlockCard, premium],
        schemas: [
            SchemaDefinition(name: "catalog", request: RequestTemplate(method: "GET", path: "/catalog")),
            SchemaDefinition(name: "bookings", request: RequestTemplate(method: "GET", path: "/customers/{user.id}/bookings")),
            SchemaDefinition(
                name: "profile", request: RequestTemplate(method: "GET", path: "/customers/{user.phone}"),
                keys: [
                    SchemaKey(name: "phone", path: "/phone", completion: .matches("^\\+[0-9]{8,15}$")),
                    SchemaKey(name: "address", path: "/address", completion: .allOf(["/street", "/city"])),
                    SchemaKey(name: "balance", path: "/balance"),
                ], collectWith: "update_profile"),
        ],
        blockers: [
            BlockerDefinition(
                name: "outstanding_balance", schema: "profile", path: "/balance", condition: .greaterThan(0),
                say: "There is an open balance of {profile.balance:money}.")
        ])

    static let user = User(
        id: UserID(UniqueID(high: 7, low: 7)), tier: "verified", isVerified: true, profileName: "Customer",
        identifiers: [Identifier(kind: .phone, value: "+15550100200")])

    static func haircut() -> Entity {
        Entity(
            name: "service", kind: .choice, value: "s1", raw: "haircut", label: "Haircut",
            item: ["id": "s1", "name": "Haircut", "price": 45])
    }
    static func massage() -> Entity {
        Entity(
            name: "service", kind: .choice, value: "s2", raw: "massage", label: "Massage",
            item: ["id": "s2", "name": "Massage", "price": 80])
    }
    static func at(_ time: String) -> Entity { Entity(name: "start", kind: .datetime, value: .string(time), raw: time) }
    static func start(_ problem: SlotProblem, partial: JSONValue? = nil) -> Entity {
        Entity(name: "start", kind: .datetime, partial: partial, raw: "", problem: problem)
    }
}

/// Reads from a script: text → what it says.
struct ScriptedSlots: SlotExtracting {
    var script: [String: [String: Entity]]

    func extract(_ request: SlotRequest) -> [String: Entity] {
        let names = Set(request.parameters.map(\.name))
        return (script[request.text] ?? [:]).filter { names.contains($0.key) }
    }
}

/// Readable keys in the place of an HMAC.
struct PlainSigner: DecisionSigner {
    func idempotencyKey(brand: BrandID, user: UserID, action: String, params: JSONValue, taskID: UniqueID) -> [UInt8] {
        Array("\(brand)|\(user)|\(action)|\(CanonicalJSON.text(params))|\(taskID)".utf8)
    }
    func fingerprint(brand: BrandID, user: UserID, action: String, params: JSONValue) -> [UInt8] {
        Array("\(brand)|\(user)|\(action)|\(CanonicalJSON.text(params))".utf8)
    }
}
