internal import Conversation

/// What policies say: the brand's templates, else ours in English.
struct PolicyWords: Sendable {
    let templates: [String: String]

    /// The text of the first of these keys that there is one for, with `{name}` filled in.
    func text(_ keys: [String], _ values: [String: String] = [:]) -> String {
        let text = keys.lazy.compactMap { templates[$0] ?? Self.defaults[$0] }.first ?? ""
        return Self.filled(text, values)
    }

    static func filled(_ text: String, _ values: [String: String]) -> String {
        values.reduce(text) { $0.replacing("{\($1.key)}", with: $1.value) }
    }

    /// `12 seconds`, `3 minutes`, `5 hours` or `2 days`, rounded up so that nobody comes back too early.
    static func words(_ wait: Duration) -> String {
        let seconds = max(1, Int(wait.seconds.rounded(.up)))
        let units = [("second", 1, 90), ("minute", 60, 90), ("hour", 3600, 36)]
        for (name, length, most) in units where (seconds + length - 1) / length <= most {
            let count = (seconds + length - 1) / length
            return "\(count) \(name)\(count == 1 ? "" : "s")"
        }
        return "\((seconds + 86_399) / 86_400) days"
    }

    /// Every key may stand in the brand's `templates.yaml`.
    static let defaults = [
        "rate_limited": "You are writing faster than I can read. Please write again in {retry_after}.",
        "handover": "I'm passing this on to a colleague, who will get back to you here.",
        "filtered": "I can't take that message. Could you put it another way?",
        "filtered.warn": "Please be careful what you share here.",
        "filtered.outbound": "I'd rather not write that here. Our team can help you with it.",
        "filtered.outbound.warn": "Please check this before you rely on it.",
        "blocked.rate_limited": "I've done \"{display_name}\" as often as I may for the moment. Please try again in {retry_after}.",
        "blocked.hours": "\"{display_name}\" isn't possible at this hour. Please try again in {retry_after}.",
        "blocked.at_most": "\"{display_name}\" is possible here up to {amount}.",
        "blocked.tier": "\"{display_name}\" is only for {tier} customers.",
    ]
}
