/// One presence of a brand on one channel.
package struct InstanceConfiguration: Sendable {
    package var id: InstanceID
    package var brand: BrandID
    package var channel: ChannelName
    package var acceptGuests: Bool
    package var sessionTimeout: Duration
    /// What the channel itself asked for in its `ChannelDescriptor`, checked against it when loaded.
    package var settings: Settings

    package init(
        id: InstanceID, brand: BrandID, channel: ChannelName, acceptGuests: Bool = false, sessionTimeout: Duration = .seconds(1800),
        settings: Settings = .init()
    ) {
        self.id = id
        self.brand = brand
        self.channel = channel
        self.acceptGuests = acceptGuests
        self.sessionTimeout = sessionTimeout
        self.settings = settings
    }
}

/// One app of a channel (a Meta app, say): credentials that several instances share.
package struct ChannelApp: Sendable {
    package var name: String
    package var settings: Settings
    package init(name: String, settings: Settings) {
        self.name = name
        self.settings = settings
    }
}

/// Settings that only the channel understands; the loader checks them against the channel's rules.
package struct Settings: Sendable {
    package enum Value: Sendable {
        case text(String)
        case secret(Secret)
        case secrets([Secret])
        case texts([String])
        case integer(Int)
        case flag(Bool)
        case addresses([AddressRule])
        case group(Settings)
    }

    package var values: [String: Value]
    package init(_ values: [String: Value] = [:]) { self.values = values }

    package func text(_ key: String) -> String? { if case .text(let value) = values[key] { value } else { nil } }
    package func secret(_ key: String) -> Secret? { if case .secret(let value) = values[key] { value } else { nil } }
    package func secrets(_ key: String) -> [Secret] { if case .secrets(let value) = values[key] { value } else { [] } }
    package func texts(_ key: String) -> [String] { if case .texts(let value) = values[key] { value } else { [] } }
    package func integer(_ key: String) -> Int? { if case .integer(let value) = values[key] { value } else { nil } }
    package func flag(_ key: String) -> Bool? { if case .flag(let value) = values[key] { value } else { nil } }
    /// Settings within a setting, such as `jwt`.
    package func group(_ key: String) -> Settings? { if case .group(let value) = values[key] { value } else { nil } }
    package func addresses(_ key: String) -> [AddressRule] { if case .addresses(let value) = values[key] { value } else { [] } }
}

/// What a channel expects of its part of the configuration.
package struct SettingRule: Sendable, Hashable {
    package indirect enum Kind: Sendable, Hashable {
        case text, url, secret, secrets, texts, integer, flag, addresses
        /// Texts that all have one form.
        case formed(SettingForm)
        case group([SettingRule])
    }

    package var key: String
    package var kind: Kind
    package var required: Bool
    package init(_ key: String, _ kind: Kind, required: Bool = false) {
        self.key = key
        self.kind = kind
        self.required = required
    }
}

/// What a channel expects of a text beyond that it is one.
package struct SettingForm: Sendable, Hashable {
    /// With its article, as in "a colour".
    package var name: String
    /// How to write it, said to whoever did not.
    package var remedy: String
    package var accepts: @Sendable (String) -> Bool

    package init(_ name: String, remedy: String, accepts: @escaping @Sendable (String) -> Bool) {
        self.name = name
        self.remedy = remedy
        self.accepts = accepts
    }

    package static func == (one: SettingForm, other: SettingForm) -> Bool { one.name == other.name && one.remedy == other.remedy }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(remedy)
    }
}
