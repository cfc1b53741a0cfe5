internal import Conversation

/// The server's clock, known from the answers that carry its time: no statement waits for it. The server read its clock between the
/// sending and the receipt, so each answer narrows down what the two clocks are apart, to a round trip at the most.
struct ServerClock {
    /// Milliseconds the server's clock is ahead of our monotonic one.
    private var ahead: Int64?

    mutating func note(_ time: Int64, sent: Int64, received: Int64) {
        let (least, most) = (time - received, time - sent)
        ahead = ahead.map { min(max($0, least), most) } ?? (least + most) / 2
    }

    func now(at monotonic: Int64) -> Timestamp? { ahead.map { Timestamp(milliseconds: monotonic + $0) } }
}
