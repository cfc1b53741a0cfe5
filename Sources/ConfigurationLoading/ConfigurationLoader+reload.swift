import Conversation

extension ConfigurationLoader {
    /// What runs after the files have changed. With an error outside the brands everything stays as it was; a brand with errors stays as it
    /// was; all others are taken over. `problems` and `stopped` tell of the files as they are now, so a brand that is listed as stopped and
    /// still among `brands` runs on its earlier snapshot.
    package func reload(over running: LoadedConfiguration) -> LoadedConfiguration {
        var result = load()
        guard result.fatalProblems.isEmpty else {
            return LoadedConfiguration(
                server: running.server, brands: running.brands, stopped: result.stopped, apps: running.apps, problems: result.problems)
        }
        let stopped = Set(result.stopped.compactMap(\.id))
        var kept = running.brands.filter { stopped.contains($0.id) }
        var fresh = result.brands
        // A kept brand holds on to its accounts and keys; whoever wants them now stays as it was too, which may hold on to others in turn.
        while let index = fresh.firstIndex(where: {
            !claims(of: $0).isDisjoint(with: kept.reduce(into: []) { $0.formUnion(claims(of: $1)) })
        }) {
            let brand = fresh.remove(at: index)
            let earlier = running.brands.first { $0.id == brand.id }
            let problem = conflict(of: brand, runsOn: earlier != nil)
            result.problems.append(problem)
            result.stopped.append(StoppedBrand(folder: brand.id.rawValue, problems: [problem]))
            if let earlier { kept.append(earlier) }
        }
        result.brands = (fresh + kept).sorted { $0.id < $1.id }
        return result
    }

    private enum Claim: Hashable {
        case instance(InstanceID)
        case address(InstanceAddress)
        case key(Secret)
    }

    private func claims(of brand: BrandConfiguration) -> Set<Claim> {
        var claims = Set(brand.keys.map { Claim.key($0.key) })
        for instance in brand.instances {
            claims.insert(.instance(instance.id))
            let descriptor = channels.first { $0.name == instance.channel }
            if let address = descriptor?.address(instance) { claims.insert(.address(address)) }
        }
        return claims
    }

    private func conflict(of brand: BrandConfiguration, runsOn earlier: Bool) -> Problem {
        Problem(
            scope: .brand(brand.id.rawValue), file: "\(root)/brands/\(brand.id)/brand.yaml", line: 1, key: "instances",
            what: "claims an instance, account or key of a brand that still runs on its earlier configuration"
                + (earlier ? ", so this one does too" : ""),
            remedy: "mend that brand first, then reload")
    }
}
