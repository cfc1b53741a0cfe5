/// Whole phrases with one meaning, compared word by word without case, accents and apostrophes.
struct Phrases: Sendable {
    private let known: Set<String>
    private let longest: Int

    init(_ text: String) {
        let phrases = text.split(separator: "\n").flatMap { $0.split(separator: "|") }
            .map { $0.split(whereSeparator: \.isWhitespace).map { Words.bare(String($0)) }.joined(separator: " ") }
            .filter { !$0.isEmpty }
        known = Set(phrases)
        longest = phrases.map { $0.split(separator: " ").count }.max() ?? 0
    }

    /// How many words from `index` on form the longest known phrase; 0 when none does.
    func length(in words: [String], at index: Int) -> Int {
        var length = min(longest, words.count - index)
        while length > 0 {
            if known.contains(words[index..<index + length].joined(separator: " ")) { return length }
            length -= 1
        }
        return 0
    }

    func contains(_ words: [String]) -> Bool { !words.isEmpty && length(in: words, at: 0) == words.count }
}

/// Agreement, refusal and stop in single words and short phrases, English first.
enum Answers {
    static let yes = Phrases(
        """
        yes|y|yeah|yep|yup|ya|yea|yess|yass|aye|sure|sure thing|ok|okay|k|kk|okey|okie|alright|all right|correct|right|confirm
        confirmed|i confirm
        absolutely|definitely|certainly|of course|go ahead|go for it|do it|do that|please do|sounds good|sounds great|sounds perfect
        perfect|great
        that's right|that's correct|thats right|thats fine|that's fine|that works|works for me|looks good|looks right|all good|fine
        fine by me
        agreed|agree|i agree|affirmative|why not|book it|i do|indeed|exactly|good|lovely|no problem|no worries|by all means|true
        totally|perfecto
        yes i am|yes i do|i would|i'd love to|let's do it|lets do it|let's do that|make it so|cool|it is|that is correct|👍|✅|👌|✔|☑|🆗|💯
        si|sí|claro|vale|sim|oui|d'accord|ja|jawohl|klar|genau|va bene|tak|evet|da|hai|igen|ano|da dao|naam|はい|是|好|да|نعم|हाँ
        """)
    static let no = Phrases(
        """
        no|n|nope|nah|na|naw|nay|no way|never|not really|not now|not yet|not today|don't|do not|don't do it|don't do that|please don't
        i don't|i do not|rather not|i'd rather not|negative|no need|wrong|incorrect|that's wrong|thats wrong|that's not right
        that is wrong|not correct
        not right|not that|none|no no|absolutely not|definitely not|of course not|certainly not|no it's not|no it isn't|it's wrong
        not quite
        no i don't|no i do not|no that's wrong|i changed my mind|changed my mind|no deal|not interested|👎|❌|🚫|✖
        não|nao|non|nein|nee|nie|hayır|hayir|ne|nu|nem|いいえ|不|不是|нет|لا|नहीं
        """)
    /// Words that go along with either and change nothing.
    static let padding = Phrases(
        """
        please|pls|plz|thanks|thank you|thx|thank u|then|that's|that is|it|it's|it is|i|we|so|for me|to me|well|oh|uh|um|hmm|ah|hey
        really|very much
        just|let's|that|this|is|at all|do|the|thing|mate|dear|sir|now|with that|one|and|🙏|🙂|😊|😀|😄
        """)
    static let stop = Phrases(
        """
        stop|stop it|stop that|please stop|stop please|cancel|cancel that|cancel this|cancel it|abort|quit|exit|end|halt|never mind
        nevermind|nvm|forget it
        forget that|forget about it|scratch that|leave it|drop it|stop everything|cancel everything|unsubscribe|stopall|start over
        stop now
        i want to stop|let's stop|enough|don't bother|no more|cancel please|please cancel|stop this|quit it
        para|parar|alto|arret|arrêt|arrete|arrête|arreter|arrêter|stopp|basta|cancelar|cancela|annuler|abbrechen|annulla|ferma|sluta
        detener|baja
        """)
    static let skip = Phrases(
        """
        skip|skip it|skip this|pass|none|nothing|n a|no preference|i don't have one|i don't have any|don't have one|no idea
        not sure|i don't know|dont know|idk|any
        """)
    static let greetings = Phrases(
        """
        hi|hello|hey|hiya|howdy|yo|hi there|hello there|hey there|hi all|hi team|hello team|good morning|good afternoon|good evening
        good day|greetings|morning all
        hi again|hello again|heya|hallo|hola|bonjour|buongiorno|ciao|ola|olá|salut|guten tag|guten morgen|moin|namaste|salam|merhaba
        buenos dias|buenas tardes|bom dia|👋
        """)
    static let gratitude = Phrases(
        """
        thanks|thank you|thank u|thx|thnx|ty|tysm|cheers|many thanks|thanks a lot|thanks so much|thank you so much|thank you very much
        thanks very much|thanks a bunch
        much appreciated|appreciate it|i appreciate it|thanks again|thank you again|great thanks|perfect thanks|ok thanks|okay thanks
        ok thank you|thanks for your help|thank you for your help
        thanks for the help|gracias|muchas gracias|merci|merci beaucoup|danke|danke schön|vielen dank|obrigado|obrigada|grazie|bedankt
        tack|dziękuję|teşekkürler|🙏|❤|💖
        """)

    enum Verdict: Sendable { case yes, no }

    /// Yes or no when that is all that was said.
    static func verdict(_ words: [String]) -> Verdict? {
        guard !words.isEmpty, words.count <= 14 else { return nil }
        var index = 0
        var (agreed, refused) = (false, false)
        while index < words.count {
            let (yes, no, padding) = (
                yes.length(in: words, at: index), no.length(in: words, at: index), padding.length(in: words, at: index)
            )
            let best = max(yes, no, padding)
            guard best > 0 else { return nil }
            // At equal length meaning goes before padding.
            if no == best { refused = true } else if yes == best { agreed = true }
            index += best
        }
        // "no, that's right" says that all is well only to a person who hears the tone.
        if agreed && refused { return nil }
        return agreed ? .yes : refused ? .no : nil
    }

    /// Words without signs, in the form of the phrases; emoji count as words.
    static func words(_ tokens: Tokens, _ range: Range<Int>? = nil) -> [String] {
        (range ?? 0..<tokens.count).compactMap { index in
            guard let token = tokens[index] else { return nil }
            if token.kind != .symbol { return Words.bare(token.text) }
            return token.text.utf8.first.map { $0 >= 128 } == true && token.text != "…" ? token.text : nil
        }
    }
}
