package import Conversation

/// Holds what a model worded against the reply it was to word. Strict on purpose, and for English: what is not plainly the same is refused,
/// and then the reply is said in its own words.
///
/// The same numbers, prices, times, days, months, addresses and names, in the same order; the same list lines; as many negations, and
/// before the same words; questions stay questions; no word beyond those of the reply and a list of harmless ones, so no outcome,
/// promise or fact can be added; and that something was done is said only when the reply reports just that.
package struct NarrativeCheck: Sendable {
    private let template: String
    private let reply: ReplyText
    private let narrative: Narrative
    /// Words of the brand's and the customer's name.
    private let names: Set<String>
    private let nameOrder: [String]
    private let mayReportDone: Bool

    /// `names` are those that a wording may add: the brand's and the customer's.
    package init(template: String, narrative: Narrative, names: [String]) {
        self.template = template
        self.narrative = narrative
        reply = ReplyText(template)
        self.names = Set(names.flatMap { ReplyText($0).words.map(\.text) })
        nameOrder = ReplyText.unique(reply.words.filter(\.isName).map(\.text))
        mayReportDone = narrative.instruction == .reportCompletion && reply.reportsDone
    }

    /// Whether there is something to reword at all.
    package var isWorthWording: Bool { reply.words.count >= 4 }

    /// What is wrong with a wording; nil when it says the same. Never contains the text.
    package func problem(in text: String) -> String? {
        guard text.contains(where: { !$0.isWhitespace }) else { return "empty" }
        guard text.count <= Self.longest(template) else { return "too long" }
        guard !text.contains(where: isForeign) else { return "a sign that the reply does not have" }
        let worded = ReplyText(text)
        return listProblem(worded) ?? factProblem(worded) ?? questionProblem(worded) ?? wordProblem(worded) ?? lossProblem(worded)
            ?? negationProblem(worded)
            ?? doneProblem(worded)
    }

    /// Room for politeness, none for a story; never more than the smallest text limit of a message with buttons allows.
    static func longest(_ template: String) -> Int { max(template.count, min(1_000, template.count * 3 / 2 + 80)) }

    private func isForeign(_ character: Character) -> Bool {
        let isPlain =
            character.isLetter || character.isNumber
            || " \n.,;:!?'\"()-\u{2019}\u{2018}\u{201C}\u{201D}\u{2013}\u{2014}".contains(character)
        return !isPlain && !template.contains(character)
    }

    private func listProblem(_ worded: ReplyText) -> String? { worded.listed == reply.listed ? nil : "other list lines" }

    /// Nothing added, nothing left out, nothing in another order.
    private func factProblem(_ worded: ReplyText) -> String? {
        for kind in ReplyText.FactKind.allCases where worded.facts(kind) != reply.facts(kind) { return "other facts: \(kind.rawValue)" }
        let order = ReplyText.unique(worded.words.map(\.text).filter { nameOrder.contains($0) })
        return order == nameOrder ? pairProblem(worded) : "other names"
    }

    /// Where a reply holds several facts of a kind, what they are said of keeps its order too: two prices must not change their services.
    private func pairProblem(_ worded: ReplyText) -> String? {
        guard ReplyText.FactKind.allCases.contains(where: { Set(reply.facts($0)).count > 1 }) else { return nil }
        func told(_ text: ReplyText) -> [String] {
            ReplyText.unique(text.words.filter { $0.kind == nil && isTelling($0) }.map(\.stem))
        }
        let (own, expected) = (told(worded), told(reply))
        return own.filter(Set(expected).contains) == expected.filter(Set(own).contains) ? nil : "facts beside other words"
    }

    private func questionProblem(_ worded: ReplyText) -> String? {
        let (own, asked) = (worded.questions.count { $0 }, reply.questions.count { $0 })
        guard own <= asked, own > 0 || asked == 0 else { return "other questions" }
        // What was only asked about is not stated.
        let stated = Set(reply.words.filter { !reply.questions[$0.sentence] }.map(\.text))
        let asking = Set(reply.words.filter { reply.questions[$0.sentence] && isTelling($0) }.map(\.text)).subtracting(stated)
        return worded.words.contains { asking.contains($0.text) && !worded.questions[$0.sentence] } ? "a question became a statement" : nil
    }

    private func isTelling(_ word: ReplyText.Word) -> Bool {
        word.kind != nil || nameOrder.contains(word.text) || !NeutralWords.all.contains(word.text)
    }

    private func wordProblem(_ worded: ReplyText) -> String? {
        let known = Set(reply.words.map(\.text))
        let stems = Set(reply.words.filter { !NeutralWords.all.contains($0.text) }.map(\.stem))
        for (index, word) in worded.words.enumerated() where word.kind == nil && !known.contains(word.text) && !names.contains(word.text) {
            if NeutralWords.all.contains(word.text) || NeutralWords.negations.contains(word.text) { continue }
            if worded.questions[word.sentence], NeutralWords.inQuestions.contains(word.text) { continue }
            if word.text == "one", NeutralWords.pointsAt(worded.words[..<index].last?.text) { continue }
            if mayReportDone, NeutralWords.done.contains(word.text) { continue }
            // Another form of a word of the reply, unless it says that something is done and the reply does not.
            if stems.contains(word.stem), mayReportDone || !word.text.hasSuffix("ed") { continue }
            return "a word that the reply does not have"
        }
        return promiseProblem(worded)
    }

    /// Whatever tells something is kept, in one form or another; only a report of success may be put in other words.
    private func lossProblem(_ worded: ReplyText) -> String? {
        guard !mayReportDone else { return nil }
        let needed = Set(reply.words.filter { $0.kind == nil && isTelling($0) && !NeutralWords.optional.contains($0.text) }.map(\.stem))
        return needed.isSubset(of: Set(worded.words.map(\.stem))) ? nil : "something was left out"
    }

    /// Who will do something stays who it is.
    private func promiseProblem(_ worded: ReplyText) -> String? {
        func promisers(_ text: ReplyText) -> Set<String> {
            Set(text.words.indices.dropFirst().filter { text.words[$0].text == "will" }.map { text.words[$0 - 1].stem })
        }
        return promisers(worded).isSubset(of: promisers(reply)) ? nil : "another promise"
    }

    private func negationProblem(_ worded: ReplyText) -> String? {
        guard worded.negations == reply.negations else { return "more or fewer negations" }
        let was = reply.polarity
        let now = worded.polarity
        for (stem, states) in now {
            if let before = was[stem], !states.isSubset(of: before) { return "a negation before other words" }
        }
        for target in reply.negatedTargets where now[target]?.contains(true) != true { return "a negation was lost" }
        return nil
    }

    /// A report of something done still says so, and nothing else does.
    private func doneProblem(_ worded: ReplyText) -> String? {
        if mayReportDone { return worded.reportsDone ? nil : "the outcome is missing" }
        return nil
    }
}

