import Conversation

/// Words a narrative from templates: the brand's own, else ours in English.
struct Responder: Sendable {
    let configuration: BrandConfiguration
    let phrases: Phrases
    let user: User

    /// The text of the first of these keys that has a template whose placeholders all have values; keys go from the special to the general.
    func text(_ keys: [String], _ values: [String: JSONValue] = [:], params: [String: Entity] = [:]) -> String {
        let scope = PlaceholderScope(
            user: user, params: params, values: values.merging(["brand": ["name": .string(configuration.name)]]) { own, _ in own })
        var incomplete = ""
        for key in keys {
            for template in [configuration.templates[key], Self.defaults[key]].compactMap({ $0 }) {
                let (text, missing) = scope.text(template, phrases)
                if missing.isEmpty { return text }
                if incomplete.isEmpty { incomplete = text }
            }
        }
        return Self.tidied(incomplete)
    }

    /// An action's name as it stands inside a sentence: "Book a service" → "book a service", "FAQ" stays.
    static func inSentence(_ name: String) -> String {
        let second = name.dropFirst().first
        guard let first = name.first, second.map({ $0.isLowercase || $0 == " " }) ?? false else { return name }
        return first.lowercased() + name.dropFirst()
    }

    /// A field's name for people: `booking_id` → "Booking id".
    static func fieldName(_ name: String) -> String {
        let words = name.replacing("_", with: " ")
        return words.prefix(1).uppercased() + words.dropFirst()
    }

