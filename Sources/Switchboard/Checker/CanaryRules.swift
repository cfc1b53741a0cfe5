#if Sandbox
    import ArgumentParser
    import Conversation
    import Sandbox
    import Storage

    /// A word that was only ever said to one brand. Letters, digits, dots, hyphens and underscores, so that it looks the same however it is
    /// written down, and at least eight of them, so that nothing holds it by chance.
    struct Canary: Sendable, Hashable, ExpressibleByArgument {
        let brand: BrandID
        let word: String

        init?(argument: String) {
            let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, let brand = BrandID(validating: parts[0]), parts[1].wholeMatch(of: /[A-Za-z0-9._-]{8,}/) != nil else {
                return nil
            }
            self.brand = brand
            word = parts[1]
        }
    }

    /// No row of a brand, and nothing that a brand's systems were told, holds another brand's canary.
    enum CanaryRules {
        /// Looks through each table once, whatever the number of its columns and of the canaries. Throws `StorageError`.
        static func look(_ view: StoreView, _ canaries: [Canary]) throws -> [BrokenPromise] {
            guard !canaries.isEmpty else { return [] }
            return try StoreTable.all(view.connection, view.dialect).filter(\.hasBrand).flatMap { table -> [BrokenPromise] in
                let places = canaries.flatMap { canary in table.columns.map { (canary: canary, column: $0) } }
                let counts = places.map { canary, column in
                    "count(CASE WHEN brand_id <> '\(canary.brand)' AND \(column.holds(canary.word, view.dialect)) THEN 1 END)"
                }
                let found = try view.rows(SQL("SELECT \(counts.joined(separator: ", ")) FROM \(table.name)")).first
                return try places.enumerated().compactMap { index, place in
                    let count = try found?.integer(index) ?? 0
                    let what = "rows of \(table.name).\(place.column.name) hold the canary of \(place.canary.brand)"
                    return count == 0 ? nil : BrokenPromise(.brandsApart, "\(count) \(what)")
                }
            }
        }

        /// Of a system that brands share nobody knows whose request is whose; what concerns two of them is wrong there too.
        static func told(_ requests: [StandInRecords.Request], _ canaries: [Canary]) -> [BrokenPromise] {
            guard !canaries.isEmpty else { return [] }
            var found: Set<BrokenPromise> = []
            for request in requests {
                let owners = Set(canaries.filter { request.holds($0.word) }.map(\.brand.rawValue))
                if let brand = request.brand {
                    for owner in owners where owner != brand {
                        found.insert(BrokenPromise(.brandsApart, "\(request.path) of \(brand) was told the canary of \(owner)"))
                    }
                } else if owners.count > 1 {
                    let names = owners.sorted().joined(separator: " and ")
                    found.insert(BrokenPromise(.brandsApart, "\(request.path) was told the canaries of \(names) at once"))
                }
            }
            return found.sorted { $0.what < $1.what }
        }
    }
#endif
