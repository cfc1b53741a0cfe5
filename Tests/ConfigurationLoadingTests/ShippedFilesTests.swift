import Conversation
import Foundation
import Testing

@testable import ConfigurationLoading

/// The files in `config/` and `channels/` as they are shipped.
@Suite struct ShippedFilesTests {
    private static let names = [
        "SWITCHBOARD_OPERATOR_KEY", "WHATSAPP_APP_SECRET", "WHATSAPP_VERIFY_TOKEN", "SALON_ADMIN_KEY", "SALON_API_TOKEN",
        "SALON_SIGNING_SECRET",
        "SALON_WHATSAPP_TOKEN", "SALON_JWT_SECRET", "SALON_APP_KEY", "JOBS_ADMIN_KEY", "JOBS_API_TOKEN", "JOBS_SIGNING_SECRET",
        "JOBS_WHATSAPP_TOKEN", "JOBS_JWT_SECRET", "JOBS_APP_KEY",
    ]

    private static let whatsApp = ChannelDescriptor(
        name: ChannelName(rawValue: "whatsapp"),
        appSettings: [
            SettingRule("app_secrets", .secrets, required: true), SettingRule("verify_token", .secret, required: true),
            SettingRule("graph_url", .url, required: true), SettingRule("allow_private_addresses", .addresses),
        ],
        instanceSettings: [SettingRule("phone_number_id", .text, required: true), SettingRule("access_token", .secret, required: true)],
        address: { instance in
            guard let app = instance.settings.text("app"), let number = instance.settings.text("phone_number_id") else { return nil }
            return InstanceAddress(channel: instance.channel, app: app, account: number)
        })

    private static let web = ChannelDescriptor(
        name: ChannelName(rawValue: "web"), appSettings: [],
        instanceSettings: [
            SettingRule("origins", .texts, required: true), SettingRule("app_keys", .secrets),
            SettingRule("jwt", .group([SettingRule("hs256_secret", .secret)])), SettingRule("opens_per_minute", .integer),
        ],
        address: { InstanceAddress(channel: $0.channel, app: "web", account: $0.id.rawValue) })

    private func load() -> LoadedConfiguration {
        let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
        let environment = Dictionary(uniqueKeysWithValues: Self.names.map { ($0, "a-quite-long-value-of-\($0.lowercased())") })
        return ConfigurationLoader(
            root: "\(package)/config", channelsRoot: "\(package)/channels", environment: environment, channels: [Self.whatsApp, Self.web],
            parseAddressRule: parseAddress, validatePattern: checkPattern
        ).load()
    }

    @Test func everyShippedFileIsInOrder() {
        let loaded = load()
        #expect(loaded.problems.map(\.description) == [])
        #expect(ConfigurationReport(loaded).summary == "2 brands, 4 instances, 13 actions: ok")
        #expect(loaded.apps[Self.whatsApp.name]?.map(\.name) == ["main"])
    }

    @Test func theDemoBrandsHaveTheirFixedNames() throws {
        let brands = load().brands
        #expect(brands.map(\.id.rawValue) == ["jobs", "salon"])
        #expect(brands.flatMap(\.instances).map(\.id.rawValue) == ["jobs-whatsapp", "jobs-web", "salon-whatsapp", "salon-web"])
        #expect(brands.flatMap(\.instances).compactMap { $0.settings.text("phone_number_id") } == ["106540352242999", "106540352242922"])
        let web = brands.flatMap(\.instances).filter { $0.channel == Self.web.name }
        #expect(web.allSatisfy { $0.acceptGuests && !$0.settings.texts("origins").isEmpty && $0.settings.secrets("app_keys").count == 1 })
        #expect(
            web.map { $0.settings.group("jwt")?.secret("hs256_secret")?.reveal() } == [
                "a-quite-long-value-of-jobs_jwt_secret", "a-quite-long-value-of-salon_jwt_secret",
            ])
        #expect(brands.map(\.timeZone) == ["America/Los_Angeles", "America/New_York"])
        let book = try #require(brands.last?.action(named: "book_service"))
        #expect(book.params.map(\.name) == ["service", "start", "phone"])
        #expect(book.refusedParameter == "start")
        #expect((book.safety, book.conflict, book.compensate) == (.idempotent, .retry, "cancel_booking"))
    }

    @Test func withoutItsVariablesABrandStopsAndTheOtherRuns() {
        let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
        let names = Self.names.filter { !$0.hasPrefix("JOBS") }
        let loaded = ConfigurationLoader(
            root: "\(package)/config", channelsRoot: "\(package)/channels",
            environment: Dictionary(uniqueKeysWithValues: names.map { ($0, "a-quite-long-value-of-\($0)") }),
            channels: [Self.whatsApp, Self.web],
            parseAddressRule: parseAddress, validatePattern: checkPattern
        ).load()
        #expect(loaded.brands.map(\.id.rawValue) == ["salon"])
        #expect(
            loaded.errors.map(\.key) == [
                "keys[0].key", "api.auth.bearer", "api.signing_secrets[0]", "instances[0].access_token", "instances[1].jwt.hs256_secret",
                "instances[1].app_keys[0]",
            ])
        #expect(loaded.errors.allSatisfy { $0.what.hasPrefix("environment variable JOBS_") })
    }

    @Test func everyActionHasEnoughExamplesAndNoneTwice() {
        for brand in load().brands {
            let examples = brand.actions.flatMap(\.examples).map { $0.lowercased() }
            #expect(Set(examples).count == examples.count, "an example of \(brand.id) stands twice")
            for action in brand.actions {
                #expect(action.examples.count >= (action.canonicalName == "book_service" ? 25 : 10), "\(action.canonicalName)")
            }
        }
    }

    @Test func noPatternTakesAnotherActionsExample() throws {
        for brand in load().brands {
            for intent in brand.intents {
                for pattern in try intent.patterns.map({ try NSRegularExpression(pattern: $0) }) {
                    for action in brand.actions where action.canonicalName != intent.action {
                        let taken = action.examples.filter { pattern.firstMatch(in: $0, range: NSRange($0.startIndex..., in: $0)) != nil }
                        #expect(taken == [], "\(pattern.pattern) takes examples of \(action.canonicalName)")
                    }
                }
            }
        }
    }

    @Test func everyPatternTakesSomething() throws {
        for brand in load().brands {
            for intent in brand.intents {
                let examples = intent.examples + (intent.action.flatMap { brand.action(named: $0)?.examples } ?? [])
                for pattern in try intent.patterns.map({ try NSRegularExpression(pattern: $0) }) {
                    #expect(
                        examples.contains { pattern.firstMatch(in: $0, range: NSRange($0.startIndex..., in: $0)) != nil },
                        "\(pattern.pattern)")
                }
            }
        }
    }
}
