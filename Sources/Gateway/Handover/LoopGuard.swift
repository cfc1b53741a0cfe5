internal import Conversation
internal import Storage

/// Tells people from programs that answer each other.
struct LoopGuard {
    enum Verdict: Equatable {
        case pass
        case ignore(String)
        /// Two programs talk: nothing more is passed on until people look.
        case loop(String)
    }

    /// More replies than this within `window` were not typed.
    static let most = 10
    static let window = Duration.seconds(60)
    /// Shorter texts, such as "ok", are the same by chance.
    static let shortestEcho = 16

    /// What was told about this ticket before, oldest first.
    let before: [DeskEventRecord]
    /// What we put into the ticket lately.
    let entries: [HandoverEntry]

    func verdict(_ event: DeskEvent, text: String) -> Verdict {
        let replies = before.filter { $0.kind == "reply" }
        let normalized = Self.normalized(text)
        if event.isAutomatic || normalized.count >= Self.shortestEcho {
            let ours = entries.filter { $0.state != .said }.suffix(10)
            if ours.contains(where: { Self.normalized($0.entry.text) == normalized }) { return .loop("echo") }
        }
        let recent = replies.filter { event.at - $0.at < Self.window && $0.at <= event.at }
        // What was not passed on is no part of a conversation: a burst of mails by a rule must not silence the person after it.
        if recent.count(where: { $0.outcome == "said" }) >= Self.most { return .loop("flood") }
        guard event.isAutomatic else { return .pass }
        // The first "we got your message" is worth reading; what follows at once is not.
        return recent.contains { $0.isAutomatic } ? .ignore("automatic") : .pass
    }

    private static func normalized(_ text: String) -> String {
        text.lowercased().split { $0.isWhitespace }.joined(separator: " ")
    }
}
