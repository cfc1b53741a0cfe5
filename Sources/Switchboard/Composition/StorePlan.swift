import ConfigurationLoading
import Conversation

/// Which databases a node opens, from its options, its environment and `stores:`.
struct StorePlan: Sendable, Hashable {
    static let storeVariable = "SWITCHBOARD_STORE"
    static let busVariable = "SWITCHBOARD_BUS"

    /// Holds what belongs to no brand, and the brands that are not `elsewhere`.
    var main: StoreLocation
    /// By the name in `stores:`.
    var named: [String: StoreLocation]
    var elsewhere: [BrandID: String]
    var bus: BusLocation

    /// Options go before the environment, which goes before the file; an empty variable is none. Throws `StartProblem` for what cannot be.
    init(options: ServeOptions, environment: [String: String], stores: StoresConfiguration, defaultPath: String) throws {
        func given(_ option: String?, _ variable: String) -> (text: String, place: String)? {
            if let option { return (option, "--\(variable == Self.storeVariable ? "store" : "bus")") }
            guard let value = environment[variable], !value.isEmpty else { return nil }
            return (value, variable)
        }
        if let (text, place) = given(options.store, Self.storeVariable) {
            do { main = try StoreLocation(text) } catch { throw StartProblem("\(place): \(error)") }
        } else {
            main = stores.main ?? .file(defaultPath)
        }
        if let (text, place) = given(options.bus, Self.busVariable) {
            do { bus = try BusLocation(text) } catch { throw StartProblem("\(place): \(error)") }
        } else {
            bus = .embedded
        }
        // A store without a brand is not opened.
        let used = Set(stores.brands.values)
        named = stores.named.filter { used.contains($0.key) }
        elsewhere = stores.brands
        try check(options.role)
    }

    private var all: [(name: String, location: StoreLocation)] {
        [("the default store", main)] + named.sorted { $0.key < $1.key }.map { ("store \($0.key)", $0.value) }
    }

    private func check(_ role: NodeRole) throws {
        for (name, location) in named.sorted(by: { $0.key < $1.key }) where location == main {
            throw StartProblem("stores.named.\(name) is the default store too (\(location.shown)); take its brands out of stores.brands")
        }
        guard role != .all else { return }
        let own = all.first { !$0.location.isShared }
        if let (name, location) = own {
            throw StartProblem(
                """
                --role \(role.rawValue): \(name) is \(location.shown), which only one process opens, so that one must do everything; \
                use --role all, or give a postgres:// store
                """)
        }
    }

    /// What works as long as nobody does what seems natural. A node more would open a file of its own where this one has `sqlite:`, and of
    /// those brands each would see a part.
    var warnings: [String] {
        guard let shared = all.first(where: { $0.location.isShared }) else { return [] }
        return all.filter { !$0.location.isShared }.map { name, location in
            """
            \(name) is \(location.shown), which only this process opens, while \(shared.name) is \(shared.location.shown), which several nodes may \
            share: do not start a second node before all brands are in postgres:// stores, and the default store is one too
            """
        }
    }

    /// Whether other nodes may be there.
    var isShared: Bool { main.isShared || named.values.contains { $0.isShared } }
}