extension ReplyText {
    private func isNegated(_ index: Int) -> Bool {
        let word = words[index]
        return words[max(0, index - 6)..<index].contains { other in
            other.sentence == word.sentence && other.clause == word.clause && NeutralWords.negations.contains(other.text)
        }
    }

    var negations: Int { words.count { NeutralWords.negations.contains($0.text) } }

    /// For each telling word whether it stands negated, plain, or both.
    var polarity: [String: Set<Bool>] {
        var found: [String: Set<Bool>] = [:]
        for index in words.indices where isContent(index) { found[words[index].stem, default: []].insert(isNegated(index)) }
        return found
    }

    /// The first telling word after each negation.
    var negatedTargets: Set<String> {
        var targets: Set<String> = []
        for index in words.indices where NeutralWords.negations.contains(words[index].text) {
            let own = words[index]
            let next = words.indices.first {
                $0 > index && isContent($0) && words[$0].sentence == own.sentence && words[$0].clause == own.clause
            }
            if let next { targets.insert(words[next].stem) }
        }
        return targets
    }

    private func isContent(_ index: Int) -> Bool {
        let word = words[index]
        return word.kind == nil && !NeutralWords.all.contains(word.text) && !NeutralWords.negations.contains(word.text)
    }

    /// Whether something is said to have happened, and not in the negative.
    var reportsDone: Bool {
        words.indices.contains { index in
            let text = words[index].text
            return NeutralWords.outcomes.contains(text) || text.count > 4 && text.hasSuffix("ed") && !NeutralWords.all.contains(text)
                ? !isNegated(index) : false
        }
    }
}
