import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What stand-ins that were given a folder wrote down there, read back: now or long after they ended.
package struct StandInRecords: Sendable {
    /// A write call that a brand's API received, or one that took effect there.
    package struct Call: Sendable, Decodable {
        /// Its idempotency key; nil for a call without one.
        package var key: String?
        package var bodyHash: String
        /// Only of calls that were received.
        package var body: String?

        private enum CodingKeys: String, CodingKey {
            case key, body
            case bodyHash = "body_sha256"
        }
    }

    /// A request to any stand-in.
    package struct Request: Sendable {
        /// Whose API or number it went to; nil where its path does not tell.
        package var brand: String?
        package var path: String
        /// What a message to a customer carries as `biz_opaque_callback_data`.
        package var reference: String?
        /// Nil when the caller got no answer, or none yet.
        package var status: Int?
        /// Path, query, headers but for tokens, and body, as they were written down.
        fileprivate var line: Data

        /// Whether anything in the request holds the word, of characters that JSON never writes otherwise.
        package func holds(_ word: String) -> Bool { String(decoding: line, as: UTF8.self).contains(word) }
    }

    /// A message in a webhook that was answered 200.
    package struct Acknowledged: Sendable, Hashable {
        package var id: String
        /// Whose number it was written to; nil where nobody knows.
        package var brand: String?

        /// Of no known brand unless said otherwise.
        package init(id: String, brand: String? = nil) {
            self.id = id
            self.brand = brand
        }
    }

    /// Oldest first.
    package private(set) var calls: [Call] = []
    package private(set) var effects: [Call] = []
    package private(set) var requests: [Request] = []
    /// Messages in webhooks that the gateway answered 200.
    package private(set) var acknowledged: Set<Acknowledged> = []

    /// Reads the folder that `sandbox --state` names. Throws `SandboxError.cannotRead`.
    package init(directory: String) throws {
        calls = try Self.lines(Call.self, "\(directory)/\(Ledger.callsName)").map { $0.0 }
        effects = try Self.lines(Call.self, "\(directory)/\(Ledger.effectsName)").map { $0.0 }
        let items = try Self.lines(Item.self, "\(directory)/\(Ledger.acknowledgedName)").map { $0.0 }
        acknowledged = Set(items.filter { $0.kind == "message" }.map { Acknowledged(id: $0.id, brand: $0.brand) })
        requests = Self.requests(try Self.lines(Line.self, "\(directory)/\(Ledger.requestsName)"))
    }

    private struct Item: Decodable {
        var kind: String
        var id: String
        var phoneNumberID: String?
        var brand: String? { phoneNumberID.flatMap { SandboxInstance.with(phoneNumberID: $0)?.brand } }

        private enum CodingKeys: String, CodingKey {
            case kind, id
            case phoneNumberID = "phone_number_id"
        }
    }

    /// A request, or the answer to an earlier one.
    private struct Line: Decodable {
        var id: String
        var path: String?
        var brand: String?
        var reference: String?
        var status: Int?
    }

    private static func requests(_ lines: [(Line, Data)]) -> [Request] {
        var requests: [Request] = []
        var places: [String: Int] = [:]
        for (line, bytes) in lines {
            if let path = line.path {
                places[line.id] = requests.count
                requests.append(Request(brand: line.brand, path: path, reference: line.reference, line: bytes))
            } else if let place = places[line.id] {
                requests[place].status = line.status
            }
        }
        return requests
    }

    /// What each line of a file says, and its bytes. Throws `SandboxError.cannotRead`.
    static func lines<Value: Decodable>(_ type: Value.Type, _ path: String) throws -> [(Value, Data)] {
        let bytes: Data
        do {
            bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw SandboxError.cannotRead(path: path, reason: error.localizedDescription)
        }
        let decoder = JSONDecoder()
        return try finishedLines(bytes).enumerated().map { number, line in
            do {
                return (try decoder.decode(type, from: line), line)
            } catch {
                throw SandboxError.cannotRead(path: "\(path):\(number + 1)", reason: "not a line that stand-ins write")
            }
        }
    }

    /// What stands behind the last end of a line was being written when its process died: nothing had come of it yet.
    private static func finishedLines(_ bytes: Data) -> [Data] {
        var lines: [Data] = []
        bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return }
            var start = 0
            while let found = memchr(base + start, Int32(UInt8(ascii: "\n")), buffer.count - start) {
                let end = base.distance(to: UnsafeRawPointer(found))
                lines.append(Data(bytes: base + start, count: end - start))
                start = end + 1
            }
        }
        return lines
    }
}
