import Bus
import Conversation

/// Events published again, for the command `bus replay` and the control socket alike: step by step, so that whoever asks sees progress.
extension DeskRoutes {
    /// `first` and `last` are ids of events; a step begins after the first.
    func replayEvents(_ brand: BrandID, first: UniqueID, last: UniqueID) async throws -> ChannelResponse {
        guard outbox.hasListeners else { throw APIError(409, "Nobody listens: the bus is embedded, and no events are written") }
        let step = try await outbox.publishAgain(brand, after: first, upTo: last)
        return .json(["events": .integer(Int64(step.count)), "next": JSONValue(step.next?.description)])
    }

    func waitingEvents(_ brand: BrandID, last: UniqueID) async throws -> ChannelResponse {
        .json(["waiting": .integer(Int64(try await outbox.waiting(brand, upTo: last)))])
    }

    /// The brands whose events there may be.
    func brandsWithEvents() -> ChannelResponse { .json(["brands": .array(allBrands.map { .string($0.rawValue) })]) }
}
