import Conversation

/// `instances` of `brand.yaml`: each presence of the brand on a channel.
struct InstancesSection {
    let entry: Entry
    let reading: BrandReading
    private static let common = ["id", "channel", "accept_guests", "session_timeout_min", "overrides"]

    func read() -> [InstanceConfiguration] {
        let items = entry.items()
        if entry.isSequence, items.isEmpty { entry.problem("holds no instance", "add one, such as { id: …, channel: whatsapp, … }") }
        var names = UniqueNames()
        return items.compactMap { item in
            guard let instance = read(item) else { return nil }
            guard names.take(instance.id.rawValue, at: item, noun: "instance") else { return nil }
            reading.instancePlaces.append((instance, item))
            return instance
        }
    }

    private func read(_ item: Entry) -> InstanceConfiguration? {
        guard let descriptor = channel(of: item) else { return nil }
        let hasApps = !descriptor.appSettings.isEmpty
        let rules = descriptor.instanceSettings.filter { !Self.common.contains($0.key) && !(hasApps && $0.key == "app") }
        guard let members = item.members(Self.common + (hasApps ? ["app"] : []) + rules.map(\.key)) else { return nil }
        let id = members.required("id", "\(reading.folder)-\(descriptor.name)").flatMap { instanceID($0) }
        let guests = members["accept_guests"].map { $0.flag() } ?? false
        let timeout = members["session_timeout_min"].map { $0.number(0.1...43_200) } ?? 30
        if let overrides = members["overrides"] { check(overrides: overrides) }
        var settings = SettingsReader(members: members, rules: rules).read()
        if hasApps, let app = members.required("app", "main"), let name = app.text() {
            check(app: name, at: app, of: descriptor)
            settings["app"] = .text(name)
        }
        guard let id, let guests, let timeout else { return nil }
        return InstanceConfiguration(
            id: id, brand: BrandID(rawValue: reading.folder), channel: descriptor.name, acceptGuests: guests,
            sessionTimeout: .milliseconds(Int64(timeout * 60_000)), settings: Settings(settings))
    }

    /// The channel comes first because it decides which other keys an instance may have.
    private func channel(of item: Entry) -> ChannelDescriptor? {
        guard item.isMapping else {
            item.problem("is not a mapping", "write it as { id: …, channel: … }")
            return nil
        }
        let members = Members(entry: item, values: Dictionary(item.pairs().map { ($0.key, $0.value) }) { $1 })
        guard let entry = members.required("channel", "whatsapp"), let value = entry.scalar() else { return nil }
        if let known = reading.loading.channels.first(where: { $0.name.rawValue == value.text }) { return known }
        let names = reading.loading.channels.map(\.name.rawValue)
        entry.problem("no channel \"\(value.raw)\"", Suggestion.remedy(for: value.raw, in: names, noun: "channel"))
        return nil
    }

    private func instanceID(_ entry: Entry) -> InstanceID? {
        guard let value = entry.scalar() else { return nil }
        if let id = InstanceID(validating: value.text) { return id }
        entry.problem(
            "\"\(value.raw)\" cannot be an instance's id", "use small letters, digits and hyphens, at most 63, not beginning with a hyphen")
        return nil
    }

    private func check(app: String, at entry: Entry, of descriptor: ChannelDescriptor) {
        // A manifest with errors has told about itself; its apps are not known then.
        let isBroken = reading.loading.log.problems.contains { if case .channel = $0.scope { $0.severity == .error } else { false } }
        let apps = (reading.loading.apps[descriptor.name] ?? []).map(\.name)
        guard !isBroken, !apps.contains(app) else { return }
        let remedy =
            apps.isEmpty ? "define it under apps in the channel's channel.yaml" : Suggestion.remedy(for: app, in: apps, noun: "app")
        entry.problem("channel \(descriptor.name) has no app \"\(app)\"", remedy)
    }

    private func check(overrides: Entry) {
        guard let members = overrides.members(["models", "budgets", "templates", "actions", "schemas"]), !members.values.isEmpty else {
            return
        }
        for key in ["models", "budgets", "templates"] {
            if let section = members[key], !section.isMapping { section.problem("is not a mapping", "write it as key: value") }
        }
        for key in ["actions", "schemas"] { _ = members[key]?.items() }
        overrides.warning("this version applies no overrides", "leave it empty: {}")
    }
}
