#if Sandbox
    import Conversation

    /// A customer on one channel, as conversation tests need them. Another channel is another implementation of this.
    protocol ConversationDriver: Sendable {
        /// The identifiers by which the gateway knows this customer.
        var identifiers: [Identifier] { get }
        /// Says something. The provider's id of the message, once the gateway has acknowledged it. Throws `DriverError`.
        func say(_ text: String) async throws -> String
        /// Presses an option of the last question; the id as above. Throws `DriverError`.
        func choose(_ option: DrivenOption) async throws -> String
        /// Everything the customer was sent so far, oldest first. Throws `DriverError`.
        func replies() async throws -> [DrivenReply]
    }

    /// What a customer sees of a reply.
    struct DrivenReply: Sendable {
        var text: String
        var options: [DrivenOption]
    }

    struct DrivenOption: Sendable {
        var id: String
        var title: String
    }

    /// Why the other side could not be talked to; ends the whole run.
    struct DriverError: Error, CustomStringConvertible {
        let description: String
    }
#endif
