/// A brand's ticket system, where people take over conversations. A desk knows its provider's format and nothing else: no store, no channel.
package protocol TicketDesk: Sendable {
    var capabilities: DeskCapabilities { get }
    /// The ticket that bears our reference; nil when there is none. Asked before an opening is tried again.
    func find(_ reference: HandoverID) async throws(DeskError) -> DeskTicket?
    /// Opens a ticket with the history. Under a reference that has a ticket it must only be called when `find` found none.
    func open(_ draft: TicketDraft) async throws(DeskError) -> DeskTicket
    /// Adds what the customer wrote, or a note that only the brand's people see. Adding the same entry again (by `id`) may show it twice only
    /// where `capabilities.deduplicatesEntries` is false.
    func add(_ entry: TicketEntry, to ticket: DeskTicket) async throws(DeskError)
    /// Whether the entry stands in the ticket: asked after an `add` whose outcome is unknown. Nil when the desk cannot tell.
    func contains(_ entry: UniqueID, in ticket: DeskTicket) async throws(DeskError) -> Bool?
    /// Marks the ticket as no longer ours to answer: the customer left, or nobody was available.
    func close(_ ticket: DeskTicket, reason: String) async throws(DeskError)
    /// What happened in this ticket since `cursor` (as the desk returned it last; nil from the opening on). Desks that call us are asked too,
    /// because calls get lost: what is heard both ways has the same id both times.
    func changes(of ticket: DeskTicket, since cursor: String?) async throws(DeskError) -> DeskChanges
    /// Proves and reads a call of the ticket system. Throws `DeskError.unproven` for one that is not proven; nothing of it has been read then.
    func events(in request: ChannelRequest, now: Timestamp) throws(DeskError) -> [DeskEvent]
}

package struct DeskCapabilities: Sendable, Hashable {
    /// The desk calls us when something happens; otherwise nothing is known before it is asked.
    package var callsUs: Bool
    /// Adding the same entry twice shows it once.
    package var deduplicatesEntries: Bool
    /// Opening twice under one reference gives one ticket. Where it may give two, nobody opens again before the first had time to be seen.
    package var opensOnce: Bool

    package init(callsUs: Bool, deduplicatesEntries: Bool, opensOnce: Bool = false) {
        self.callsUs = callsUs
        self.deduplicatesEntries = deduplicatesEntries
        self.opensOnce = opensOnce
    }
}

/// A ticket as its system names it.
package struct DeskTicket: Sendable, Hashable, Codable {
    package var id: String
    /// For people; nil when the desk has none.
    package var url: String?

    package init(id: String, url: String? = nil) {
        self.id = id
        self.url = url
    }
}

/// What a new ticket holds.
package struct TicketDraft: Sendable {
    /// Ours; stands in the ticket so that it is found again.
    package var reference: HandoverID
    package var subject: String
    package var priority: HandoverPriority
    package var reason: HandoverRequest.Trigger
    package var customer: TicketCustomer
    /// The handover's payload as readable text: summary, attempted actions, results, errors, flow state, times.
    package var summary: String
    /// The conversation so far, oldest first.
    package var history: [TicketEntry]
    /// The whole payload, for desks that take JSON.
    package var payload: JSONValue

    package init(
        reference: HandoverID, subject: String, priority: HandoverPriority, reason: HandoverRequest.Trigger, customer: TicketCustomer,
        summary: String, history: [TicketEntry], payload: JSONValue
    ) {
        self.reference = reference
        self.subject = subject
        self.priority = priority
        self.reason = reason
        self.customer = customer
        self.summary = summary
        self.history = history
        self.payload = payload
    }
}

package struct TicketCustomer: Sendable, Hashable {
    package var user: UserID
    package var name: String?
    /// Proven by the channel or by a token.
    package var email: String?
    package var phone: String?
    package var locale: String?

    package init(user: UserID, name: String? = nil, email: String? = nil, phone: String? = nil, locale: String? = nil) {
        self.user = user
        self.name = name
        self.email = email
        self.phone = phone
        self.locale = locale
    }
}

/// One thing that goes into a ticket.
package struct TicketEntry: Sendable, Hashable {
    package enum Author: String, Sendable { case customer, bot, agent, system }

    /// The message's or the note's id: the same for every attempt.
    package var id: UniqueID
    package var author: Author
    package var text: String
    /// Links, as the channel or the store gives them.
    package var attachments: [TicketAttachment]
    /// Only the brand's people see it.
    package var isInternal: Bool
    package var at: Timestamp

    package init(
        id: UniqueID, author: Author, text: String, attachments: [TicketAttachment] = [], isInternal: Bool = false, at: Timestamp
    ) {
        self.id = id
        self.author = author
        self.text = text
        self.attachments = attachments
        self.isInternal = isInternal
        self.at = at
    }
}

package struct TicketAttachment: Sendable, Hashable {
    package var url: String
    package var name: String
    package var mimeType: String?

    package init(url: String, name: String, mimeType: String? = nil) {
        self.url = url
        self.name = name
        self.mimeType = mimeType
    }
}

package struct DeskChanges: Sendable {
    package var events: [DeskEvent]
    /// Hand this in next time. Nothing before it is returned again.
    package var cursor: String

    package init(events: [DeskEvent], cursor: String) {
        self.events = events
        self.cursor = cursor
    }
}

/// Something that a person did in the ticket system.
package struct DeskEvent: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// For the customer to read.
        case reply(text: String, attachments: [TicketAttachment])
        /// The conversation goes back to the bot.
        case closed
        case reopened
        /// Somebody took the ticket.
        case assigned
        /// Something happened, and the desk must be asked what.
        case changed
    }

    /// The provider's, stable when it tells us twice; unique within the ticket.
    package var id: String
    package var ticket: String
    /// Our reference, where the desk carries it.
    package var reference: HandoverID?
    package var kind: Kind
    /// Who did it, for people; nil when unknown.
    package var author: String?
    /// Whether a program wrote it, as far as the desk tells.
    package var isAutomatic: Bool
    package var at: Timestamp

    package init(
        id: String, ticket: String, reference: HandoverID? = nil, kind: Kind, author: String? = nil, isAutomatic: Bool = false,
        at: Timestamp
    ) {
        self.id = id
        self.ticket = ticket
        self.reference = reference
        self.kind = kind
        self.author = author
        self.isAutomatic = isAutomatic
        self.at = at
    }
}

package struct DeskError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Outcome: String, Sendable, Codable {
        /// Certainly nothing happened; trying again is sensible.
        case notDone = "not_done"
        /// The desk said no; trying again cannot help.
        case refused
        /// Nobody knows: look before trying again.
        case unknown
        /// The ticket is gone or was never there.
        case gone
        /// A call that is not proven to come from the desk.
        case unproven
    }

    package var outcome: Outcome
    package var detail: String
    package var retryAfter: Duration?

    package init(_ outcome: Outcome, _ detail: String, retryAfter: Duration? = nil) {
        self.outcome = outcome
        self.detail = detail
        self.retryAfter = retryAfter
    }
    package var description: String { "\(outcome.rawValue): \(detail)" }
}
