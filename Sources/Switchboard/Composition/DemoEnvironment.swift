#if Sandbox
    import Conversation
    import Foundation
    import Signing

    /// A value for every secret and URL of the demo brands that the environment lacks. Made once, kept beside the store.
    enum DemoEnvironment {
        private static let brandKeys = ["ADMIN_KEY", "API_TOKEN", "WHATSAPP_TOKEN", "JWT_SECRET", "APP_KEY"]
        private static let installation = ["SWITCHBOARD_OPERATOR_KEY", "WHATSAPP_APP_SECRET", "WHATSAPP_VERIFY_TOKEN"]

        /// Throws `StartProblem` when the file cannot be read or written.
        static func load(options: ServeOptions, sandboxPort: Int) throws -> [String: String] {
            let sandbox = "http://127.0.0.1:\(sandboxPort)"
            let path = options.data + "/demo.env"
            let kept = try read(path)
            let made = madeUp(kept)
            if made != kept { try write(made, path, options.data) }
            return complete(made, sandbox: sandbox, desk: sandbox + "/desk/webhook")
        }

        /// The same without a file and without a ticket system, for one run.
        static func load(sandboxPort: Int) -> [String: String] { complete(madeUp([:]), sandbox: "http://127.0.0.1:\(sandboxPort)") }

        private static func madeUp(_ kept: [String: String]) -> [String: String] {
            var made = kept
            for name in installation + ["SALON", "JOBS"].flatMap({ brand in brandKeys.map { "\(brand)_\($0)" } }) where made[name] == nil {
                made[name] = random(prefix: "demo_")
            }
            for name in ["SALON_SIGNING_SECRET", "JOBS_SIGNING_SECRET", "SALON_DESK_SECRET"] where made[name] == nil {
                made[name] = "whsec_" + Base64.encode(bytes(32))
            }
            return made
        }

        private static func complete(_ made: [String: String], sandbox: String, desk: String = "") -> [String: String] {
            let urls = [
                "SALON_API_URL": sandbox + "/salon", "JOBS_API_URL": sandbox + "/jobs", "WHATSAPP_GRAPH_URL": sandbox + "/graph/v23.0",
                "SALON_DESK_URL": desk,
            ]
            let given = Configuration.environment.filter { !$0.value.isEmpty }
            return made.merging(urls) { $1 }.merging(given) { $1 }
        }

        private static func read(_ path: String) throws -> [String: String] {
            guard FileManager.default.fileExists(atPath: path) else { return [:] }
            do {
                let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
                return Dictionary(
                    lines.compactMap { line in
                        let parts = line.split(separator: "=", maxSplits: 1)
                        return parts.count == 2 && !line.hasPrefix("#") ? (String(parts[0]), String(parts[1])) : nil
                    }
                ) { $1 }
            } catch {
                throw StartProblem("cannot read \(path): \(error.localizedDescription)")
            }
        }

        private static func write(_ values: [String: String], _ path: String, _ folder: String) throws {
            let text =
                "# Made up for the demo; nothing here opens anything real.\n"
                + values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)\n" }.joined()
            do {
                try FileManager.default.createDirectory(
                    atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
                guard FileManager.default.createFile(atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600]) else {
                    throw StartProblem("cannot write \(path)")
                }
            } catch let problem as StartProblem {
                throw problem
            } catch {
                throw StartProblem("cannot write \(path): \(error.localizedDescription)")
            }
        }

        private static func random(prefix: String) -> String { prefix + Base64.encodeURL(bytes(24)) }
        private static func bytes(_ count: Int) -> [UInt8] {
            var generator = SystemRandomNumberGenerator()
            return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
        }
    }

    /// What to do next, for somebody who has never seen it.
    enum DemoGuide {
        static func text(_ options: ServeOptions, sandboxPort: Int) -> String {
            let say = "curl -s http://127.0.0.1:\(sandboxPort)/_sandbox/say -d"
            let gateway = "http://\(options.host):\(options.port)"
            let program = CommandLine.arguments.first ?? "switchboard"
            func value(_ name: String) -> String { "$(grep \(name) \(options.data)/demo.env | cut -d= -f2-)" }
            return """

                Switchboard is ready on \(gateway), its stand-ins on http://127.0.0.1:\(sandboxPort).

                Chat with the two brands in a browser:
                  \(gateway)/chat/salon-web
                  \(gateway)/chat/jobs-web
                or from a terminal (a number answers with the option of that number, Ctrl-D ends):
                  \(program) chat --url \(gateway) --instance salon-web --app-key "\(value("SALON_APP_KEY"))"
                Write to the salon as a customer on WhatsApp would, then confirm:
                  \(say) '{"instance":"salon-whatsapp","from":"15550001111","text":"book a haircut on Wednesday at 3pm"}'
                  \(say) '{"instance":"salon-whatsapp","from":"15550001111","text":"yes"}'
                See what the customer was told, and what the salon's API has:
                  curl -s 'http://127.0.0.1:\(sandboxPort)/_sandbox/last?to=15550001111'
                  curl -s http://127.0.0.1:\(sandboxPort)/_sandbox/state
                Look inside the conversation with the brand's key:
                  curl -s -H "Authorization: Bearer \(value("SALON_ADMIN_KEY"))" \(gateway)/v1/sessions

                Stop with Ctrl-C.
                """
        }
    }
#endif
