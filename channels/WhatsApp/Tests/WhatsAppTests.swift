import Conversation
import Testing

@testable import WhatsApp

@Suite struct DescriptorTests {
    @Test func anInstanceIsAddressedByAppAndNumber() {
        let settings = Settings([
            "app": .text("main"), "phone_number_id": .text("106540352242922"), "access_token": .secret(Secret("token")),
        ])
        let instance = InstanceConfiguration(
            id: InstanceID(rawValue: "salon-whatsapp"), brand: BrandID(rawValue: "salon"), channel: ChannelName(rawValue: "whatsapp"),
            settings: settings)
        #expect(WhatsAppChannel.descriptor.address(instance)?.description == "whatsapp/main/106540352242922")
        var other = instance
        other.channel = ChannelName(rawValue: "web")
        #expect(WhatsAppChannel.descriptor.address(other) == nil)
    }

    @Test func everyCredentialIsARequiredSecret() {
        let rules = WhatsAppChannel.descriptor.appSettings + WhatsAppChannel.descriptor.instanceSettings
        for key in ["app_secrets", "verify_token", "access_token"] {
            let rule = rules.first { $0.key == key }
            #expect(rule?.required == true)
            #expect(rule?.kind == (key == "app_secrets" ? .secrets : .secret))
        }
    }

    @Test func everyPayloadOfTheChannelIsReadWithoutLoss() throws {
        let names = try Payload.names()
        #expect(names.count > 35)
        for name in names {
            for item in try Payload.items(name) {
                if case .unreadable(let reason, _, _) = item { Issue.record("\(name): \(reason)") }
                if case .ignored(let reason) = item { Issue.record("\(name): \(reason)") }
            }
        }
    }
}
