import Conversation
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// Holds the connection, so that a fault can reset it.
struct SandboxContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any NIOCore.Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}

/// Takes each request through recording, faults and the stand-in that its path names.
struct SandboxResponder: HTTPResponder {
    /// Larger than anything the gateway sends.
    static let largestBody = 8 << 20

    /// By the first part of their paths, or by the first two.
    let standIns: [String: any StandIn]
    let control: Control
    let recordings: Recordings
    let ledger: Ledger?
    let faults: FaultBook
    let clock: any WallClock
    let logger: Logger

    func respond(to request: Request, context: SandboxContext) async throws -> Response {
        let read: StandInRequest
        do {
            read = try await Self.read(request)
        } catch is NIOTooManyBytesError {
            return AnswerWriter.response(.problem(413, "Content Too Large", "A body may have at most \(Self.largestBody) bytes."))
        }
        switch await reply(to: read) {
        case .answer(let answer): return AnswerWriter.response(answer)
        case .drop:
            try await Self.reset(context.channel)
            return Response(status: .internalServerError)
        }
    }

    private func reply(to request: StandInRequest) async -> Reply {
        if request.parts.first == "_sandbox" { return .answer(await control.answer(request)) }
        let at = clock.now
        let number = recordings.begin(request, at: at)
        let reply = await noted(request, at: at)
        switch reply {
        case .answer(let answer): recordings.finish(number, status: answer.status)
        case .drop: recordings.finish(number, status: nil)
        }
        return reply
    }

    /// The ledger knows of the request before anything comes of it, and of its answer before anybody else does.
    private func noted(_ request: StandInRequest, at: Timestamp) async -> Reply {
        guard let ledger else { return await answered(request) }
        do {
            let id = try await ledger.recordRequest(request, at: at)
            let reply = await answered(request)
            if case .answer(let answer) = reply { try await ledger.recordAnswer(to: id, status: answer.status) }
            return reply
        } catch {
            logger.error("the ledger cannot be written", metadata: ["path": "\(request.path)", "error": "\(error)"])
            return .answer(.problem(500, "Internal Server Error", "The ledger cannot be written: \(error)"))
        }
    }

    private func answered(_ request: StandInRequest) async -> Reply {
        let name = request.parts.first ?? ""
        guard let standIn = standIns[name] ?? standIns[request.parts.prefix(2).joined(separator: "/")] else {
            let known = standIns.keys.sorted().map { "/\($0)" }.joined(separator: ", ")
            return .answer(.problem(404, "Not Found", "Nothing stands at \(request.path); there are \(known) and /_sandbox."))
        }
        return await exchange(request, with: standIn)
    }

    private func exchange(_ request: StandInRequest, with standIn: any StandIn) async -> Reply {
        var request = request
        do {
            try await standIn.received(request)
            request.plan = faults.plan(method: request.method, path: request.path)
            guard let fault = request.plan.fault else { return .answer(try await standIn.answer(request)) }
            if !fault.hasEffect {
                try await request.pause(clock: clock)
                return fault.spoil(nil, errorBody: standIn.errorBody)
            }
            return fault.spoil(try await standIn.answer(request), errorBody: standIn.errorBody)
        } catch is CancellationError {
            return .drop
        } catch {
            logger.error("the stand-in could not answer", metadata: ["path": "\(request.path)", "error": "\(error)"])
            return .answer(.problem(500, "Internal Server Error", "The stand-in could not answer: \(error)"))
        }
    }

    private static func read(_ request: Request) async throws -> StandInRequest {
        let target = (request.head.path ?? "/").split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var headers: [String: String] = [:]
        headers["host"] = request.head.authority
        for field in request.headers {
            headers[field.name.canonicalName] = headers[field.name.canonicalName].map { "\($0), \(field.value)" } ?? field.value
        }
        let body = try await request.body.collect(upTo: largestBody)
        return StandInRequest(
            method: request.method.rawValue, path: target.first.map(String.init) ?? "/",
            query: target.count > 1 ? query(target[1]) : [:], headers: headers, body: Array(body.readableBytesView))
    }

    private static func query(_ text: Substring) -> [String: String] {
        let pairs = text.split(separator: "&").map { pair -> (String, String) in
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { side in
                let spaced = side.replacing("+", with: " ")
                return spaced.removingPercentEncoding ?? String(spaced)
            }
            return (sides.first ?? "", sides.count > 1 ? sides[1] : "")
        }
        return Dictionary(pairs) { $1 }
    }

    /// A linger of zero seconds makes the kernel answer with a reset instead of an orderly end.
    private static func reset(_ channel: any NIOCore.Channel) async throws {
        if let options = channel as? any SocketOptionProvider {
            try await options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        }
        try await channel.close(mode: .all)
    }
}
