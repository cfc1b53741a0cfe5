package import Conversation
import Testing

/// The other side of a desk, real or scripted: what a test needs of it besides the desk itself.
package protocol DeskWorld: Sendable {
    var desk: any TicketDesk { get }
    /// How many tickets of that system bear the reference.
    func tickets(_ reference: HandoverID) async throws -> Int
    /// All that stands in a ticket, oldest first.
    func entries(of ticket: DeskTicket) async throws -> [ShownEntry]
    /// Somebody of the brand writes, for the customer or for colleagues only.
    func write(_ text: String, isInternal: Bool, in ticket: DeskTicket) async throws
    func setClosed(_ isClosed: Bool, _ ticket: DeskTicket) async throws
    func isClosed(_ ticket: DeskTicket) async throws -> Bool
    /// What the system told us, at least `count` calls since the start; for desks that call us.
    func calls(atLeast count: Int) async throws -> [ChannelRequest]
    /// Whether it tells us what its people do.
    var isHeard: Bool { get }
    /// The next call of the desk ends so. False when this world cannot.
    func fail(_ fault: DeskFault) async -> Bool
}

extension DeskWorld {
    package var isHeard: Bool { desk.capabilities.callsUs }
}

/// Something that stands in a ticket.
package struct ShownEntry: Sendable {
    package var text: String
    /// Whether only the brand's people see it.
    package var isInternal: Bool

    package init(text: String, isInternal: Bool) {
        self.text = text
        self.isInternal = isInternal
    }
}

/// How a call to a desk may end other than well.
package enum DeskFault: Sendable, Hashable, CaseIterable {
    /// 429 with `Retry-After: 7`.
    case busy
    /// 500, nothing said of what happened.
    case broken
    /// 422.
    case refused
    /// The connection ends once the request was read.
    case reset
    /// 200 with something that is not JSON.
    case garbage

    /// What must be believed of a call that changes something.
    package var outcome: DeskError.Outcome {
        switch self {
        case .busy: .notDone
        case .broken, .reset, .garbage: .unknown
        case .refused: .refused
        }
    }

    /// What must be believed of a call that only looks.
    package var outcomeOfLooking: DeskError.Outcome { self == .refused ? .refused : .notDone }
}

/// What every `TicketDesk` must do. Each driver's tests run all of it against a scripted server, and where there is a real one against that.
package struct DeskContract: Sendable {
    let world: any DeskWorld
    var desk: any TicketDesk { world.desk }

    package init(_ world: any DeskWorld) { self.world = world }

    /// A case and its name.
    package typealias Case = (name: String, run: @Sendable (DeskContract) async throws -> Void)

    /// In an order that needs one world for all.
    package static let all: [Case] = [
        ("a ticket is found by its reference", { try await $0.aTicketIsFoundByItsReference() }),
        ("a ticket shows the summary and the end of a long history", { try await $0.aTicketShowsItsHistory() }),
        ("the customer's words are public, notes are not", { try await $0.wordsArePublicNotesAreNot() }),
        ("an entry is found in its ticket", { try await $0.anEntryIsFound() }),
        ("large and hostile texts arrive", { try await $0.hostileTextsArrive() }),
        ("what we wrote is no answer", { try await $0.whatWeWroteIsNoAnswer() }),
        ("an agent's reply is told once", { try await $0.aReplyIsToldOnce() }),
        ("what is heard both ways is one event", { try await $0.whatIsHeardBothWaysIsOneEvent() }),
        ("markup becomes text", { try await $0.markupBecomesText() }),
        ("closing and reopening are told", { try await $0.closingAndReopeningAreTold() }),
        ("we close a ticket, twice if need be", { try await $0.weCloseATicket() }),
        ("a ticket that is not there is gone", { try await $0.aMissingTicketIsGone() }),
        ("a call without proof is not read", { try await $0.anUnprovenCallIsNotRead() }),
        ("every fault has its outcome", { try await $0.everyFaultHasItsOutcome() }),
    ]

    /// Runs every case on this world.
    package func run() async throws {
        for (name, run) in Self.all {
            do {
                try await run(self)
            } catch {
                Issue.record("\(name): \(error)")
            }
        }
    }

    // MARK: Drafts and entries

    private static let ids = SystemIDs()

    func draft(_ reference: HandoverID, history: [TicketEntry] = []) -> TicketDraft {
        TicketDraft(
            reference: reference, subject: "Customer asks for a person", priority: .high, reason: .userRequest,
            customer: TicketCustomer(user: UserID(Self.ids.next()), name: "Customer", email: "customer@example.com", locale: "en-US"),
            summary: "The booking was refused twice.", history: history, payload: ["flow": "idle"])
    }

    func entry(_ author: TicketEntry.Author, _ text: String, _ attachments: [TicketAttachment] = [], isInternal: Bool = false)
        -> TicketEntry
    {
        TicketEntry(
            id: Self.ids.next(), author: author, text: text, attachments: attachments, isInternal: isInternal, at: SystemClock().now)
    }

    func opened() async throws -> (ticket: DeskTicket, reference: HandoverID) {
        let reference = HandoverID(Self.ids.next())
        return (try await desk.open(draft(reference, history: [entry(.customer, "I want to talk to somebody")])), reference)
    }

    func newReference() -> HandoverID { HandoverID(Self.ids.next()) }
}
