import Conversation
import Synchronization

/// The salon's own system: its catalog, its customers and its calendar.
final class SalonAPI: BrandRoutes {
    private struct Booking {
        let id: String
        let service: SalonService
        let start: Timestamp
        let customer: String
        let contactPhone: String
        var isLive = true

        var json: JSONValue {
            [
                "id": .string(id), "service_id": .string(service.id), "service_name": .string(service.name),
                "start": .string(start.description), "customer": .string(customer), "contact_phone": .string(contactPhone),
                "status": isLive ? "booked" : "cancelled", "price": .integer(service.price),
            ]
        }
    }

    private struct State {
        var customers = People(objects: ["address"], numbers: ["balance"])
        var bookings: [Booking] = []
        /// Never reused, also not after a reset.
        var nextNumber = 1001
    }

    private let state = Mutex(State())
    private let clock: any WallClock

    init(clock: any WallClock) { self.clock = clock }

    var snapshot: JSONValue {
        state.withLock { ["customers": $0.customers.json, "bookings": .array($0.bookings.map(\.json))] }
    }

    func seed(_ fields: StrictObject) throws {
        var fields = fields
        let customers = fields.value("customers")
        try fields.finish()
        try state.withLock { try $0.customers.seed(customers, path: fields.field("customers"), reference: "customer") }
    }

    func reset() { state.withLock { $0 = State(nextNumber: $0.nextNumber) } }

    func act(_ request: StandInRequest, parts: [String]) throws -> StandInAnswer {
        switch (request.method, parts.first ?? "", parts.count) {
        case ("GET", "catalog", 1):
            return .json(200, ["services": .array(SalonService.all.map(\.json)), "hours": SalonHours.json])
        case ("GET", "customers", 2):
            guard let record = state.withLock({ $0.customers.record(parts[1]) }) else { throw BrandRefusal.notFound("customer") }
            return .json(200, record)
        case ("PUT", "customers", 2):
            return .json(200, try state.withLock { try $0.customers.merge(request.json, into: parts[1], reference: "customer") })
        case ("POST", "bookings", 1): return try book(request.json)
        case ("GET", "bookings", 1): return .json(200, ["bookings": .array(list(of: try Self.owner(request)))])
        case ("GET", "bookings", 2):
            let owner = try Self.owner(request)
            return .json(200, try state.withLock { $0.bookings[try Self.index(of: parts[1], owner: owner, in: $0)].json })
        case ("POST", "bookings", 3) where parts[2] == "cancel": return try cancel(parts[1], request.json)
        default: throw BrandRefusal.notFound("resource: \(request.method) \(request.path)")
        }
    }

    private static func owner(_ request: StandInRequest) throws -> String {
        guard let owner = request.query["customer"], !owner.isEmpty else { throw FieldError(field: "customer", problem: "is required") }
        return owner
    }

    /// A booking of somebody else is not found, as if it did not exist.
    private static func index(of id: String, owner: String, in state: State) throws -> Int {
        guard let index = state.bookings.firstIndex(where: { $0.id == id && $0.customer == owner }) else {
            throw BrandRefusal.notFound("booking")
        }
        return index
    }

    private func list(of owner: String) -> [JSONValue] {
        state.withLock { state in
            state.bookings.filter { $0.isLive && $0.customer == owner }.sorted { $0.start < $1.start }.map(\.json)
        }
    }

    private func book(_ body: JSONValue?) throws -> StandInAnswer {
        var fields = try StrictObject(body)
        let serviceID = try fields.text("service_id", max: 100)
        let startText = try fields.text("start", max: 40)
        let customer = try fields.text("customer", max: 200)
        let phone = try fields.text("contact_phone", max: 40)
        try fields.finish()
        guard let start = Timestamp(startText) else { throw fields.failure("start", "must be an instant in ISO 8601") }
        guard let service = SalonService.with(id: serviceID) else {
            throw BrandRefusal(status: 422, code: "unknown_service", message: "There is no service \(serviceID).")
        }
        guard start > clock.now else { throw BrandRefusal(status: 422, code: "closed", message: "That time has passed.") }
        guard SalonHours.areOpen(at: start) else { throw BrandRefusal(status: 422, code: "closed", message: "The salon is closed then.") }
        return try state.withLock { state in
            if state.bookings.contains(where: { $0.isLive && $0.service.id == serviceID && $0.start == start }) {
                throw BrandRefusal(status: 422, code: "slot_taken", message: "That time is taken.")
            }
            let booking = Booking(id: "bk-\(state.nextNumber)", service: service, start: start, customer: customer, contactPhone: phone)
            state.nextNumber += 1
            state.bookings.append(booking)
            return .json(201, booking.json)
        }
    }

    /// Cancelling again changes nothing and says the same.
    private func cancel(_ id: String, _ body: JSONValue?) throws -> StandInAnswer {
        var fields = try StrictObject(body)
        let customer = try fields.text("customer", max: 200)
        let named = try fields.text("booking_id", max: 100)
        try fields.finish()
        guard named == id else { throw fields.failure("booking_id", "must be the id in the path") }
        return try state.withLock { state in
            let index = try Self.index(of: id, owner: customer, in: state)
            state.bookings[index].isLive = false
            return .json(200, state.bookings[index].json)
        }
    }
}
