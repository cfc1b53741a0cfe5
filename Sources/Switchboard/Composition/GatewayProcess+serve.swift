#if Sandbox
    import Foundation

    #if canImport(Glibc)
        import Glibc
    #endif

    extension GatewayProcess {
        /// Runs `work` with the port while the gateway serves, then stops it in an orderly way and removes `folder`. For one gateway in a
        /// process whose only business it is: stopping is a signal to the process itself. Throws `StartProblem` and what `work` throws.
        func serve<Result: Sendable>(
            extraRoutes: [APIRoute] = [], withWorkers: Bool = true, removing folder: String,
            _ work: @escaping @Sendable (Int) async throws -> Result
        ) async throws -> Result {
            let (ports, port) = AsyncStream<Int>.makeStream(bufferingPolicy: .bufferingNewest(1))
            defer { try? FileManager.default.removeItem(atPath: folder) }
            return try await withThrowingTaskGroup(of: Result?.self) { group in
                group.addTask {
                    try await run(extraRoutes: extraRoutes, withWorkers: withWorkers) { port.yield($0) }
                    return nil
                }
                group.addTask {
                    for await number in ports { return try await work(number) }
                    return nil
                }
                while let result = try await group.next() {
                    guard let result else { continue }
                    kill(getpid(), SIGTERM)
                    while try await group.next() != nil {}
                    return result
                }
                throw StartProblem("the gateway ended early")
            }
        }
    }
#endif
