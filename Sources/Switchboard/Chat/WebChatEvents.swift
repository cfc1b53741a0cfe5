import Conversation
import Foundation
import Synchronization
import Text

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The event stream of one connection.
final class WebChatEvents: NSObject, URLSessionDataDelegate, Sendable {
    enum Part: Sendable {
        case opened
        case event(StreamEvent)
    }

    private let parts: AsyncThrowingStream<Part, any Error>.Continuation
    private let parser = Mutex(EventStreamParser())

    private init(_ parts: AsyncThrowingStream<Part, any Error>.Continuation) { self.parts = parts }

    /// Ends when the connection does; throws `ChatFailure`. Unbounded on purpose: what is held back here is a person's own conversation.
    static func connect(_ request: URLRequest) -> AsyncThrowingStream<Part, any Error> {
        if request.url?.scheme == "http" { return PlainEventStream.connect(request) }
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: Part.self, bufferingPolicy: .unbounded)
        let session = URLSession(configuration: .ephemeral, delegate: WebChatEvents(continuation), delegateQueue: nil)
        let task = session.dataTask(with: request)
        continuation.onTermination = { _ in
            task.cancel()
            session.finishTasksAndInvalidate()
        }
        task.resume()
        return stream
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
    ) {
        if let failure = WebChatAPI.failure(response, .null) {
            parts.finish(throwing: failure)
            return completionHandler(.cancel)
        }
        parts.yield(.opened)
        completionHandler(.allow)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        for event in parser.withLock({ $0.feed(data) }) { parts.yield(.event(event)) }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        parts.finish(throwing: error.map { ChatFailure.unreachable("the connection was lost: \($0.localizedDescription)") })
    }
}
