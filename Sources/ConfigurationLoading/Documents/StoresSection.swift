import Conversation

/// `stores:` of `switchboard.yaml`: which brand's rows are in which database.
struct StoresSection {
    let entry: Entry
    /// Names of the brands' folders, of stopped brands too: their rows are where they were.
    let folders: [String]

    func read() -> StoresConfiguration {
        var stores = StoresConfiguration()
        guard let members = entry.members(["default", "named", "brands"]) else { return stores }
        if let place = members["default"], !isBlank(place) { stores.main = location(place) }
        var places: [StoreLocation: String] = stores.main.map { [$0: "default"] } ?? [:]
        for (name, place, line) in members["named"]?.pairs() ?? [] {
            guard isName(name, place, line), let location = location(place) else { continue }
            if let other = places[location] {
                place.problem("is the same store as \(other)", "name every store once, and let several brands share the name")
                continue
            }
            places[location] = name
            stores.named[name] = location
        }
        let declared = Set(members["named"]?.pairs().map(\.key) ?? [])
        for (brand, place, line) in members["brands"]?.pairs() ?? [] {
            guard let id = brandID(brand, place, line), let name = storeName(place, declared) else { continue }
            stores.brands[id] = name
        }
        warnOfUnused(stores, members)
        return stores
    }

    /// An environment variable that is not filled in leaves the choice to `--store`.
    private func isBlank(_ place: Entry) -> Bool { place.scalar()?.text.allSatisfy(\.isWhitespace) ?? false }

    private func location(_ place: Entry) -> StoreLocation? {
        guard let text = place.text() else { return nil }
        do {
            return try StoreLocation(text)
        } catch {
            place.problem("names no store: \(error)", "write sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE")
            return nil
        }
    }

    private func isName(_ name: String, _ place: Entry, _ line: Int) -> Bool {
        // The form of a brand's id.
        if BrandID(validating: name) != nil, name != "default" { return true }
        place.document.report(
            line: line, key: place.path, "\"\(name)\" cannot be the name of a store",
            "use small letters, digits and hyphens, and not \"default\", which is the one above")
        return false
    }

    private func brandID(_ brand: String, _ place: Entry, _ line: Int) -> BrandID? {
        if folders.contains(brand), let id = BrandID(validating: brand) { return id }
        place.document.report(
            line: line, key: place.path, "there is no brand \"\(brand)\"", Suggestion.remedy(for: brand, in: folders, noun: "brand"))
        return nil
    }

    private func storeName(_ place: Entry, _ declared: Set<String>) -> String? {
        guard let name = place.text() else { return nil }
        if declared.contains(name) { return name }
        place.problem("there is no store \"\(name)\" in stores.named", Suggestion.remedy(for: name, in: declared, noun: "store"))
        return nil
    }

    private func warnOfUnused(_ stores: StoresConfiguration, _ members: Members) {
        let used = Set(stores.brands.values)
        for (name, place, _) in members["named"]?.pairs() ?? [] where stores.named[name] != nil && !used.contains(name) {
            place.warning("no brand is in this store", "add a brand to stores.brands, or remove the store")
        }
    }
}
