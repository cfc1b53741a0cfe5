import Conversation
import Foundation
import Testing
import Web

@testable import ConfigurationLoading

/// Keeps `docs/` true.
@Suite struct DocumentationTests {
    private func page(_ name: String) throws -> String {
        let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: package.appending(path: "docs/\(name)"), encoding: .utf8)
    }

    /// The loader names all keys of a mapping that holds nothing like the unknown one, so planting an unknown key in every mapping lists them.
    @Test func theReferenceNamesEveryKey() throws {
        let fixture = try Fixture()
        let unknown = "zzzzzzzzzzzz: 1"
        let headings = [
            ("api:\n", 2), ("queue:\n", 2), ("llm:\n", 2), ("  main:\n", 4), ("    request:\n", 6), ("- id: shop-chat\n", 4),
            ("- name: account\n", 4),
            ("display_name: Cancel\n", 4),
        ]
        for file in [
            "config/switchboard.yaml", "channels/Messenger/channel.yaml", "config/brands/shop/brand.yaml",
            "config/brands/shop/actions.yaml",
            "config/brands/shop/schemas.yaml", "config/brands/shop/intents.yaml", "config/brands/shop/policies.yaml",
        ] {
            var text = try String(contentsOfFile: "\(fixture.root)/\(file)", encoding: .utf8)
            text = text.replacingOccurrences(of: "{ ", with: "{ \(unknown), ")
            for (line, indent) in headings {
                text = text.replacingOccurrences(of: line, with: line + String(repeating: " ", count: indent) + unknown + "\n")
            }
            try fixture.write(file, text + unknown + "\n")
        }
        let found = fixture.load().errors.filter { $0.what == "unknown key \"zzzzzzzzzzzz\"" }
        let keys = Set(found.flatMap { $0.remedy.dropFirst("known: ".count).split(separator: ", ").map(String.init) })
        #expect(keys.count > 100, "only \(keys.count) keys found")
        let reference = try page("configuration.md")
        // Settings of the channel that these tests make up are not ours to document.
        let documented = keys.subtracting(["account", "origins", "per_second", "muted", "colours", "jwt", "hs256_secret"])
        for key in documented.sorted() {
            #expect(reference.contains(key), "docs/configuration.md does not name \(key)")
        }
    }

    @Test func theBrandOfTheGuideLoads() throws {
        var fixture = try Fixture()
        let guide = try page("adding-a-brand.md")
        let blocks = guide.components(separatedBy: "```yaml\n").dropFirst().compactMap { $0.components(separatedBy: "```").first }
        try #require(blocks.count == 4)
        for (name, block) in zip(["brand.yaml", "schemas.yaml", "actions.yaml", "templates.yaml"], blocks) {
            let text = block.replacing("channel: whatsapp", with: "channel: messenger").replacing("phone_number_id", with: "account")
            try fixture.write("config/brands/bakery/\(name)", text)
        }
        fixture.environment.merge(
            [
                "BAKERY_ADMIN_KEY": "bakery-key-0123456789", "BAKERY_API_URL": "https://bakery.test", "BAKERY_API_TOKEN": "t",
                "BAKERY_SIGNING_SECRET": "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", "BAKERY_WHATSAPP_TOKEN": "t",
            ]) { $1 }
        fixture.channels.append(WebChannel.descriptor)
        let loaded = fixture.load()
        #expect(loaded.problems.map(\.description) == [])
        #expect(loaded.brands.map(\.id.rawValue) == ["bakery", "gym", "shop"])
        let line = 1 + blocks[2].prefix(upTo: try #require(blocks[2].range(of: "{ name: cake")).lowerBound).count { $0 == "\n" }
        #expect(guide.contains("actions.yaml:\(line): actions[0].params[0].from.schema"), "the mistake of the guide is in line \(line)")
    }
}
