import Conversation

/// What must be unique over all brands. The brand that comes later by name is stopped; brands that are stopped anyway claim nothing.
struct InstallationCheck {
    let log: ProblemLog
    let operatorKey: Secret

    func run(on readings: [BrandReading]) {
        var claims: [Claim: (folder: String, place: String)] = [:]
        for reading in readings where reading.brand != nil && !log.hasErrors(in: .brand(reading.folder)) {
            let wanted = self.claims(of: reading)
            for (claim, entry) in wanted {
                if let earlier = claims[claim] { report(claim, at: entry, earlier) }
            }
            // A stopped brand must not take its names from those after it.
            guard !log.hasErrors(in: .brand(reading.folder)) else { continue }
            for (claim, entry) in wanted { claims[claim] = (reading.folder, "\(entry.document.file):\(entry.line)") }
        }
    }

    private enum Claim: Hashable {
        case instance(InstanceID)
        case address(InstanceAddress)
        case key(Secret)
        case desk(String)
    }

    private func claims(of reading: BrandReading) -> [(Claim, Entry)] {
        var claims: [(Claim, Entry)] = []
        var addresses: Set<InstanceAddress> = []
        for (instance, entry) in reading.instancePlaces {
            claims.append((.instance(instance.id), entry))
            let descriptor = reading.loading.channels.first { $0.name == instance.channel }
            guard let address = descriptor?.address(instance) else { continue }
            claims.append((.address(address), entry))
            if !addresses.insert(address).inserted {
                entry.problem("a second instance for \(address)", "give each instance its own account")
            }
        }
        var keys: Set<Secret> = []
        for (key, entry) in reading.keyPlaces {
            claims.append((.key(key), entry))
            if key == operatorKey { entry.problem("the brand's key is the operator's key too", "give each its own") }
            if !keys.insert(key).inserted { entry.problem("the same key stands here twice", "give each its own") }
        }
        if let desk = reading.deskPlace { claims.append((.desk(desk.id), desk.entry)) }
        return claims
    }

    private func report(_ claim: Claim, at entry: Entry, _ earlier: (folder: String, place: String)) {
        let remedy = "brand \(earlier.folder) comes first by name and goes on; change one of them"
        switch claim {
        case .instance(let id): entry.problem("instance \"\(id)\" is already defined at \(earlier.place)", remedy)
        case .address(let address): entry.problem("\(address) already belongs to an instance at \(earlier.place)", remedy)
        case .desk(let id): entry.problem("desk \"\(id)\" is already defined at \(earlier.place)", remedy)
        case .key: entry.problem("the same key already opens brand \(earlier.folder), at \(earlier.place)", remedy)
        }
    }
}