    /// Without the gaps that values left that were not there.
    static func tidied(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.split(separator: " ").joined(separator: " ").replacing(" .", with: ".").replacing(" ,", with: ",").replacing(" ?", with: "?") }
            .joined(separator: "\n")
    }

    static let defaults: [String: String] = [
        "greeting": "Hello! How can I help?",
        "greeting.short": "Hello!",
        "goodbye": "Goodbye, and take care.",
        "gratitude": "You're welcome!",
        "chitchat": "I'm {brand.name}'s assistant, always glad to help.",
        "chitchat.short": "I'm glad to help.",
        "capabilities": "Here is what I can do for you:\n{list}",
        "capabilities.none": "I can pass you on to our team.",
        "help": "I don't know that, I'm afraid, and I would rather not guess.",
        "unknown": "I'm not sure what you mean.",
        "clarify": "I'm not sure what you mean. You could ask me for one of these:\n{list}",
        "not_found": "I can't do that here.",
        "handover": "I'm passing this on to a colleague, who will get back to you here.",
        "stale": "(as of {time})",
        "unsupported.audio": "I can't listen to audio messages yet. Could you type it?",
        "unsupported.voice": "I can't listen to voice messages yet. Could you type it?",
        "unsupported.image": "I can't look at pictures yet. Could you tell me in words?",
        "unsupported.video": "I can't watch videos yet. Could you tell me in words?",
        "unsupported.document": "I can't read documents yet. Could you type what matters?",
        "unsupported.sticker": "Nice sticker! I only understand words, though.",
        "unsupported.location": "I got your location, but I can't use it here yet. Could you type the address if it matters?",
        "unsupported.contacts": "I can't use contact cards yet. Could you type the details?",
        "unsupported.order": "I can't take orders from the catalogue yet. Could you tell me what you would like?",
        "unsupported.unsupported": "I can't read this kind of message yet. Could you type it?",
        "expired": "That button has expired. Could you tell me in words what you would like?",
        "closed_menu": "That menu is from an earlier question and no longer counts, so I haven't done anything new.",
        "cancelled_before": "That was cancelled before, so I haven't done anything.",
        "done_already": "That is done already. I haven't done it a second time.",
        "being_done": "I'm still on it: {display_name}. I'll tell you as soon as there is news.",
        "no_question": "There's no question open right now. What would you like to do?",
        "stopped.question": "All right, I've dropped that. Nothing was sent.",
        "stopped.queued": "All right, I'm stopping that before it goes out.",
        "stopped.sent": "It is already on its way to {brand.name}. I'll tell you what came of it.",
        "stopped.nothing": "There's nothing running that I could stop.",
        "cancelled": "It's taken back: {display_name} was not sent.",
        "declined": "All right, I won't. Nothing was done.",
        "declined.undo": "All right, it stays as it is.",
        "opted_out": "You won't get any more offers from us. I still answer when you write. Send START to get them again.",
        "opted_in": "Welcome back: you'll get our offers again. Send STOP at any time to end that.",
        "button.yes": "Yes", "button.no": "No", "button.change": "Change", "list.open": "Choose",
        "confirm": "{display_name}: {details}. Shall I go ahead?",
        "confirm.bare": "{display_name}: shall I go ahead?",
        "changed": "Changed.",
        "change": "What should I change?",
        "meant": "Did you mean \"{display_name}\"?",
        "not_meant": "All right. What would you like instead?",
        "again": "You already did this a little while ago ({display_name}: {details}). Another one?",
        "again.unknown": "I couldn't confirm yet whether the earlier one went through ({display_name}: {details}). Should I still make another one?",
        "again.bare": "You already did this a little while ago ({display_name}). Another one?",
        "again.unknown.bare":
            "I couldn't confirm yet whether the earlier one went through ({display_name}). Should I still make another one?",
        "again.declined": "All right, no second one.",
        "undo": "Would you like me to undo it ({display_name})?",
        "undo.none": "I can't undo it from here.",
        "undo.late": "It had gone through before I could stop it.",
        "plan.choose": "Those two work against each other. Which one would you like?",
        "next": "Next: {display_name}.",
        "resume": "Back to {display_name}.",
        "collect": "Before I can {display_name}, something is missing.",
        "take_your_time": "Take your time.",
        "required": "I need this to go on.",
        "ask": "What should I note for \"{name}\"?",
        "problem.past": "That time has passed already.",
        "problem.closed": "We're closed then. On {day} we're open {hours}.",
        "problem.closed_all_day": "We're closed on {day}.",
        "problem.nonexistent": "That time doesn't exist on that day, because the clocks change.",
        "problem.choice": "I couldn't find that among the options.",
        "problem.invalid": "I couldn't read that.",
        "problem.ambiguous": "Which one do you mean?",
        "incomplete.time": "At what time on {known}?",
        "incomplete.date": "On which day at {known}?",
        "options.more": "… and {count} more: type the name.",
        "empty": "I can't find anything for that right now ({display_name}), so there is nothing to choose from.",
        "report_progress": "Working on it…",
        "report_progress.step": "{step}…",
        "retrying": "It's taking longer than usual. I'm still on it.",
        "report_completion": "Done: {display_name}.",
        "report_completion.read": "{display_name}:",
        "report_completion.incomplete": "The answer left out some details.",
        "report_error": "I couldn't {display_name} just now, and nothing was changed. A colleague will look at it.",
        "report_unknown": "I could not confirm whether this went through: {display_name}. A colleague will check and tell you. Please don't repeat it.",
        "report_unknown.read": "I could not get an answer to this: {display_name}. Please try again a little later.",
        "refused": "I couldn't {display_name}: {detail}",
        "refused.bare": "I couldn't {display_name}: {brand.name} didn't accept it.",
        "flipped": "Something has changed since you started.",
        "blocked": "I can't {display_name} right now.",
        "blocked.tier": "\"{display_name}\" is only for {tier} customers.",
        "blocked.auth": "\"{display_name}\" needs you to be signed in.",
        "blocked.schema_dependency_failed": "I can't {display_name} yet: your {key} is missing in our records.",
        "blocked.schema_unavailable": "I can't reach our system for that at the moment. Please try again a little later.",
        "blocked.after": "\"{other}\" has to be done first.",
        "blocked.opposite": "\"{other}\" is still running and works against that.",
        "blocked.missing": "I can't {display_name}: your {key} isn't known to us.",
    ]
}
