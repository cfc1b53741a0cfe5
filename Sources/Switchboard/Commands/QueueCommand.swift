import ArgumentParser

/// The queue as an operator handles it.
struct QueueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue", abstract: "Brands whose work is taken or held back: list, pause, resume.",
        discussion: """
            While a brand is paused nothing new of it is taken, on any node and across restarts. What was begun is finished, and what comes \
            in is stored and acknowledged as ever.
            """,
        subcommands: [List.self, Pause.self, Resume.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "All brands, or the one given.")
        @OptionGroup var desk: DeskOptions
        func run() async throws { try await desk.ask("GET", "/queue") }
    }

    struct Pause: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Takes no new work of the brand that --brand names.")
        @OptionGroup var desk: DeskOptions
        func validate() throws { try desk.requireBrand() }
        func run() async throws { try await desk.ask("POST", "/queue/pause") }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Takes the work again of the brand that --brand names.")
        @OptionGroup var desk: DeskOptions
        func validate() throws { try desk.requireBrand() }
        func run() async throws { try await desk.ask("POST", "/queue/resume") }
    }
}

extension DeskOptions {
    fileprivate func requireBrand() throws {
        guard brand != nil else { throw ValidationError("say which brand: --brand ID") }
    }
}
