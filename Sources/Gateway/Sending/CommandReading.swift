package import Conversation
import ServiceLifecycle

/// Has a bus bring its commands for as long as the gateway works.
package struct CommandReading: Service {
    private let source: any CommandSource
    private let inbox: CommandInbox

    package init(source: any CommandSource, inbox: CommandInbox) {
        self.source = source
        self.inbox = inbox
    }

    /// Ends when what was brought before the shutdown is answered for.
    package func run() async throws {
        source.take { [inbox] in await inbox.take($0) }
        // Ends with the shutdown: nothing is ever sent on this stream.
        for await _ in AsyncStream<Never>.makeStream().stream.cancelOnGracefulShutdown() {}
        await source.stopTaking()
    }
}
