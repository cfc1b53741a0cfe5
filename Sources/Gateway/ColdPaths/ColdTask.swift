internal import Conversation
internal import Storage

/// The kinds of cold tasks, and when a turn leads to one.
enum ColdTask {
    static let notes = "session_notes"

    /// How long notes wait for more to come: turns that follow one another closely are noted together.
    static let delay = Duration.seconds(2)

    /// Notes are made ahead of time only for a model that will be given them; without one, whoever asks has them made on the spot, and a
    /// turn costs no row more.
    static func follow(turn session: SessionID, of configuration: BrandConfiguration, in transaction: BrandTransaction) throws {
        guard configuration.llm?.functions.isEmpty == false else { return }
        try transaction.enqueueCold(notes, session: session, after: delay)
    }
}
