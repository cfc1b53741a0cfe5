internal import Conversation

/// What every brand's customers say besides wanting an action.
enum BuiltInExamples {
    static let greeting = lines(
        """
        hi|hello there|hey you|good morning to you|hi, anyone there?|hello, is somebody here|hey good to see you|hi I'm new here
        hello everyone|hey hey
        """)
    static let goodbye = lines(
        """
        bye|goodbye|see you later|see you tomorrow then|talk to you soon|have a nice day|have a great weekend|take care
        that's all for today|that was all
        I have to go now|good night|bye for now|catch you later|I'm done, bye|nothing else, thanks, bye
        """)
    static let gratitude = lines(
        """
        thanks|thank you so much|that was really helpful|you've been a great help|I really appreciate that|thanks for sorting it out
        brilliant, thank you
        you're the best|thanks for the quick reply|great service thanks|awesome, thanks a million|very kind of you
        """)
    static let chitchat = lines(
        """
        how are you|how's it going|what's up|are you a robot|are you human|are you real|what's your name|who are you|who made you
        tell me a joke
        how old are you|do you like me|lol|haha that's funny|you are funny|I'm bored|nice to meet you|are you there|I love you
        you're annoying
        what a lovely day|how was your day|do you sleep|are you smart|you are stupid|I'm feeling sad today|I am happy|that's cool|wow
        interesting
        """)
    static let help = lines(
        """
        help|can you help me|what can you do|what can I do here|how does this work|what are my options|I need some help|I don't understand
        what are your opening hours|when are you open|are you open on sundays|what time do you close|until when are you open today
        where are you located|what is your address|how do I get there|is there parking nearby|which floor are you on
        how much does it cost|how much is it|how much is one of those|what do you charge for that|what does it cost
        what are your prices|do you have a price list|how expensive is it|is there a discount for students
        do you accept credit cards|can I pay by card|which payment methods do you take|do you take cash|do you sell gift cards
        what is your cancellation policy|do you offer refunds|what happens if I am late|how long does it take|do I need to bring anything
        what are the requirements|is it safe|do you have wifi|are dogs allowed|is it wheelchair accessible|can I bring my children
        how can I reach you|what's your phone number|do you have a website|who is the owner|what products do you use|tell me more about it
        what is included|how does it work exactly|what do you recommend|can you explain that|why do you need my number|what should I do
        I have a question
        """)
    static let human = lines(
        """
        I want to talk to a human|let me speak to a person|can I speak with an agent|connect me to customer service
        get me a real person|I need a representative
        transfer me to someone|put me through to your manager|I'd like to talk to somebody|is there a human I can chat with
        stop the bot, give me a person
        call me back please|can somebody call me|I want to complain to a manager|live agent please|talk to support staff
        """)
    /// Things that are no business of a brand's assistant; what is like them fits nothing.
    static let outside = lines(
        """
        what is the capital of france|who won the world cup|how tall is mount everest|what's the square root of nine
        translate this into spanish
        write me a poem about the sea|how do I bake bread|give me a recipe for pancakes|who is the president|when was the war
        what is the meaning of life
        is it going to rain this afternoon|how cold is it outside|what is the weather like|play some jazz music
        turn off the lights in the kitchen
        set a timer for ten minutes|wake me up early|remind me to water the plants|what's on the news|stock market today
        convert miles to kilometres
        my cat is sleeping on the sofa|the train was late again|I watched a movie yesterday|football was exciting|I like turtles
        bananas are yellow
        solve this equation for me|debug my python script|what is quantum physics|explain black holes|how many planets are there
        define photosynthesis
        the quick brown fox|lorem ipsum dolor sit amet|asdf qwer zxcv|blah blah blah|foo bar baz|xyzzy plugh|random words without sense
        order me a taxi to the airport|what movies are playing|recommend a good book to read|how far is the moon|who painted this picture
        turn up the volume|dim the lamp|start the vacuum cleaner|post this on my wall|read my emails|delete that song from the playlist
        what did the senate vote on|is the traffic bad on the highway|find the nearest gas station|how do you spell necessary
        what day is easter
        my grandmother lives in the mountains|the soup needs more salt|she bought a red bicycle|he forgot his umbrella|it smells like rain
        I am allergic to peanuts|my knee hurts when I run|the printer is out of paper|which language is spoken in brazil
        how long do elephants live
        """)

    /// Openings that people put before what they want; an example learns to be recognised with any of them.
    static let openings = ["I want to", "I'd like to", "can you", "could I please", "please", "I need to", "hi, can I"]

    private static func lines(_ text: String) -> [String] {
        text.split(separator: "\n").flatMap { $0.split(separator: "|") }.map(String.init)
    }
}
