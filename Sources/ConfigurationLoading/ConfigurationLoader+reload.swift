import Conversation

extension ConfigurationLoader {
    /// What runs after the files have changed. With an error outside the brands everything stays as it was; a brand with errors stays as it
    /// was; all others are taken over. `problems` and `stopped` tell of the files as they are now, so a brand that is listed as stopped and
    /// still among `brands` runs on its earlier snapshot.
    package func reload(over running: LoadedConfiguration) -> LoadedConfiguration {
        var result = load()
        // No folder of a brand at all is a folder that is being exchanged, or cannot be read: never a wish to stop everything.
        guard result.fatalProblems.isEmpty, !(result.brands.isEmpty && result.stopped.isEmpty) else {
            return LoadedConfiguration(
                server: running.server, brands: running.brands, stopped: result.stopped, apps: running.apps, problems: result.problems)
        }
        let stopped = Set(result.stopped.compactMap(\.id))
        var kept = running.brands.filter { stopped.contains($0.id) }
        var fresh = result.brands
        for brand in fresh {
            guard let problem = needsRestart(brand, result, running) else { continue }
            fresh.removeAll { $0.id == brand.id }
            result.problems.append(problem)
            result.stopped.append(StoppedBrand(folder: brand.id.rawValue, problems: [problem]))
            kept += running.brands.filter { $0.id == brand.id }
        }
        // What is not a brand's is as it was at the start, also for the next time.
        (result.server, result.apps) = (running.server, running.apps)
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
        case desk(String)
    }

    private func claims(of brand: BrandConfiguration) -> Set<Claim> {
        var claims = Set(brand.keys.map { Claim.key($0.key) })
        if let desk = brand.handover.desk { claims.insert(.desk(desk.id)) }
        for instance in brand.instances {
            claims.insert(.instance(instance.id))
            let descriptor = channels.first { $0.name == instance.channel }
            if let address = descriptor?.address(instance) { claims.insert(.address(address)) }
        }
        return claims
    }

    /// A store or an app that was not there at the start is opened at the next one only.
    private func needsRestart(_ brand: BrandConfiguration, _ new: LoadedConfiguration, _ running: LoadedConfiguration) -> Problem? {
        func problem(_ key: String, _ what: String, file: String) -> Problem {
            Problem(
                scope: .brand(brand.id.rawValue), file: file, line: 1, key: key, what: what,
                remedy: "restart the gateway; until then the brand goes on as it was")
        }
        if new.server.stores.brands[brand.id] != running.server.stores.brands[brand.id] {
            return problem("stores.brands", "gives brand \(brand.id) another store", file: "\(root)/switchboard.yaml")
        }
        for instance in brand.instances {
            let known = running.apps[instance.channel, default: []].map(\.name)
            let added = new.apps[instance.channel, default: []].map(\.name).filter { !known.contains($0) }
            if let app = added.first(where: { instance.settings.text("app") == $0 }) {
                return problem(
                    "instances", "names the app \(app), which was not there at the start", file: "\(root)/brands/\(brand.id)/brand.yaml")
            }
        }
        return nil
    }

    private func conflict(of brand: BrandConfiguration, runsOn earlier: Bool) -> Problem {
        Problem(
            scope: .brand(brand.id.rawValue), file: "\(root)/brands/\(brand.id)/brand.yaml", line: 1, key: "instances",
            what: "claims an instance, account or key of a brand that still runs on its earlier configuration"
                + (earlier ? ", so this one does too" : ""),
            remedy: "mend that brand first, then reload")
    }
}
