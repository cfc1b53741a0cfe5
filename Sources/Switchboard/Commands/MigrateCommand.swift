import ArgumentParser
import Storage

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Makes or updates the tables in PostgreSQL.",
        discussion: """
            Needs two roles. One owns the tables and is used by this command alone; the gateway connects as the other, which may read \
            and write rows but change no table, and which row-level security holds to one brand at a time. As an administrator, once:

                CREATE ROLE switchboard_owner LOGIN PASSWORD '…';
                CREATE ROLE switchboard LOGIN PASSWORD '…';
                CREATE DATABASE switchboard OWNER switchboard_owner ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0;

            Then, before the first start and before each new version of the gateway:

                SWITCHBOARD_STORE=postgres://switchboard_owner:…@db.internal/switchboard switchboard migrate --role switchboard

            Nodes may go on working meanwhile: a gateway works with tables that are one version newer than itself. So update the \
            tables first, then the nodes one by one. Run by two at once, the second waits and then finds everything done. A run that \
            is broken off leaves whole versions only; run it again. An embedded store (SQLite) needs none of this.
            """)

    @Option(
        help: """
            Address of the database as the owner of the tables: postgres://owner:password@host:port/database. By default \
            $SWITCHBOARD_STORE: everybody on this machine sees options.
            """)
    var store: String?
    @Option(help: "The role that the gateway connects as.") var role = "switchboard"
    @Flag(help: "Say what would be done, and do nothing.") var dryRun = false

    func run() async throws {
        guard let url = store ?? Configuration.environment[StorePlan.storeVariable], !url.isEmpty else {
            throw ValidationError("whose tables? Give --store postgres://…, or set \(StorePlan.storeVariable)")
        }
        do {
            let report = try await PostgreSQLMigrator.migrate(url: url, role: role, isDryRun: dryRun)
            for line in report.lines { Terminal.say(line) }
            let state = report.from == report.to ? "The tables are of version \(report.to)" : "From version \(report.from) to \(report.to)"
            Terminal.say(dryRun ? "\(state); nothing was changed." : "\(state); role \(role) can use them.")
        } catch let error as StorageError {
            throw StartProblem("\(error)")
        }
    }
}
