import Conversation
import Synchronization

/// The job board's own system: openings, candidates and applications.
final class JobsAPI: BrandRoutes {
    private struct Application {
        let id: String
        let opening: JobOpening
        let candidate: String
        let resumeURL: String
        let contactPhone: String?
        var isLive = true

        var json: JSONValue {
            var members: [String: JSONValue] = [
                "id": .string(id), "job_id": .string(opening.id), "job_title": .string(opening.title), "company": .string(opening.company),
                "candidate": .string(candidate), "resume_url": .string(resumeURL), "status": isLive ? "submitted" : "withdrawn",
            ]
            members["contact_phone"] = contactPhone.map(JSONValue.string)
            return .object(members)
        }
    }

    private struct State {
        var candidates = People(objects: ["address"])
        var applications: [Application] = []
        /// Never reused, also not after a reset.
        var nextNumber = 2001
    }

    private let state = Mutex(State())

    init() {}

    var snapshot: JSONValue {
        state.withLock { ["candidates": $0.candidates.json, "applications": .array($0.applications.map(\.json))] }
    }

    func seed(_ fields: StrictObject) throws {
        var fields = fields
        let candidates = fields.value("candidates")
        try fields.finish()
        try state.withLock { try $0.candidates.seed(candidates, path: fields.field("candidates"), reference: "candidate") }
    }

    func reset() { state.withLock { $0 = State(nextNumber: $0.nextNumber) } }

    func act(_ request: StandInRequest, parts: [String]) throws -> StandInAnswer {
        switch (request.method, parts.first ?? "", parts.count) {
        case ("GET", "openings", 1): return openings(request.query)
        case ("GET", "openings", 2):
            guard let opening = JobOpening.with(id: parts[1]) else { throw BrandRefusal.notFound("opening") }
            return .json(200, opening.json)
        case ("GET", "candidates", 2):
            guard let record = state.withLock({ $0.candidates.record(parts[1]) }) else { throw BrandRefusal.notFound("candidate") }
            return .json(200, record)
        case ("PUT", "candidates", 2):
            return .json(200, try state.withLock { try $0.candidates.merge(request.json, into: parts[1], reference: "candidate") })
        case ("POST", "applications", 1): return try apply(request.json)
        case ("GET", "applications", 1):
            let owner = try Self.owner(request)
            let live = state.withLock { $0.applications.filter { $0.isLive && $0.candidate == owner }.map(\.json) }
            return .json(200, ["applications": .array(live)])
        case ("GET", "applications", 2):
            let owner = try Self.owner(request)
            return .json(200, try state.withLock { $0.applications[try Self.index(of: parts[1], owner: owner, in: $0)].json })
        case ("POST", "applications", 3) where parts[2] == "withdraw": return try withdraw(parts[1], request.json)
        default: throw BrandRefusal.notFound("resource: \(request.method) \(request.path)")
        }
    }

    private static func owner(_ request: StandInRequest) throws -> String {
        guard let owner = request.query["candidate"], !owner.isEmpty else { throw FieldError(field: "candidate", problem: "is required") }
        return owner
    }

    /// An application of somebody else is not found, as if it did not exist.
    private static func index(of id: String, owner: String, in state: State) throws -> Int {
        guard let index = state.applications.firstIndex(where: { $0.id == id && $0.candidate == owner }) else {
            throw BrandRefusal.notFound("application")
        }
        return index
    }

    private func openings(_ query: [String: String]) -> StandInAnswer {
        let found = JobOpening.all.filter { $0.matches(query: query["query"] ?? "") && $0.matches(location: query["location"] ?? "") }
        return .json(200, ["openings": .array(found.map(\.json))])
    }

    private func apply(_ body: JSONValue?) throws -> StandInAnswer {
        var fields = try StrictObject(body)
        let jobID = try fields.text("job_id", max: 100)
        let candidate = try fields.text("candidate", max: 200)
        let resume = try fields.text("resume_url", max: 2048)
        let phone = try fields.optionalText("contact_phone", max: 40)
        try fields.finish()
        guard resume.hasPrefix("https://") || resume.hasPrefix("http://") else {
            throw fields.failure("resume_url", "must be an HTTP address")
        }
        guard let opening = JobOpening.with(id: jobID) else {
            throw BrandRefusal(status: 422, code: "unknown_job", message: "There is no opening \(jobID).")
        }
        return try state.withLock { state in
            if state.applications.contains(where: { $0.isLive && $0.opening.id == jobID && $0.candidate == candidate }) {
                throw BrandRefusal(status: 422, code: "already_applied", message: "There is an application for this opening already.")
            }
            let application = Application(
                id: "app-\(state.nextNumber)", opening: opening, candidate: candidate, resumeURL: resume, contactPhone: phone)
            state.nextNumber += 1
            state.applications.append(application)
            return .json(201, application.json)
        }
    }

    /// Withdrawing again changes nothing and says the same.
    private func withdraw(_ id: String, _ body: JSONValue?) throws -> StandInAnswer {
        var fields = try StrictObject(body)
        let candidate = try fields.text("candidate", max: 200)
        let named = try fields.text("application_id", max: 100)
        try fields.finish()
        guard named == id else { throw fields.failure("application_id", "must be the id in the path") }
        return try state.withLock { state in
            let index = try Self.index(of: id, owner: candidate, in: state)
            state.applications[index].isLive = false
            return .json(200, state.applications[index].json)
        }
    }
}
