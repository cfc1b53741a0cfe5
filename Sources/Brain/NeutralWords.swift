/// English words by what they can do to the meaning of a reply.
enum NeutralWords {
    /// They add nothing and take nothing away.
    static let all: Set<String> = words(
        """
        a an the this that these those it its it's that's i i'm i'd me my we we're we'd us our you you're you'd your he she they them their
        there there's here here's what what's which who when where how whose
        is are was were be been being am do does did can could would may let let's
        to of in on at for from with by as into about over up out than then so and or but also too both either any some
        please thanks thank sorry apologies apologize apologise afraid hello hi hey welcome okay ok alright right well
        want like prefer need wish know tell say mean think choose pick select type write reply answer ask give share help suit suits
        just now again maybe perhaps kindly simply only still again able currently present quick quickly
        more few bit little following below above question questions information details detail message
        time day date name number option options choice choices kind sort
        however though although while because best assist
        """)

    /// They ask for leave; in a statement they would say that it was given.
    static let inQuestions: Set<String> = words("shall should go going ahead proceed continue have correct sounds fine happy good")

    /// What a reply may say and its wording may leave out.
    static let optional: Set<String> = inQuestions.union(negations).union(words("all yet still"))

    /// They turn a statement round or leave it open.
    static let negations: Set<String> = words(
        """
        not no nothing never none nobody neither nor cannot unable without whether if unless hardly
        can't couldn't won't wouldn't don't doesn't didn't isn't aren't wasn't weren't haven't hasn't hadn't shouldn't mustn't ain't
        cant couldnt wont wouldnt dont doesnt didnt isnt arent wasnt werent havent hasnt
        """)

    /// What may be added where the reply reports that something is done.
    static let done: Set<String> = words("done all set completed complete finished successfully has have good news glad happy you've it's")

    /// Words that say an outcome and do not look like it.
    static let outcomes: Set<String> = words("done set complete sent paid made taken gone went through given got put sold bought confirmed")

    /// "which one", "another one": no number.
    static func pointsAt(_ previous: String?) -> Bool {
        ["which", "this", "that", "another", "the", "each", "any", "no", "what"].contains(previous ?? "")
    }

    private static func words(_ text: String) -> Set<String> { Set(text.split(whereSeparator: \.isWhitespace).map(String.init)) }
}
