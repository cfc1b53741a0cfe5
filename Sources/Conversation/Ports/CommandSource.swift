/// A message that a brand's program wants sent, as the bus brought it; not read yet.
package struct BusCommand: Sendable, Hashable {
    /// The brand as the subject names it. What the body says of a brand counts for nothing.
    package var brand: String
    package var subject: String
    /// What the publisher calls it (`Nats-Msg-Id`); nil when it did not.
    package var publisherID: String?
    package var contentType: String?
    package var body: [UInt8]
    /// Where it stands on the bus: the same whenever this very message is delivered again, and no other's.
    package var place: String
    /// Which delivery of it this is, from 1.
    package var delivery: Int
    /// Since when it stands on the bus, by the clock of the bus; nil when that is not known.
    package var publishedAt: Timestamp?

    package init(
        brand: String, subject: String, publisherID: String? = nil, contentType: String? = nil, body: [UInt8], place: String,
        delivery: Int = 1, publishedAt: Timestamp? = nil
    ) {
        self.brand = brand
        self.subject = subject
        self.publisherID = publisherID
        self.contentType = contentType
        self.body = body
        self.place = place
        self.delivery = delivery
        self.publishedAt = publishedAt
    }
}

/// What is to become of a command on the bus.
package enum CommandVerdict: Sendable, Hashable {
    /// Its outcome is stored: it need not come again.
    case done
    /// Nothing of it is stored: it is to come again.
    case again(after: Duration)
}

/// Takes commands in their order and answers for each, in the same order. Never throws: what cannot be done now comes again.
package typealias CommandTaker = @Sendable ([BusCommand]) async -> [CommandVerdict]

/// A bus that brings commands. Each comes until its verdict is `done`, also after a crash; so one may come twice.
package protocol CommandSource: Sendable {
    /// Brings commands to `taker` from now on, as often as the bus can be reached.
    func take(_ taker: @escaping CommandTaker)
    /// Brings no more, and returns when what was brought is answered for.
    func stopTaking() async
}
