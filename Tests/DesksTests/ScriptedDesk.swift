import Conversation
import Desks
import HTTPCalls
import JSON
import Synchronization
import TestKit

/// What a ticket system knows, for scripted servers of all kinds.
struct Board: Sendable {
    struct Message: Sendable {
        var id: Int64
        var text: String
        var isInternal: Bool
        /// Our own account writes as `gateway`, the brand's people as `agent`, customers as `customer`.
        var author: String
    }

    struct Ticket: Sendable {
        var id: Int64
        var subject = ""
        var externalID: String?
        var tags: [String] = []
        var isClosed = false
        var messages: [Message] = []
        var changes = 0
    }

    var tickets: [Ticket] = []
    var lastNumber: Int64 = 100
    var requests: [String] = []
    var calls: [ChannelRequest] = []
    var faults: [DeskFault] = []
    var idempotent: [String: Int64] = [:]
    /// Requests that no documented form allows.
    var complaints: [String] = []

    mutating func number() -> Int64 {
        lastNumber += 1
        return lastNumber
    }

    func index(_ id: String) -> Int? { tickets.firstIndex { String($0.id) == id } }
}

/// A request as a scripted ticket system reads it.
struct DeskRequest: Sendable {
    let raw: ScriptedRequest
    let path: String
    let query: [String: String]
    let body: JSONValue

    init(_ raw: ScriptedRequest) {
        self.raw = raw
        let parts = raw.target.split(separator: "?", maxSplits: 1)
        path = parts.first.map(String.init) ?? ""
        query = Dictionary(
            (parts.count > 1 ? parts[1].split(separator: "&") : []).map { pair in
                let sides = pair.split(separator: "=", maxSplits: 1).map { $0.removingPercentEncoding ?? "" }
                return (sides[0], sides.count > 1 ? sides[1] : "")
            }, uniquingKeysWith: { first, _ in first })
        body = (try? JSONValue(parsing: raw.body)) ?? .null
    }

    /// `POST /tickets`.
    var line: String { "\(raw.method) \(path)" }
    /// The part of the path at a place.
    subscript(part: Int) -> String {
        let parts = path.split(separator: "/")
        return parts.indices.contains(part) ? String(parts[part]) : ""
    }
}

extension Substring {
    fileprivate var removingPercentEncoding: String? {
        var bytes: [UInt8] = []
        var rest = Array(utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let decoded = Hex.decode(rest.prefix(2)), decoded.count == 1 else { return nil }
            bytes += decoded
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

/// An answer of a scripted ticket system.
struct DeskAnswer: Sendable {
    var status = 200
    var body: JSONValue = .object([:])
    var headers: [(String, String)] = []

    static func complaint(_ status: Int, _ what: String) -> DeskAnswer { DeskAnswer(status: status, body: ["message": .string(what)]) }
}

/// A ticket system of one kind on a scripted server: strict about what it is asked, with a memory.
final class ScriptedDesk: DeskWorld {
    /// Answers a request on what the system knows; `complaints` is for what no client should send.
    typealias Answerer = @Sendable (DeskRequest, inout Board) -> DeskAnswer
    /// Makes the calls by which the system tells what its people did: the event's name, the ticket, the text.
    typealias Teller = @Sendable (_ event: String, _ ticket: Board.Ticket, _ message: Board.Message?) -> ChannelRequest?

    let desk: any TicketDesk
    let server: ScriptedServer
    private let shared: Shared
    private let teller: Teller

    private final class Shared: Sendable {
        let board = Mutex(Board())
    }

    init(
        _ configure: (_ url: String, _ rule: AddressRule) -> DeskConfiguration, clock: any WallClock = SystemClock(),
        answer: @escaping Answerer, teller: @escaping Teller = { _, _, _ in nil }
    ) throws {
        let shared = Shared()
        self.shared = shared
        self.teller = teller
        server = try ScriptedServer { raw in
            shared.board.withLock { board -> [ScriptedStep] in
                let request = DeskRequest(raw)
                board.requests.append(request.line)
                if let fault = board.faults.first {
                    board.faults.removeFirst()
                    switch fault {
                    case .busy: return [.answer(429, headers: [("Retry-After", "7")], "{}")]
                    case .broken: return [.answer(500, "oops")]
                    case .refused: return [.answer(422, "{\"error\":\"RecordInvalid\"}")]
                    case .reset: return [.reset]
                    case .garbage: return [.answer(200, "<html>hello</html>")]
                    }
                }
                let answer = answer(request, &board)
                if answer.status == 599 { board.complaints.append("\(request.line): \(answer.body)") }
                return [
                    .answer(answer.status == 599 ? 400 : answer.status, headers: answer.headers, body: CanonicalJSON.bytes(answer.body))
                ]
            }
        }
        let rule = try AddressRule(parsing: "127.0.0.1:\(server.port)")
        desk = try Desks.make(configure("http://127.0.0.1:\(server.port)", rule), http: try CurlClient(), clock: clock)
    }

    deinit { server.stop() }

    var board: Board { shared.board.withLock { $0 } }
    func change(_ body: (inout Board) -> Void) { shared.board.withLock { body(&$0) } }

    func tickets(_ reference: HandoverID) -> Int {
        let text = reference.description
        return board.tickets.count { $0.externalID == text || $0.subject.contains(text) }
    }

    func entries(of ticket: DeskTicket) -> [ShownEntry] {
        let board = board
        return (board.index(ticket.id).map { board.tickets[$0].messages } ?? []).map {
            ShownEntry(text: $0.text, isInternal: $0.isInternal)
        }
    }

    func write(_ text: String, isInternal: Bool, in ticket: DeskTicket) {
        change { board in
            guard let index = board.index(ticket.id) else { return }
            let message = Board.Message(id: board.number(), text: text, isInternal: isInternal, author: "agent")
            board.tickets[index].messages.append(message)
            tell("comment", index, message, &board)
        }
    }

    func setClosed(_ isClosed: Bool, _ ticket: DeskTicket) {
        change { board in
            guard let index = board.index(ticket.id), board.tickets[index].isClosed != isClosed else { return }
            board.tickets[index].isClosed = isClosed
            board.tickets[index].changes += 1
            let note = Board.Message(
                id: board.number(), text: isClosed ? "open>resolved" : "resolved>open", isInternal: true, author: "status")
            board.tickets[index].messages.append(note)
            tell(isClosed ? "closed" : "reopened", index, nil, &board)
        }
    }

    private func tell(_ event: String, _ index: Int, _ message: Board.Message?, _ board: inout Board) {
        if let call = teller(event, board.tickets[index], message) { board.calls.append(call) }
    }

    func isClosed(_ ticket: DeskTicket) -> Bool {
        let board = board
        return board.index(ticket.id).map { board.tickets[$0].isClosed } ?? false
    }

    struct TooFewCalls: Error {}
    func calls(atLeast count: Int) throws -> [ChannelRequest] {
        let calls = board.calls
        // Whatever a scripted system tells, it has told by now.
        guard calls.count >= count else { throw TooFewCalls() }
        return calls
    }

    func fail(_ fault: DeskFault) -> Bool {
        change { $0.faults = [fault] }
        return true
    }
}

/// A call with headers as a test wrote them.
func channelRequest(_ headers: [(name: String, value: String)], _ body: [UInt8]) -> ChannelRequest {
    ChannelRequest(
        parameters: [:], query: [:], headers: { name in headers.filter { $0.name.lowercased() == name }.map(\.value) }, body: body)
}
