package import Conversation

/// WhatsApp through Meta's Cloud API: signed webhooks in, the Graph API out.
package struct WhatsAppChannel: Channel {
    /// Under which the channel stands in configuration and addresses.
    package static let name = ChannelName(rawValue: "whatsapp")

    /// What `channel.yaml` and an instance of a brand may and must say. Events find an instance by app and `phone_number_id`.
    package static let descriptor = ChannelDescriptor(
        name: WhatsAppChannel.name,
        appSettings: [
            SettingRule("app_secrets", .secrets, required: true), SettingRule("verify_token", .secret, required: true),
            SettingRule("graph_url", .url, required: true), SettingRule("allow_private_addresses", .addresses),
        ],
        instanceSettings: [
            SettingRule("app", .text, required: true), SettingRule("phone_number_id", .text, required: true),
            SettingRule("access_token", .secret, required: true),
        ],
        address: { instance in
            guard instance.channel == WhatsAppChannel.name, let app = instance.settings.text("app"),
                let number = instance.settings.text("phone_number_id")
            else { return nil }
            return InstanceAddress(channel: WhatsAppChannel.name, app: app, account: number)
        })

    let apps: [String: App]
    let intake: any Intake
    let http: any HTTPClient
    let authenticator: any Authenticator

    /// Prepares the keys of every app secret once. Of two apps with one name the last counts.
    package init(apps: [ChannelApp], intake: any Intake, http: any HTTPClient, authenticator: any Authenticator) {
        self.apps = Dictionary(apps.map { ($0.name, App($0, authenticator: authenticator)) }) { $1 }
        self.intake = intake
        self.http = http
        self.authenticator = authenticator
    }

    /// The same for every value of this type.
    package var descriptor: ChannelDescriptor { Self.descriptor }

    /// Meta's limits of texts, buttons and lists; Meta proves who writes.
    package var capabilities: ChannelCapabilities {
        ChannelCapabilities(
            maxTextLength: Limits.text, maxButtons: Limits.buttons, maxListRows: Limits.rows, provesIdentity: true)
    }
}

/// One Meta app, ready for use.
struct App: Sendable {
    let name: String
    /// One per app secret; several are valid while a secret is being replaced.
    let keys: [any AuthenticationKey]
    /// Empty when none is configured; then no handshake succeeds.
    let verifyToken: [UInt8]
    /// Without a slash at the end.
    let graphURL: String
    let allowedAddresses: [AddressRule]

    init(_ app: ChannelApp, authenticator: any Authenticator) {
        name = app.name
        keys = app.settings.secrets("app_secrets").filter { !$0.isEmpty }.map(authenticator.key)
        verifyToken = Array((app.settings.secret("verify_token")?.reveal() ?? "").utf8)
        var url = Substring(app.settings.text("graph_url") ?? "")
        while url.hasSuffix("/") { url.removeLast() }
        graphURL = String(url)
        allowedAddresses = app.settings.addresses("allow_private_addresses")
    }
}
