import Conversation
import JSON

/// What a person at the terminal sees of a conversation, and what their lines mean in it. Decides only; prints and sends nothing.
struct ChatTranscript: Sendable {
    /// What a line asks the gateway to take.
    enum Line: Sendable, Equatable {
        case text(String)
        case reply(id: String)
    }

    /// Ids of the messages seen; none of them is shown again. Ids are no order here: a reply may leave after a message that came later.
    private var seen: Set<String> = []
    /// Whether there was any message yet.
    var isEmpty: Bool { seen.isEmpty }
    /// Of the last question, in the order of their numbers.
    private(set) var options: [String] = []
    /// A call that was announced and has not ended yet.
    private(set) var isWorking = false
    /// Replies seen so far.
    private(set) var replies = 0

    /// A number answers with the option of that number, anything else with its words.
    func meaning(of line: String) -> Line {
        guard let number = Int(line), options.indices.contains(number - 1) else { return .text(line) }
        return .reply(id: options[number - 1])
    }

    /// Takes one event; what to print, if anything.
    mutating func take(type: String, data: JSONValue) -> [String] {
        switch type {
        case "message": return take(message: data)
        case "update":
            follow(data["update_type"]?.string ?? "")
            return []
        case "handover": return ["(a person takes over)"]
        // Others tell a page what to draw.
        default: return []
        }
    }

    /// A message of the stream or of the history; nothing when it was shown before.
    mutating func take(message: JSONValue) -> [String] {
        guard let id = message["id"]?.string, seen.insert(id).inserted else { return [] }
        guard message["direction"]?.string != "in" else { return [] }
        replies += 1
        let content = message["content"] ?? .null
        let choices = content["options"]?.array ?? []
        options = choices.compactMap { $0["id"]?.string }
        let lines = choices.enumerated().map { index, option in "  \(index + 1). \(Self.printable(option["title"]?.string ?? ""))" }
        return ["< " + Self.printable(content["text"]?.string ?? "(\(content["type"]?.string ?? "a message"))")] + lines
    }

    private mutating func follow(_ update: String) {
        switch StreamingUpdate.Kind(rawValue: update) {
        case .actionQueued, .actionExecuting, .actionProgress: isWorking = true
        case .actionCompleted, .actionFailed, .actionBlocked: isWorking = false
        case .actionLookup, .actionNotFound, .intentLogged, .fetchingSchemas, .schemasFetched, .checkingEligibility, .eligibilityChecked,
            .collectingParams, nil:
            break
        }
    }

    /// Without control characters: what others write must not move the cursor or set the title of a terminal.
    static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.filter { $0 == "\n" || $0 == "\t" || $0.properties.generalCategory != .control }))
    }
}
