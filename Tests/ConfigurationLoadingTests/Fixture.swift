import Conversation
import Foundation

@testable import ConfigurationLoading

/// A small installation in a folder of its own: one channel and two brands, everything in order until a test breaks it.
struct Fixture: ~Copyable {
    let root: String
    var environment = [
        "OPERATOR_KEY": "operator-key-0123456789", "APP_SECRET": "app-secret-0123456789", "VERIFY_TOKEN": "verify-token-0123456789",
        "SHOP_KEY": "shop-key-0123456789", "SHOP_SIGNING": "shop-signing-0123456789", "SHOP_TOKEN": "token-a",
        "GYM_KEY": "gym-key-0123456789", "GYM_SIGNING": "gym-signing-0123456789", "GYM_TOKEN": "token-b",
    ]

    var channels = [messenger]

    init() throws {
        root = NSTemporaryDirectory() + "configuration-" + UUID().uuidString
        try write("config/switchboard.yaml", Self.server)
        try write("channels/Messenger/channel.yaml", Self.channel)
        try write("config/brands/shop/brand.yaml", Self.brand(id: "shop", prefix: "SHOP", account: "1001"))
        try write("config/brands/shop/actions.yaml", Self.actions)
        try write("config/brands/shop/schemas.yaml", Self.schemas)
        try write("config/brands/shop/intents.yaml", Self.intents)
        try write("config/brands/shop/templates.yaml", Self.templates)
        try write("config/brands/shop/policies.yaml", Self.policies)
        try write("config/brands/gym/brand.yaml", Self.brand(id: "gym", prefix: "GYM", account: "1002"))
        try write("config/brands/gym/actions.yaml", Self.gymActions)
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    func write(_ path: String, _ text: String) throws {
        let url = URL(filePath: "\(root)/\(path)")
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    func remove(_ path: String) throws { try FileManager.default.removeItem(atPath: "\(root)/\(path)") }

    /// Replaces the one occurrence of `old` and answers the whole new text.
    @discardableResult
    func replace(_ path: String, _ old: String, _ new: String) throws -> String {
        let text = try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8)
        guard text.components(separatedBy: old).count == 2 else {
            throw FixtureError(text: "\"\(old)\" does not occur exactly once in \(path)")
        }
        let changed = text.replacingOccurrences(of: old, with: new)
        try write(path, changed)
        return changed
    }

    func load() -> LoadedConfiguration { loader.load() }
    func reload(over running: LoadedConfiguration) -> LoadedConfiguration { loader.reload(over: running) }

    private var loader: ConfigurationLoader {
        ConfigurationLoader(
            root: "\(root)/config", channelsRoot: "\(root)/channels", environment: environment, channels: channels,
            parseAddressRule: parseAddress, validatePattern: checkPattern)
    }
}

struct FixtureError: Error { let text: String }

/// A channel with one setting of each kind.
let messenger = ChannelDescriptor(
    name: ChannelName(rawValue: "messenger"),
    appSettings: [
        SettingRule("app_secrets", .secrets, required: true), SettingRule("verify_token", .secret, required: true),
        SettingRule("base_url", .url),
        SettingRule("allow_private_addresses", .addresses),
    ],
    instanceSettings: [
        SettingRule("account", .text, required: true), SettingRule("access_token", .secret, required: true), SettingRule("origins", .texts),
        SettingRule("per_second", .integer), SettingRule("muted", .flag),
        SettingRule("colours", .formed(SettingForm("a colour", remedy: "write #rrggbb") { $0.hasPrefix("#") && $0.count == 7 })),
        SettingRule("jwt", .group([SettingRule("hs256_secret", .secret)])),
    ],
    address: { instance in
        guard let app = instance.settings.text("app"), let account = instance.settings.text("account") else { return nil }
        return InstanceAddress(channel: instance.channel, app: app, account: account)
    })

@Sendable func parseAddress(_ text: String) throws -> AddressRule {
    let parts = text.split(separator: ".").compactMap { UInt8($0) }
    guard parts.count == 4 else { throw FixtureError(text: "no address") }
    return AddressRule(network: Array(repeating: 0, count: 10) + [255, 255] + parts, prefix: 128, port: nil, description: text)
}

@Sendable func checkPattern(_ pattern: String) -> String? {
    if pattern.contains("(?=") || pattern.contains("(?!") { return "look-around is not supported" }
    if pattern.utf8.count > 10_000 { return "pattern too large - compile failed" }
    do {
        _ = try NSRegularExpression(pattern: pattern)
        return nil
    } catch {
        return "syntax error"
    }
}
