import Conversation

/// A channel's manifest, `channel.yaml` in the channel's folder.
struct ChannelDocument {
    let document: Document
    let loading: Loading

    init(path: String, folder: String, loading: Loading) {
        document = Document(file: path, scope: .channel(folder), loading: loading)
        self.loading = loading
    }

    /// Adds the channel's apps to what is loaded. A folder without a manifest is a channel without apps.
    func read() {
        guard document.exists, let root = document.root(required: true) else { return }
        guard let members = root.members(["channel", "apps", "capabilities", "limits", "templates", "payloads"]) else { return }
        for key in ["capabilities", "limits", "templates"] {
            if let section = members[key], section.json()?.object == nil { section.problem("is not a mapping", "write it as key: value") }
        }
        if let payloads = members["payloads"] { _ = payloads.text() }
        guard let nameEntry = members.required("channel", "whatsapp"), let name = nameEntry.scalar() else { return }
        guard let descriptor = loading.channels.first(where: { $0.name.rawValue == name.text }) else {
            let known = loading.channels.map(\.name.rawValue)
            nameEntry.problem("no channel \"\(name.raw)\" is built in", Suggestion.remedy(for: name.raw, in: known, noun: "channel"))
            return
        }
        guard loading.apps[descriptor.name] == nil else {
            nameEntry.problem("a second manifest for channel \"\(name.raw)\"", "keep one folder per channel")
            return
        }
        loading.apps[descriptor.name] = apps(members, descriptor)
    }

    private func apps(_ members: Members, _ descriptor: ChannelDescriptor) -> [ChannelApp] {
        guard !descriptor.appSettings.isEmpty, let entry = members.required("apps", "{ main: { … } }") else { return [] }
        return entry.pairs().compactMap { name, app, _ in
            guard InstanceID(validating: name) != nil else {
                app.problem(
                    "\"\(name)\" cannot name an app", "use small letters, digits and hyphens: it becomes part of the webhook's path")
                return nil
            }
            guard let members = app.members(descriptor.appSettings.map(\.key)) else { return nil }
            return ChannelApp(name: name, settings: Settings(SettingsReader(members: members, rules: descriptor.appSettings).read()))
        }
    }
}

/// Reads the settings that a channel asked for.
struct SettingsReader {
    let members: Members
    let rules: [SettingRule]

    func read() -> [String: Settings.Value] {
        var values: [String: Settings.Value] = [:]
        for rule in rules {
            let found = rule.required ? members.required(rule.key, Self.example(of: rule)) : members[rule.key]
            if let found, let value = value(of: found, rule) { values[rule.key] = value }
        }
        return values
    }

    private func value(of entry: Entry, _ rule: SettingRule) -> Settings.Value? {
        switch rule.kind {
        case .text: entry.text().map(Settings.Value.text)
        case .url: entry.url().map(Settings.Value.text)
        case .secret: entry.secret(minimumBytes: SecretRule.minimumBytes(rule.key)).map(Settings.Value.secret)
        case .secrets: .secrets(entry.secrets(minimumBytes: SecretRule.minimumBytes(rule.key)))
        case .texts: .texts(entry.texts())
        case .formed(let form): .texts(entry.texts(form))
        case .integer: entry.integer(0...Int(Int32.max)).map(Settings.Value.integer)
        case .flag: entry.flag().map(Settings.Value.flag)
        case .addresses: .addresses(entry.addresses())
        case .group(let rules):
            entry.members(rules.map(\.key)).map { .group(Settings(SettingsReader(members: $0, rules: rules).read())) }
        }
    }

    private static func example(of rule: SettingRule) -> String {
        switch rule.kind {
        case .text: "\"…\""
        case .url: "https://…"
        case .secret: "\"${…}\""
        case .secrets: "[\"${…}\"]"
        case .texts, .formed, .addresses: "[…]"
        case .integer: "1"
        case .flag: "true"
        case .group(let rules): "{ " + rules.filter(\.required).map { "\($0.key): \(example(of: $0))" }.joined(separator: ", ") + " }"
        }
    }
}

/// Which secrets prove who calls us and therefore must not be guessable; the others are credentials whose length their issuer chose.
enum SecretRule {
    static let guarded: Set<String> = [
        "app_secrets", "verify_token", "keys", "signing_secrets", "hs256_secret", "operator_key", "app_keys",
    ]
    /// RFC 7518, 3.2: a key for HS256 is no shorter than what comes out of it.
    private static let hs256 = 32

    static func minimumBytes(_ key: String) -> Int { key == "hs256_secret" ? hs256 : guarded.contains(key) ? 16 : 1 }
}
