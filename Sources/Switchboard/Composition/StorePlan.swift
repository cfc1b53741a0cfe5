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

    private func check(_ role: NodeRole) throws {
        for (name, location) in named.sorted(by: { $0.key < $1.key }) where location == main {
            throw StartProblem("stores.named.\(name) is the default store too (\(location.shown)); take its brands out of stores.brands")
        }
        guard role != .all else { return }
        let own = ([("the default store", main)] + named.sorted { $0.key < $1.key }.map { ("store \($0.key)", $0.value) })
            .first { !$0.1.isShared }
        if let (name, location) = own {
            throw StartProblem(
                """
                --role \(role.rawValue): \(name) is \(location.shown), which only one process opens, so that one must do everything; \
                use --role all, or give a postgres:// store
                """)
        }
    }

    /// Whether other nodes may be there.
    var isShared: Bool { main.isShared || named.values.contains { $0.isShared } }
}
