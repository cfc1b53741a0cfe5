import Conversation
import Logging

/// The sandbox's own routes under `/_sandbox`: for tests, and for a person with curl.
struct Control: Sendable {
    let recordings: Recordings
    let faults: FaultBook
    let chats: Chats
    let sender: WebhookSender
    /// By the first part of their paths.
    let brands: [String: BrandAPI]
    let script: ModelScript
    let desks: DeskControl
    let clock: any WallClock

    func answer(_ request: StandInRequest) async -> StandInAnswer {
        do {
            return try await route(request)
        } catch let error as FieldError {
            return .problem(400, "Bad Request", error.sentence, pointer: error.pointer)
        } catch {
            return .problem(503, "Service Unavailable", "The sandbox could not do it: \(error)")
        }
    }

    private func route(_ request: StandInRequest) async throws -> StandInAnswer {
        switch (request.method, request.parts.dropFirst().joined(separator: "/")) {
        case ("GET", "requests"): return .json(200, recordings.list(pathPrefix: request.query["path"] ?? ""))
        case ("DELETE", "requests"):
            recordings.clear()
            return .json(200, [:])
        case ("GET", "faults"): return .json(200, ["faults": .array(faults.list.map(\.json))])
        case ("POST", "faults"):
            let fault = try Fault(request.json)
            faults.add(fault)
            return .json(201, fault.json)
        case ("DELETE", "faults"):
            faults.clear(path: request.query["path"])
            return .json(200, [:])
        case ("POST", "say"): return try await say(request)
        case ("POST", "deliver"): return try await deliver(request)
        case ("GET", "last"): return try last(request)
        case (_, "state"): return try await state(request)
        case ("GET", "llm"): return .json(200, script.json)
        case ("POST", "llm"):
            try script.order(request.json)
            return .json(200, script.json)
        case ("DELETE", "llm"):
            script.reset()
            return .json(200, script.json)
        case (_, "desk"): return try await desks.answer(request)
        case ("GET", "gateway"), ("PUT", "gateway"): return try gateway(request)
        default: return .problem(404, "Not Found", Self.help(request))
        }
    }

    private static func help(_ request: StandInRequest) -> String {
        "There is no \(request.method) \(request.path). There are requests, faults, say, deliver, last, state, llm, desk and gateway under /_sandbox."
    }

    private func say(_ request: StandInRequest) async throws -> StandInAnswer {
        let say = try Say(request.json, now: clock.now)
        let key = say.customer.phone ?? say.customer.userID
        let message = try say.message(sent: chats.sent(to: key, instance: say.instance))
        // The window opens when the customer writes, whether or not the gateway is there to hear it.
        chats.recordInbound(from: say.customer, to: say.instance, at: say.at)
        let webhook = MetaWebhook.message(message, from: say.customer, instance: say.instance)
        let answer = say.isRetried ? try await sender.postUntilAccepted(webhook) : await sender.post(webhook)
        var result = Self.json(answer)
        result["id"] = message["id"]
        return .json(200, .object(result))
    }

    private func deliver(_ request: StandInRequest) async throws -> StandInAnswer {
        var fields = try StrictObject(request.json)
        let signed = try fields.optionalBool("sign") ?? true
        let bodies: [JSONValue]
        if let body = fields.value("body") {
            if fields.has("bodies") { throw fields.failure("bodies", "must not stand beside body") }
            bodies = [body]
        } else {
            bodies = try fields.list("bodies", count: 1...10_000).map(\.value)
        }
        try fields.finish()
        var answers: [JSONValue] = []
        for body in bodies { answers.append(.object(Self.json(await deliver(body, signed: signed)))) }
        return .json(200, ["answers": .array(answers)])
    }

    /// A string is posted as the bytes it holds, so that a body which is no JSON can be delivered too.
    private func deliver(_ body: JSONValue, signed: Bool) async -> GatewayAnswer {
        guard case .string(let text) = body else { return await sender.post(body, signed: signed) }
        let bytes = Array(text.utf8)
        return await sender.post(bytes: bytes, items: JSONText.read(bytes).map(MetaWebhook.items) ?? [], signed: signed)
    }

    private static func json(_ answer: GatewayAnswer) -> [String: JSONValue] {
        ["gateway_status": .integer(Int64(answer.status)), "gateway_body": answer.body]
    }

    private func last(_ request: StandInRequest) throws -> StandInAnswer {
        let key = request.query["to"].map { CustomerID.phone($0) ?? $0 }
        let instance = request.query["instance"].flatMap(SandboxInstance.named)
        if let name = request.query["instance"], instance == nil { throw FieldError(field: "instance", problem: "\(name) is not known") }
        return .json(200, ["messages": .array(chats.sent(to: key, instance: instance).map(\.json))])
    }

    private func state(_ request: StandInRequest) async throws -> StandInAnswer {
        switch request.method {
        case "DELETE":
            for brand in brands.values { brand.reset() }
            for book in desks.books.values { book.reset() }
            chats.reset()
            sender.reset()
        case "POST":
            var fields = try StrictObject(request.json)
            for (name, brand) in brands {
                guard let seed = try fields.optionalObject(name) else { continue }
                try brand.routes.seed(seed)
            }
            try fields.finish()
        case "GET": break
        default: return .problem(405, "Method Not Allowed", "The state takes GET, POST and DELETE.")
        }
        return .json(200, .object(brands.mapValues(\.routes.snapshot)))
    }

    private func gateway(_ request: StandInRequest) throws -> StandInAnswer {
        if request.method == "PUT" {
            var fields = try StrictObject(request.json)
            let url = try fields.text("url")
            try fields.finish()
            do {
                sender.gateway = try LoopbackAddress(url)
            } catch let error as SandboxError {
                throw FieldError(field: "url", problem: "cannot be taken: \(error)")
            }
        }
        return .json(200, ["url": .string(sender.gateway.description)])
    }
}
