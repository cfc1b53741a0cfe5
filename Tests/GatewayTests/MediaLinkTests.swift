import Conversation
import Testing

@testable import Gateway

@Suite struct MediaLinkTests {
    private let now = Timestamp(seconds: 1_800_000_000)
    private let session = SessionID(UniqueID(high: 1, low: 2))
    private let message = MessageID(UniqueID(high: 3, low: 4))

    private func links(_ brand: String = "salon", secrets: [String] = ["first-secret"], url: String? = "https://gateway.test/")
        -> MediaLinks
    {
        MediaLinks(
            BrandConfiguration(
                id: BrandID(rawValue: brand), name: brand,
                api: BrandAPI(baseURL: "http://salon.invalid", signingSecrets: secrets.map { Secret($0) }), tiers: ["visitor"],
                handover: HandoverConfiguration(publicURL: url, linksExpire: .seconds(60))))
    }

    private func token(_ links: MediaLinks) throws -> String {
        let link = try #require(links.link(to: message, in: session, now: now))
        #expect(link.hasPrefix("https://gateway.test/media/") && link.utf8.allSatisfy { $0 > 32 && $0 < 127 })
        return String(link.dropFirst("https://gateway.test/media/".count))
    }

    @Test func aLinkOpensItsMessageUntilItsEnd() throws {
        let token = try token(links())
        let target = MediaLinks.Target(brand: BrandID(rawValue: "salon"), session: session, message: message)
        #expect(MediaLinks.brand(of: token) == target.brand)
        #expect(links().target(of: token, now: now + .seconds(59)) == target)
        #expect(links().target(of: token, now: now + .seconds(60)) == nil)
        #expect(links(secrets: ["new-secret", "first-secret"]).target(of: token, now: now) == target, "while a secret is replaced")
    }

    @Test func nothingElseOpensAnything() throws {
        let token = try token(links())
        #expect(links(secrets: ["another-secret"]).target(of: token, now: now) == nil)
        #expect(links("jobs").target(of: token, now: now) == nil, "the same secret of another brand")
        #expect(links("jobs").target(of: "jobs" + token.dropFirst("salon".count), now: now) == nil)
        let parts = token.split(separator: ".").map(String.init)
        for (index, part) in parts.enumerated() {
            var changed = parts
            changed[index] = (part.first == "1" ? "2" : "1") + part.dropFirst()
            #expect(links().target(of: changed.joined(separator: "."), now: now) == nil, "part \(index)")
        }
        for broken in ["", ".", "....", "salon....", String(repeating: "a", count: 9_000), token + ".1", token.uppercased()] {
            #expect(links().target(of: broken, now: now) == nil)
        }
        #expect(MediaLinks.brand(of: String(repeating: "a.", count: 4) + String(repeating: "b", count: 9_000)) == nil)
    }

    @Test func withoutAnAddressThereAreNoLinks() {
        #expect(links(url: nil).link(to: message, in: session, now: now) == nil)
    }
}
