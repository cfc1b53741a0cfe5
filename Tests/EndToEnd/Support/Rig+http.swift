import Conversation
import Foundation
import HTTPCalls
import JSON
import Signing

struct Answer {
    let status: Int
    let headers: [(name: String, value: String)]
    let bytes: [UInt8]

    var text: String { String(decoding: bytes, as: UTF8.self) }
    /// Null when the body is not JSON.
    var json: JSONValue { (try? JSONValue(parsing: bytes)) ?? .null }
    func header(_ name: String) -> String? { headers.first { $0.name == name.lowercased() }?.value }
}

extension Rig {
    func send(_ method: String, _ url: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil) async throws -> Answer {
        let call = HTTPCall(
            method: method, url: url, headers: headers, body: body, timeout: .seconds(30), maxResponseBytes: 64 << 20, pool: "test",
            maxConcurrent: 256, allowPrivateAddresses: [try AddressRule(parsing: "127.0.0.1")])
        switch await client.call(call) {
        case .answer(let answer): return Answer(status: answer.status, headers: answer.headers, bytes: answer.body)
        case .failed(let failure): throw failure
        }
    }

    func get(_ url: String, key: String? = nil) async throws -> Answer { try await send("GET", url, headers: bearer(key)) }

    func post(_ url: String, _ body: JSONValue = [:], key: String? = nil) async throws -> Answer {
        try await send(
            "POST", url, headers: bearer(key) + [(name: "Content-Type", value: "application/json")], body: CanonicalJSON.bytes(body))
    }

    func bearer(_ key: String?) -> [(name: String, value: String)] { key.map { [(name: "Authorization", value: "Bearer \($0)")] } ?? [] }

    var operatorKey: String { environment["SWITCHBOARD_OPERATOR_KEY"] ?? "" }
    func adminKey(_ brand: String) -> String { environment["\(brand.uppercased())_ADMIN_KEY"] ?? "" }

    // MARK: Webhooks

    /// Posts a webhook as Meta would, signed unless a signature is given, to the gateway unless another node is named.
    func webhook(_ body: [UInt8], app: String = "main", signature: String? = nil, at url: String? = nil) async throws -> Answer {
        let headers = [
            (name: "Content-Type", value: "application/json"), (name: "X-Hub-Signature-256", value: signature ?? sign(body)),
        ]
        return try await send("POST", "\(url ?? gatewayURL)/webhooks/whatsapp/\(app)", headers: headers, body: body)
    }

    func sign(_ body: [UInt8], secret: String? = nil) -> String {
        "sha256=" + Hex.encode(HMACKey(Array((secret ?? environment["WHATSAPP_APP_SECRET"] ?? "").utf8)).authenticationCode(for: body))
    }

    /// A delivery with the given changes, each `(phone_number_id, value members)`.
    static func delivery(_ changes: [(account: String, value: [String: JSONValue])]) -> [UInt8] {
        let entries = changes.map { change -> JSONValue in
            let value = change.value.merging(
                [
                    "messaging_product": "whatsapp",
                    "metadata": ["display_phone_number": "15550000000", "phone_number_id": .string(change.account)],
                ]
            ) { $1 }
            return ["id": "1029", "changes": [["field": "messages", "value": .object(value)]]]
        }
        return CanonicalJSON.bytes(["object": "whatsapp_business_account", "entry": .array(entries)])
    }

    static func textMessage(_ text: String, from: String, id: String, at: Timestamp = SystemClock().now) -> JSONValue {
        [
            "from": .string(from), "id": .string(id), "timestamp": .string("\(at.milliseconds / 1000)"), "type": "text",
            "text": ["body": .string(text)],
        ]
    }

    static let salonNumber = "106540352242922"
    static let jobsNumber = "106540352242999"

    // MARK: Sandbox

    /// Writes to a brand as a customer; the id of the message.
    @discardableResult func say(
        _ text: String, from: String = "15550001111", instance: String = "salon-whatsapp", more: [String: JSONValue] = [:]
    ) async throws -> String {
        var body: [String: JSONValue] = ["instance": .string(instance), "text": .string(text)]
        body[from.contains(".") ? "from_user_id" : "from"] = .string(from)
        return try await sayRaw(body.merging(more) { $1 })
    }

    /// Presses the n-th option (from 1) of the last question.
    @discardableResult func press(_ index: Int, from: String = "15550001111", instance: String = "salon-whatsapp") async throws -> String {
        var body: [String: JSONValue] = ["instance": .string(instance), "reply": ["index": .integer(Int64(index))]]
        body[from.contains(".") ? "from_user_id" : "from"] = .string(from)
        return try await sayRaw(body)
    }

    func sayRaw(_ body: [String: JSONValue]) async throws -> String {
        let answer = try await post(sandboxURL + "/_sandbox/say", .object(body))
        guard answer.status == 200, answer.json["gateway_status"] == 200, let id = answer.json["id"]?.string else {
            throw Timeout(description: "saying failed: \(answer.status) \(answer.text)")
        }
        return id
    }

    /// What was sent to a customer, oldest first.
    func replies(to: String = "15550001111") async throws -> [JSONValue] {
        try await get(sandboxURL + "/_sandbox/last?to=\(to)").json["messages"]?.array ?? []
    }

    /// Says something and waits for the next reply; its text.
    @discardableResult func ask(
        _ text: String, from: String = "15550001111", instance: String = "salon-whatsapp", within limit: Duration = patience
    ) async throws -> String {
        let before = try await replies(to: from).count
        try await say(text, from: from, instance: instance)
        return try await nextReply(after: before, to: from, said: text, within: limit)
    }

    func nextReply(after count: Int, to: String, said: String, within limit: Duration = patience) async throws -> String {
        var text = ""
        try await eventually("a reply to \"\(said)\"", within: limit) {
            let all = try await self.replies(to: to)
            guard all.count > count else { return false }
            text = all[count]["text"]?.string ?? ""
            return true
        }
        return text
    }

    func fault(_ fields: [String: JSONValue]) async throws {
        let answer = try await post(sandboxURL + "/_sandbox/faults", .object(fields))
        guard (200..<300).contains(answer.status) else { throw Timeout(description: "fault refused: \(answer.text)") }
    }

    func clearFaults() async throws { _ = try await send("DELETE", sandboxURL + "/_sandbox/faults") }

    /// Requests that arrived below a path, oldest first.
    func arrived(_ path: String, method: String? = nil) async throws -> [JSONValue] {
        let all = try await get(sandboxURL + "/_sandbox/requests?path=\(path)").json["requests"]?.array ?? []
        return method.map { wanted in all.filter { $0["method"]?.string == wanted } } ?? all
    }

    func sandboxState() async throws -> JSONValue { try await get(sandboxURL + "/_sandbox/state").json }

    /// Live and cancelled bookings of the salon's own store.
    func bookings() async throws -> [JSONValue] { try await sandboxState()["salon"]?["bookings"]?.array ?? [] }
}
