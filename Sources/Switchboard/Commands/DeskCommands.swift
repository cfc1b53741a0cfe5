import ArgumentParser
import ConfigurationLoading
import Conversation

/// What the desk commands share: whom to ask.
struct DeskOptions: ParsableArguments {
    @Option(help: "The gateway's data directory.") var data = ".data"
    @Option(help: "Only this brand.") var brand: String?
    @Option(help: "The gateway's store when it is outside --data, as `serve` takes it. Needed only while no gateway runs.")
    var store: String?
    @Option(help: "Needed only while no gateway runs.") var config = "config"
    @Option(help: "Needed only while no gateway runs.") var channels = "channels"

    func validate() throws {
        if let brand, BrandID(validating: brand) == nil { throw ValidationError("--brand \(brand): small letters, digits and hyphens") }
        do {
            if let store { _ = try StoreLocation(store) }
        } catch {
            throw ValidationError("--store: \(error)")
        }
    }

    /// Prints the answer as JSON; exit code 1 when the gateway said no.
    func ask(_ method: String, _ path: String, query: [String: String] = [:]) async throws {
        let place = store.map { ["--store", $0] } ?? []
        let options = try ServeOptions.parse(["--data", data, "--config", config, "--channels", channels] + place)
        var all = query
        if let brand { all["brand"] = brand }
        let (status, body) = try await ControlClient(options: options).ask(method: method, path: path, query: all)
        if status >= 300 {
            Terminal.complain(
                "switchboard: \(body["title"]?.string ?? "answer \(status)")\(body["detail"]?.string.map { ": \($0)" } ?? "")")
            throw ExitCode(1)
        }
        if let warning = body["warning"]?.string { Terminal.complain("switchboard: warning: \(warning)") }
        Terminal.say(PrettyJSON.text(body))
    }
}

/// How much of a list to show.
struct PageOptions: ParsableArguments {
    @Option(help: "How many to show, 1 to 200.") var limit = 100

    func validate() throws {
        guard (1...200).contains(limit) else { throw ValidationError("--limit is a number from 1 to 200, not \(limit)") }
    }
}

struct DeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-letters", abstract: "Work that was given up: list, show, redrive, discard.",
        discussion: """
            A redrive runs the same decision again, with the same bytes and the same idempotency key; it warns when the brand may have \
            forgotten the key by now (api.key_retention_h). What has the kind unknown is for a \
            person to look at and cannot be redriven. The kind handover is a ticket system that would not take something: the customer is \
            with people all the same.
            """,
        subcommands: [List.self, Show.self, Redrive.self, Discard.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Newest first.")
        @OptionGroup var desk: DeskOptions
        @OptionGroup var page: PageOptions
        func run() async throws { try await desk.ask("GET", "/dead-letters", query: ["limit": "\(page.limit)"]) }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "One of them, with every attempt.")
        @OptionGroup var desk: DeskOptions
        @Argument(help: "Its id.") var id: String
        func run() async throws { try await desk.ask("GET", "/dead-letters/\(checked(id))") }
    }

    struct Redrive: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Runs it again, once.")
        @OptionGroup var desk: DeskOptions
        @Argument(help: "Its id.") var id: String
        func run() async throws { try await desk.ask("POST", "/dead-letters/\(checked(id))/redrive") }
    }

    struct Discard: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Marks it as looked after.")
        @OptionGroup var desk: DeskOptions
        @Argument(help: "Its id.") var id: String
        func run() async throws { try await desk.ask("DELETE", "/dead-letters/\(checked(id))") }
    }
}

struct QuarantineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine", abstract: "Signed webhooks that could not be read or belong to nobody: list, show, replay.",
        subcommands: [List.self, Show.self, Replay.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Newest first.")
        @OptionGroup var desk: DeskOptions
        @OptionGroup var page: PageOptions
        func run() async throws { try await desk.ask("GET", "/quarantine", query: ["limit": "\(page.limit)"]) }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "One of them with its raw body.")
        @OptionGroup var desk: DeskOptions
        @Argument(help: "Its id.") var id: String
        func run() async throws { try await desk.ask("GET", "/quarantine/\(checked(id))") }
    }

    struct Replay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Hands it in again, after its brand has been configured.")
        @OptionGroup var desk: DeskOptions
        @Argument(help: "Its id.") var id: String
        func run() async throws { try await desk.ask("POST", "/quarantine/\(checked(id))/replay") }
    }
}

private func checked(_ id: String) throws -> String {
    guard let id = UniqueID(id) else { throw ValidationError("\(id) is no id; `list` shows them") }
    return id.description
}
