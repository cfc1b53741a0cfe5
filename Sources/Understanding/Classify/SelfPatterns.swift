internal import Conversation
internal import Text

/// Set phrases of conversation that need no learning. Matched against the words of a clause without signs.
struct SelfPatterns: Sendable {
    struct Meaning: Sendable {
        var type: IntentType
        var signal: String?
        var confidence: Double
    }

    static let shared = SelfPatterns()

    private let set: PatternSet
    private let meanings: [Meaning]

    private init() {
        let person =
            "(?:human|person|agent|representative|rep|someone|somebody|manager|staff|staff member|operator|advisor|adviser|"
            + "employee|real person|real human|live agent|live person|customer service|customer support|support team|"
            + "supervisor|colleague|people)"
        let table: [(String, Meaning)] = [
            (
                "^(?:good ?bye|bye(?: bye)?|bye for now|cya|c ya|see (?:you|ya|u)(?: (?:later|soon|then|tomorrow|next week|"
                    + "there|around|on \\w+))?|take care|ttyl|talk (?:to you )?(?:later|soon)|farewell|cheerio|so long|later|"
                    + "have a (?:nice|good|great|lovely) (?:day|one|evening|weekend|night|time)|good night|that(?:s| is| was) (?:all|"
                    + "it|everything)(?: for (?:now|today))?(?: thanks| thank you)?|adios|au revoir|auf wiedersehen|tschuss|tchau|"
                    + "arrivederci|hasta luego)$",
                Meaning(type: .goodbye, confidence: 0.97)
            ),
            (
                "^(?:ok |okay |great |perfect |wow |cool |awesome )?(?:many |thousand )?(?:thanks|thank you|thank u|thx|ty|"
                    + "cheers)(?: (?:so|very) much| a lot| a bunch| a million| again)?(?: for .{1,80})?$",
                Meaning(type: .gratitude, confidence: 0.96)
            ),
            (
                "^(?:hi|hello|hey|hiya|good (?:morning|afternoon|evening|day))(?: (?:there|all|team|everyone|everybody|folks|"
                    + "guys|again|bot|friend|dear))+$",
                Meaning(type: .greeting, confidence: 0.97)
            ),
            (
                "^(?:hi |hello |hey )?(?:how are (?:you|u|things)|hows it going|how is it going|how do you do|whats up|wassup|"
                    + "sup|what is up|how have you been)(?: doing)?(?: today)?$",
                Meaning(type: .chitchat, confidence: 0.96)
            ),
            (
                "^(?:are you (?:a |an )?(?:real|robot|bot|human|person|machine|ai|alive)(?: person| human)?|who are you|"
                    + "what are you|what(?:s| is) your name|tell me a joke|l+o+l+|(?:ha)+h?|rofl|lmao)$",
                Meaning(type: .chitchat, confidence: 0.96)
            ),
            (
                "^(?:help|help me|help please|please help(?: me)?|i need help|can you help(?: me)?|what can (?:you|"
                    + "i) do(?: here| for me)?|how can you help(?: me)?|what (?:else )?can you help (?:me )?with|what do you do|menu|"
                    + "options|main menu|show me the menu|what are my options|how does this work|info|faq)$",
                Meaning(type: .help, confidence: 0.97)
            ),
            (
                "\\b(?:talk|speak|chat|connect(?: me)?|transfer(?: me)?|put me through|get me|reach|contact|escalate)(?: (?:to|"
                    + "with))?(?: (?:a|an|the|your|some|one of your|another))*(?: (?:real|live|actual|human|other))* \(person)\\b",
                Meaning(type: .help, signal: "human", confidence: 0.95)
            ),
            (
                "^(?:a |an |real |live |human |give me a |i want a |i need a )*(?:human|real person|agent|live agent|"
                    + "representative|operator|customer service|customer support)(?: please| now)*$",
                Meaning(type: .help, signal: "human", confidence: 0.95)
            ),
            ("\\b(?:call me back|callback|ring me back)\\b", Meaning(type: .help, signal: "human", confidence: 0.88)),
        ]
        meanings = table.map(\.1)
        do {
            set = try PatternSet(table.map(\.0))
        } catch {
            preconditionFailure("\(error)")
        }
    }

    func meaning(of words: [String]) -> Meaning? {
        if Answers.greetings.contains(words) { return Meaning(type: .greeting, confidence: 0.98) }
        if Answers.gratitude.contains(words) { return Meaning(type: .gratitude, confidence: 0.98) }
        if Answers.stop.contains(words) { return Meaning(type: .response, signal: "stop", confidence: 0.97) }
        let found = set.matches(words.joined(separator: " ")).map { meanings[$0] }
        return found.max { $0.confidence < $1.confidence }
    }
}
