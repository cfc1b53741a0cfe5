import ArgumentParser
import ConfigurationLoading
import Conversation
import Gateway
import HTTPCalls

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Looks the whole configuration over.",
        discussion: """
            Prints one line per problem: file:line: key: what is wrong; what would be right. Exits 1 when there is any error, \
            0 when the gateway would start every brand.
            """)

    @Option(help: "Folder with switchboard.yaml and brands/<brand>/.") var config = "config"
    @Option(help: "Folder with one folder per channel.") var channels = "channels"
    @Flag(help: "Also ask every brand's API for the schemas that need no customer.") var online = false

    func run() async throws {
        let loaded = try Configuration.load(
            ServeOptions.parse(["--config", config, "--channels", channels]), environment: Configuration.environment)
        let report = ConfigurationReport(loaded)
        Terminal.say("\(report)")
        var isOK = report.isOK
        if online { isOK = try await checkOnline(loaded) && isOK }
        if !isOK { throw ExitCode(1) }
    }

    private func checkOnline(_ loaded: LoadedConfiguration) async throws -> Bool {
        let client = try CurlClient()
        var isOK = true
        for brand in loaded.brands {
            for schema in brand.schemas where !schema.isPersonal {
                let answer = await client.call(brand.call(method: "GET", target: schema.request.path, timeout: .seconds(10)))
                let line = "\(brand.id): GET \(schema.request.path): "
                switch answer {
                case .answer(let answer) where (200..<300).contains(answer.status): Terminal.say(line + "\(answer.status)")
                case .answer(let answer):
                    Terminal.say(line + "answered \(answer.status); a schema's request must be answered 200")
                    isOK = false
                case .failed(let failure):
                    Terminal.say(line + "\(failure.kind.rawValue): \(failure.detail); is api.base_url right and the API up?")
                    isOK = false
                }
            }
        }
        await client.shutdown()
        return isOK
    }
}
