#if Sandbox
    import ConfigurationLoading
    import Conversation
    import Storage

    /// Many conversations, some at a time, each with a customer of its own.
    struct ConversationRuns: Sendable {
        let store: Store
        let sandbox: SandboxAPI
        let patience: Duration

        /// The differences of each script, in the order of the scripts. Throws `DriverError` and errors of the store.
        func run(_ scripts: [ConversationScript], parallel: Int) async throws -> [[Difference]] {
            let matcher = TextMatcher()
            var results = [[Difference]](repeating: [], count: scripts.count)
            try await withThrowingTaskGroup(of: (Int, [Difference]).self) { group in
                for (index, script) in scripts.enumerated() {
                    if index >= parallel, let (done, differences) = try await group.next() { results[done] = differences }
                    group.addTask { (index, try await runner(script, number: index, matcher).run()) }
                }
                for try await (done, differences) in group { results[done] = differences }
            }
            return results
        }

        private func runner(_ script: ConversationScript, number: Int, _ matcher: TextMatcher) -> ConversationRunner {
            let customer: WhatsAppDriver.Customer =
                switch script.customer {
                case .phone(let digits): .phone(digits)
                case .userID(let id): .userID(id)
                // Numbers that nobody has: 555 is no area code.
                case nil: .phone("1555\(2_000_000 + number)")
                }
            let driver = WhatsAppDriver(instance: script.instance, customer: customer, sandbox: sandbox)
            let watch = ConversationWatch(store: store, brand: script.brand, instance: script.instance, identifiers: driver.identifiers)
            return ConversationRunner(script: script, driver: driver, watch: watch, matcher: matcher, patience: patience)
        }
    }
#endif
