import Conversation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// Mounts routes on Hummingbird. The only way to a route is through `APIRoute`, so none is without an access rule.
struct HTTPServer {
    let routes: [APIRoute]
    let keys: KeyRing
    let ids: any IDSource
    let requestKeys: RequestKeys
    /// How long a body may take to arrive.
    let requestTimeout: Duration
    let logger: Logger
    /// Whose word on where a request came from counts.
    var proxies = TrustedProxies(rules: [])
    /// Why there is less here than elsewhere; told to who asks for what is not here.
    var absence: String?

    func router() -> Router<GatewayContext> {
        let router = Router(context: GatewayContext.self)
        for route in routes {
            router.on(RouterPath(route.path), method: HTTPRequest.Method(rawValue: route.method) ?? .get) { request, context in
                guard route.isBesideStreams else { return await answer(route, request, context) }
                // A connection's task keeps the stack that its deepest call ever took, for as long as a stream lasts. What is answered on
                // such connections runs on a stack of its own, which ends with it.
                async let response = answer(route, request, context)
                return await response
            }
        }
        router.add(middleware: UnknownRoutes(ids: ids, routes: routes, absence: absence))
        return router
    }

    private func answer(_ route: APIRoute, _ request: Request, _ context: GatewayContext) async -> Response {
        let requestID = ids.next()
        var response: ChannelResponse
        var isHangup = false
        do {
            response = try await respond(route, request, context)
        } catch let error as APIError {
            response = error.response
        } catch is HTTPBodyTooLarge {
            response = .problem(413, "The body is larger than \(route.maxBodyBytes) bytes")
        } catch is HTTPBodyTooSlow {
            response = .problem(408, "The body took too long to arrive", headers: ["Connection": "close"])
            isHangup = true
        } catch {
            logger.error("request failed", metadata: ["request_id": "\(requestID)", "route": "\(route.path)", "error": "\(error)"])
            response = .problem(503, "The gateway cannot do this right now", headers: ["Retry-After": "1"])
        }
        logger.debug(
            "request",
            metadata: ["request_id": "\(requestID)", "method": "\(route.method)", "route": "\(route.path)", "status": "\(response.status)"])
        var answer = Response(response, requestID: requestID)
        if let stream = response.stream {
            answer.body = StreamingBody(stream: stream, request: request, channel: context.channel).body
            // Watching for a caller who leaves uses the connection up: whoever sent a second request on it would lose that.
            answer.headers[.connection] = "close"
        }
        // The server would go on reading what is still to come of the body.
        if isHangup { answer.body = Self.last(response.body, on: context.channel) }
        return answer
    }

    /// A body after which nothing more is read from the connection.
    private static func last(_ body: [UInt8], on channel: any NIOCore.Channel) -> ResponseBody {
        ResponseBody(contentLength: body.count) { writer in
            try await writer.write(ByteBuffer(bytes: body))
            try await writer.finish(nil)
            channel.close(mode: .all, promise: nil)
        }
    }

    private func respond(_ route: APIRoute, _ request: Request, _ context: GatewayContext) async throws -> ChannelResponse {
        let headers: @Sendable (String) -> [String] = { name in HTTPField.Name(name).map { request.headers[values: $0] } ?? [] }
        let caller = try await keys.admit(route.access, authorization: headers("authorization"))
        let body = route.maxBodyBytes > 0 ? try await read(request, limit: route.maxBodyBytes) : []
        var parameters: [String: String] = [:]
        for (name, value) in context.parameters { parameters[String(name)] = String(value) }
        var query: [String: String] = [:]
        for (name, value) in request.uri.queryParameters { query[String(name)] = String(value) }
        let call = APIRequest(
            parameters: parameters, query: query, headers: headers, body: body, caller: caller,
            remoteAddress: proxies.origin(peer: context.channel.remoteAddress?.ipAddress, forwardedFor: headers("x-forwarded-for")))
        guard route.method == "POST", case .brand(let brand, _) = caller, let key = headers("idempotency-key").first else {
            return try await route.handle(call)
        }
        return try await requestKeys.once(key, brand: brand, path: request.uri.path, body: body) { try await route.handle(call) }
    }

    private func read(_ request: Request, limit: Int) async throws -> [UInt8] {
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit { throw HTTPBodyTooLarge() }
        var bytes: [UInt8] = []
        // Looked at with each chunk, so that no timer is needed; who sends nothing at all is cut off by the idle limit.
        let deadline = ContinuousClock.now + requestTimeout
        for try await chunk in request.body {
            guard ContinuousClock.now < deadline else { throw HTTPBodyTooSlow() }
            guard bytes.count + chunk.readableBytes <= limit else { throw HTTPBodyTooLarge() }
            bytes.append(contentsOf: chunk.readableBytesView)
        }
        CrashPoint.bodyRead.pass()
        return bytes
    }
}

struct HTTPBodyTooLarge: Error {}
struct HTTPBodyTooSlow: Error {}

/// Holds the connection, so that a request can be the last one on it.
struct GatewayContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any NIOCore.Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}

extension Response {
    init(_ response: ChannelResponse, requestID: UniqueID) {
        var headers: HTTPFields = [.contentType: response.contentType]
        for (name, value) in response.headers {
            if let name = HTTPField.Name(name) { headers[name] = value }
        }
        if let name = HTTPField.Name("X-Request-Id") { headers[name] = requestID.description }
        self.init(
            status: .init(code: response.status), headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: response.body)))
    }
}

/// Answers paths that nobody mounted (404) and methods that a path does not have (405) in our own form.
private struct UnknownRoutes: RouterMiddleware {
    typealias Context = GatewayContext

    let ids: any IDSource
    let routes: [APIRoute]
    let absence: String?

    func handle(_ request: Request, context: Context, next: (Request, Context) async throws -> Response) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as HTTPError where error.status == .notFound {
            let methods = routes.filter { Self.matches($0.path, request.uri.path) }.map(\.method)
            if methods.isEmpty { return Response(.problem(404, "There is nothing at this path", detail: absence), requestID: ids.next()) }
            let allow = Set(methods).sorted().joined(separator: ", ")
            return Response(.problem(405, "This path takes \(allow)", headers: ["Allow": allow]), requestID: ids.next())
        }
    }

    private static func matches(_ pattern: String, _ path: String) -> Bool {
        let (wanted, given) = (pattern.split(separator: "/"), path.split(separator: "/"))
        return wanted.count == given.count && zip(wanted, given).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
    }
}
