import Brain
import Conversation
import Testing

@Suite struct MessageTests {
    private func intent(_ type: IntentType, _ text: String, _ sequence: Int = 1, signal: String? = nil) -> DetectedIntent {
        DetectedIntent(type: type, confidence: 0.9, signal: signal, text: text, sequence: sequence, source: .pattern)
    }

    @Test(arguments: Media.Kind.allCases)
    func mediaGetsOneHonestAnswer(_ kind: Media.Kind) {
        var talk = Talk()
        talk.run(.message(Talk.message(.media(Media(kind: kind)))))
        #expect(talk.replies.count == 1)
        #expect(!talk.text.isEmpty)
        #expect(talk.decisions.isEmpty)
    }

    @Test func voiceIsNotPretendedToBeHeard() {
        var talk = Talk()
        talk.run(.message(Talk.message(.media(Media(kind: .voice)))))
        #expect(talk.text == "I can't listen to voice messages yet. Could you type it?")
    }

    @Test func unreadableKindsAreAnsweredAndTheOpenQuestionIsRepeated() {
        for content in [
            Content.location(Location(latitude: 1, longitude: 2)), .contacts([]), .order([:]), .unsupported(kind: "poll", raw: "{}"),
        ] {
            var talk = Talk()
            talk.say("book a haircut", action: "book_service")
            talk.run(.message(Talk.message(content)))
            #expect(talk.text.hasSuffix("When would you like to come?"))
            #expect(talk.state.answerSheet?.context == "book_service.start")
        }
    }

    @Test func reactionsAndNoticesGetNoReply() {
        for content in [Content.reaction(Reaction(messageID: "m", emoji: "👍")), .system(SystemNotice(type: "user_changed_number"))] {
            var talk = Talk.atConfirmation()
            let before = talk.state
            talk.run(.message(Talk.message(content)))
            #expect(talk.replies.isEmpty)
            #expect(talk.state.answerSheet == before.answerSheet)
            #expect(talk.state.turn == before.turn)
        }
    }

    @Test func aCaptionIsUnderstoodAsText() {
        var talk = Talk()
        let media = Media(kind: .image, caption: "book a haircut")
        talk.run(
            .message(Talk.message(.media(media))),
            [DetectedIntent(type: .action, candidates: ["book_service"], confidence: 0.9, text: "book a haircut", source: .classifier)])
        #expect(talk.text == "When would you like to come?")
    }

    @Test func greetingsAreAnswered() {
        var talk = Talk()
        talk.say("hi", intent(.greeting, "hi"))
        #expect(talk.text == "Hello! How can I help?")
        #expect(talk.state.context.userState == .new)
        #expect(talk.state.turn == 1)
    }

    @Test func thanksAndAWishAreOneReply() {
        var talk = Talk()
        talk.say(
            "thanks, book a haircut", intent(.gratitude, "thanks"),
            DetectedIntent(
                type: .action, candidates: ["book_service"], confidence: 0.9, text: "book a haircut", sequence: 2, source: .classifier))
        #expect(talk.replies.count == 1)
        #expect(talk.text == "You're welcome! When would you like to come?")
    }

    @Test func aGreetingBesideAWishAsksNothingOfItsOwn() {
        var talk = Talk()
        talk.say(
            "hi, book a haircut", intent(.greeting, "hi"),
            DetectedIntent(
                type: .action, candidates: ["book_service"], confidence: 0.9, text: "book a haircut", sequence: 2, source: .classifier))
        #expect(talk.text == "Hello! When would you like to come?")
    }

    @Test func aGreetingInTheMiddleKeepsTheQuestion() {
        var talk = Talk.atConfirmation()
        talk.say("hello again", intent(.greeting, "hello again"))
        #expect(talk.text.hasPrefix("Hello! Book Haircut for $45"))
        #expect(talk.options == ["Yes", "No", "Change"])
    }

    @Test func whatCanYouDoListsThePopularActions() {
        var talk = Talk()
        talk.say("what can you do?", intent(.help, "what can you do?"))
        #expect(talk.text == "Here is what I can do for you:\n• Book a service\n• List my bookings\n• Cancel a booking")
    }

    @Test func helpNobodyKnowsIsAdmitted() {
        var talk = Talk()
        talk.say("do you validate parking?", intent(.help, "do you validate parking?"))
        #expect(talk.text.hasPrefix("I don't know that, I'm afraid"))
        #expect(talk.text.contains("• Book a service"))
    }

    @Test func aQuestionThatOnlyMentionsHelpIsNotTheMenu() {
        var talk = Talk()
        talk.say("can you help me find parking?", intent(.help, "can you help me find parking?"))
        #expect(talk.text.hasPrefix("I don't know that, I'm afraid"))
        talk.say("HELP!", intent(.help, "HELP!"))
        #expect(talk.text.hasPrefix("Here is what I can do for you:"))
    }

    @Test func askingForAPersonHandsOver() {
        var talk = Talk.atConfirmation()
        talk.say("let me talk to a human", intent(.help, "let me talk to a human", signal: "human"))
        #expect(talk.handovers.map(\.trigger) == [.userRequest])
        #expect(talk.text.contains("colleague"))
        #expect(!talk.state.expectingResponse)
    }

