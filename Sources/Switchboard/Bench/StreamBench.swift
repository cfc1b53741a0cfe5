#if Sandbox
    import Conversation
    import Foundation

    /// What a stream of live updates costs while nothing happens.
    struct StreamBench {
        struct Result: Sendable {
            var clients: Int
            var idleKB: Int
            var openKB: Int
            var afterBeatKB: Int
            var openFiles: Int
            var openingSeconds: Double
            var exitCode: Int32
            var endedAfterSeconds: Double
            var exitedAfterSeconds: Double

            /// After a round of heart-beats, when every buffer that a stream needs has been used once.
            var kbPerClient: Double { Double(afterBeatKB - idleKB) / Double(clients) }

            var json: JSONValue {
                [
                    "bench": "streams", "clients": .integer(Int64(clients)), "kb_per_client": .number(Self.rounded(kbPerClient)),
                    "resident_kb_before": .integer(Int64(idleKB)), "resident_kb_open": .integer(Int64(openKB)),
                    "resident_kb_after_beat": .integer(Int64(afterBeatKB)), "open_files": .integer(Int64(openFiles)),
                    "opened_per_s": .number((Double(clients) / openingSeconds).rounded()), "exit_code": .integer(Int64(exitCode)),
                    "streams_ended_after_s": .number(Self.rounded(endedAfterSeconds)),
                    "exited_after_s": .number(Self.rounded(exitedAfterSeconds)),
                    "cores": .integer(Int64(ProcessInfo.processInfo.activeProcessorCount)),
                ]
            }

            private static func rounded(_ number: Double) -> Double { (number * 100).rounded() / 100 }
        }

        /// Readers before the first measurement: they make what the process needs once.
        private static let warmUp = 200

        let gateway: ServeChild
        let clients: Int

        func run() async throws -> Result {
            let readers = IdleReaders(port: gateway.port, instance: "salon-web")
            try await readers.open(Self.warmUp)
            let idle = try gateway.residentKB()
            let began = ContinuousClock.now
            try await readers.open(clients)
            let opening = (ContinuousClock.now - began).seconds
            let open = try gateway.residentKB()
            try await beatsOfAll(readers)
            let (afterBeat, files) = (try gateway.residentKB(), try gateway.openFiles())
            guard readers.open == clients + Self.warmUp else {
                throw StartProblem("\(clients + Self.warmUp - readers.open) streams ended by themselves")
            }
            let stopping = ContinuousClock.now
            gateway.terminate()
            try await readers.ended()
            let ended = (ContinuousClock.now - stopping).seconds
            let code = try await gateway.exitCode()
            let exited = (ContinuousClock.now - stopping).seconds
            try await readers.close()
            return Result(
                clients: clients, idleKB: idle, openKB: open, afterBeatKB: afterBeat, openFiles: files, openingSeconds: opening,
                exitCode: code, endedAfterSeconds: ended, exitedAfterSeconds: exited)
        }

        /// Throws `StartProblem` when they do not come within two minutes.
        private func beatsOfAll(_ readers: IdleReaders) async throws {
            let (wanted, deadline) = (readers.beats + 2 * (clients + Self.warmUp), ContinuousClock.now + .seconds(120))
            while readers.beats < wanted {
                guard ContinuousClock.now < deadline else { throw StartProblem("heart-beats are missing") }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }
#endif