    @Test func theThirdUnknownInARowIsForAPerson() {
        var talk = Talk()
        talk.mumble("florp")
        #expect(talk.text.hasPrefix("I'm not sure what you mean."))
        talk.mumble("florp")
        #expect(talk.handovers.isEmpty)
        talk.mumble("florp")
        #expect(talk.handovers.map(\.trigger) == [.unknownIntent])
    }

    @Test func anythingUnderstoodBreaksTheRow() {
        var talk = Talk()
        talk.mumble("florp")
        talk.mumble("florp")
        talk.say("hi", intent(.greeting, "hi"))
        talk.mumble("florp")
        #expect(talk.handovers.isEmpty)
    }

    @Test func clarificationOnlyWhenNothingElseWasUnderstood() {
        var talk = Talk()
        talk.say("florp. thanks", intent(.unknown, "florp", 1), intent(.gratitude, "thanks", 2))
        #expect(talk.text == "You're welcome!")
    }

    @Test func halfUnderstoodWordsMayStillAnswerTheQuestion() {
        var talk = Talk()
        talk.say("book a haircut", action: "book_service")
        talk.say("thanks. tuesday at 5", intent(.gratitude, "thanks", 1), intent(.unknown, "tuesday at 5", 2))
        #expect(talk.text.hasPrefix("You're welcome! Book Haircut for $45"))
    }

    @Test func anUnknownButtonIsReadAsItsTitleWhenItHasWords() {
        var talk = Talk()
        talk.press(
            id: "payload", "book a haircut",
            DetectedIntent(type: .action, candidates: ["book_service"], confidence: 0.9, text: "book a haircut", source: .classifier))
        #expect(talk.text == "When would you like to come?")
    }

    @Test func anUnknownButtonWithoutWordsHasExpired() {
        var talk = Talk.atConfirmation()
        talk.press(id: "00000000-0000-7000-8000-000000000000", nil)
        #expect(talk.text.hasPrefix("That button has expired."))
        #expect(talk.text.contains("Book Haircut"))
        #expect(talk.decisions.isEmpty)
    }

    @Test func aYesOnAButtonThatTheBrandSentIsNoneToOurQuestion() {
        var talk = Talk.atConfirmation()
        talk.press(
            id: "newsletter", "Yes", DetectedIntent(type: .response, confidence: 1, signal: "yes", text: "Yes", source: .answerSheet))
        #expect(talk.decisions.isEmpty)
        #expect(talk.text.contains("Book Haircut"))
    }

    @Test func anOldMenuOfTheSameTaskCorrectsIt() throws {
        var talk = Talk()
        talk.say("I need an appointment", action: "book_service")
        let massage = try #require(talk.state.offeredReplies.first { $0.title == "Massage" })
        talk.press("Haircut")
        talk.reply("tuesday at 5", "value")
        #expect(talk.text.hasPrefix("Book Haircut"))
        talk.press(id: massage.id, "Massage")
        #expect(talk.text.hasPrefix("Book Massage for $80 on Tue, Nov 24 at 5:00 PM?"))
        #expect(talk.decisions.isEmpty)
    }

    @Test func aYesToAnOlderWordingIsAskedAgain() throws {
        var talk = Talk.atConfirmation()
        let yes = try #require(talk.state.offeredReplies.first { $0.title == "Yes" })
        talk.reply("make it 6pm", "correct")
        #expect(talk.text.contains("6:00 PM?"))
        // The same question about other values is another question.
        talk.press(id: yes.id, "Yes")
        #expect(talk.decisions.isEmpty)
        #expect(talk.text.contains("6:00 PM?"))
    }

    @Test func aPressOfACancelledMenuDoesNothing() {
        var talk = Talk.atConfirmation()
        talk.press("No")
        talk.press("Yes")
        #expect(talk.decisions.isEmpty)
        #expect(talk.text.contains("cancelled before"))
    }

    @Test func aPressOfALongForgottenMenuDoesNothing() {
        var talk = Talk.executing()
        talk.finish(.done(complete: true), result: ["booking_id": 42])
        let yes = talk.state.offeredReplies.last { $0.title == "Yes" }
        talk.say("lock my card", action: "lock_card")
        talk.finish(.done(complete: true))
        talk.press(id: yes?.id ?? "", "Yes")
        #expect(talk.decisions.isEmpty)
        #expect(talk.text.contains("no longer counts"))
    }

    @Test func emptyWordsAreAnsweredPolitely() {
        var talk = Talk()
        talk.say("   ")
        #expect(talk.replies.count == 1)
    }

    @Test func brandTemplatesOverrideOurs() {
        var talk = Talk()
        talk.configuration.templates = ["greeting": "Welcome to {brand.name}, {user.name}!"]
        talk.say("hi", intent(.greeting, "hi"))
        #expect(talk.text == "Welcome to Blue Door Salon, Customer!")
    }

    @Test func aBrandTemplateThatLacksItsValuesFallsBackToOurs() {
        var talk = Talk()
        talk.configuration.templates = ["greeting": "Welcome, {user.email}!"]
        talk.say("hi", intent(.greeting, "hi"))
        #expect(talk.text == "Hello! How can I help?")
    }
}
