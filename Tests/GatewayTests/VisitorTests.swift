import Conversation
import Gateway
import Signing
import Storage
import TestKit
import Testing

struct VisitorTests {
    private let salon = PageWorld.salon

    @Test func aGuestIsANewUserWithATokenAndAWayBack() async throws {
        try await PageWorld.with { world in
            let visit = try await world.guest()
            #expect(visit.user.tier == "visitor" && !visit.user.isVerified)
            #expect(visit.user.identifiers == [Identifier(kind: .guest, value: visit.user.id.description)])
            #expect(visit.expiresAt == world.clock.now + .seconds(12 * 3600))
            for text in [visit.token, try #require(visit.resumeSecret)] { #expect(Base64.decode(text)?.count == 32) }
            let visitor = try #require(try await world.visitor(visit))
            #expect(visitor.user == visit.user.id && visitor.instance == salon.id && visitor.brand == salon.brand)
            let session = try await world.brand().read { try $0.session(visit.session) }
            #expect(session?.user == visit.user.id && session?.instance == salon.id)
            // The intake finds the guest again under the identifier that the visitor carries.
            let found = try await world.brand().write { transaction in
                try transaction.resolveUser(
                    channel: salon.channel, sender: Sender(identifiers: [visitor.identifier]), tier: "other", verified: true)
            }
            #expect(found == visit.user.id)
        }
    }

    @Test func theResumeSecretLeadsBackAndStaysTheSame() async throws {
        try await PageWorld.with { world in
            let first = try await world.guest()
            let again = try await world.guest(first.resumeSecret)
            #expect(again.user == first.user && again.session == first.session)
            #expect(again.resumeSecret == first.resumeSecret && again.token != first.token)
            #expect(try await world.visitor(first) == world.visitor(again))
            // Thirty days from the last use, not from the first.
            for _ in 0..<3 {
                world.clock.advance(by: .seconds(29 * 86_400))
                #expect(try await world.guest(first.resumeSecret).user.id == first.user.id)
            }
            world.clock.advance(by: .seconds(30 * 86_400))
            let late = try await world.guest(first.resumeSecret)
            #expect(late.user.id != first.user.id && late.resumeSecret != first.resumeSecret)
        }
    }

    @Test func aSilenceEndsTheSessionAndAVisitDoesNotProlongIt() async throws {
        try await PageWorld.with { world in
            let first = try await world.guest()
            world.clock.advance(by: .seconds(1200))
            #expect(try await world.guest(first.resumeSecret).session == first.session)
            world.clock.advance(by: .seconds(1200))
            let later = try await world.guest(first.resumeSecret)
            #expect(later.session != first.session && later.user.id == first.user.id)
            #expect(try await world.brand().read { try $0.session(first.session)?.endedAt } == world.clock.now)
        }
    }

    @Test func aSecretThatOpensNothingMakesANewGuest() async throws {
        try await PageWorld.with { world in
            let owner = try await world.guest()
            let secret = try #require(owner.resumeSecret)
            let jobs = try await world.guest(at: PageWorld.jobs)
            var flipped = Array(secret.utf8)
            flipped[0] = flipped[0] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            let guesses = [
                "", "x", secret.uppercased(), String(secret.dropLast()), secret + "=", " " + secret,
                String(decoding: flipped, as: UTF8.self),
                owner.token, owner.user.id.description, owner.session.description, try #require(jobs.resumeSecret),
                Base64.encodeURL(Digest.sha256(Array(secret.utf8))), String(repeating: "A", count: 43),
                String(repeating: "é", count: 50_000),
                "' OR 1=1 --",
            ]
            var seen = Set([owner.user.id, jobs.user.id])
            for guess in guesses {
                let visit = try await world.guest(guess)
                #expect(seen.insert(visit.user.id).inserted, "\(guess.prefix(50)) opened somebody's conversation")
                #expect(visit.resumeSecret != guess && visit.session != owner.session)
            }
            // Of another instance of the same brand, and of the other brand.
            for instance in [PageWorld.salonApp, PageWorld.jobs] {
                #expect(try await seen.insert(world.guest(secret, at: instance).user.id).inserted)
            }
            #expect(try await world.guest(secret).user.id == owner.user.id)
        }
    }

    @Test func aTokenOpensItsOwnInstanceUntilItExpires() async throws {
        try await PageWorld.with { world in
            let visit = try await world.guest()
            for instance in [PageWorld.salonApp, PageWorld.jobs] { #expect(try await world.visitor(visit, at: instance) == nil) }
            for wrong in [
                "", "x", visit.token + "A", String(visit.token.dropLast()), try #require(visit.resumeSecret), visit.token.lowercased(),
            ] {
                #expect(try await world.desk.visitor(token: wrong, at: salon) == nil)
                #expect(try await world.desk.visitor(token: wrong) == nil)
            }
            #expect(try await world.desk.visitor(token: visit.token)?.user == visit.user.id)
            let elsewhere = try await world.guest(at: PageWorld.jobs)
            #expect(try await world.desk.visitor(token: elsewhere.token)?.brand == PageWorld.jobs.brand)
            world.clock.advance(by: .seconds(12 * 3600 - 1))
            #expect(try await world.visitor(visit) != nil)
            world.clock.advance(by: .seconds(1))
            #expect(try await world.visitor(visit) == nil)
            #expect(try await world.desk.visitor(token: visit.token) == nil)
        }
    }

    @Test func aTokenOfAnInstanceThatIsGoneIsNobodys() async throws {
        try await PageWorld.with { world in
            let visit = try await world.guest()
            world.registry.replace(brands: [], descriptors: [])
            #expect(try await world.desk.visitor(token: visit.token) == nil)
        }
    }

    @Test func atOnceOneSecretIsOneUserWithOneSession() async throws {
        try await PageWorld.with { world in
            let secret = try #require(try await world.guest().resumeSecret)
            world.clock.advance(by: .seconds(3600))
            let visits = try await withThrowingTaskGroup(of: Visit.self) { group in
                for _ in 0..<50 { group.addTask { try await world.guest(secret) } }
                return try await group.reduce(into: [Visit]()) { $0.append($1) }
            }
            #expect(Set(visits.map(\.user.id)).count == 1 && Set(visits.map(\.session)).count == 1)
            #expect(Set(visits.map(\.token)).count == 50)
            let active = try await world.brand().read { try $0.sessions(after: nil, limit: 100) }.filter { $0.endedAt == nil }
            #expect(active.count == 1)
        }
    }

    @Test func whoSignsInIsKnownByTheBrandsIdAlone() async throws {
        try await PageWorld.with { world in
            let phone = Identifier(kind: .phone, value: "+12125550100")
            let first = try await world.member([Identifier(kind: .brandUser, value: "c-1"), phone], name: "First")
            #expect(first.user.isVerified && first.user.tier == "member" && first.resumeSecret == nil)
            #expect(first.user.brandFacingID == "c-1" && first.user.identifier(.phone) == "+12125550100")
            let again = try await world.member([Identifier(kind: .brandUser, value: "c-1")])
            #expect(again.user.id == first.user.id && again.session == first.session)
            // The same phone in another customer's token makes nobody the other.
            let other = try await world.member([Identifier(kind: .brandUser, value: "c-2"), phone])
            #expect(other.user.id != first.user.id && other.user.identifier(.phone) == nil)
            // What the brand says now takes the place of what it said before.
            let moved = try await world.member(
                [Identifier(kind: .brandUser, value: "c-1"), Identifier(kind: .phone, value: "+12125550199")])
            #expect(moved.user.id == first.user.id)
            #expect(moved.user.identifiers.filter { $0.kind == .phone }.map(\.value) == ["+12125550199"])
            #expect(try await world.member([phone], at: PageWorld.jobs).user.id != first.user.id)
            await #expect(throws: StageError.self) { try await world.member([]) }
        }
    }

    @Test func aGuestsIdIsNoWayToSignInAsThem() async throws {
        try await PageWorld.with { world in
            let guest = try await world.guest()
            let member = try await world.member([Identifier(kind: .brandUser, value: guest.user.id.description)])
            #expect(member.user.id != guest.user.id)
        }
    }

    @Test func languageAndTimeZoneAreKept() async throws {
        try await PageWorld.with { world in
            let visit = try await world.desk.open(
                VisitRequest(proof: .guest(resumeSecret: nil), locale: "de-DE", timeZone: "Europe/Berlin"), at: salon)
            #expect(visit.user.locale == "de-DE" && visit.user.timeZone == "Europe/Berlin")
            let again = try await world.desk.open(
                VisitRequest(proof: .guest(resumeSecret: visit.resumeSecret), locale: "fr"), at: salon)
            #expect(again.user.locale == "fr" && again.user.timeZone == "Europe/Berlin")
        }
    }

    @Test func secretsAreStoredAsHashesAndExpiredRowsGo() async throws {
        try await PageWorld.with { world in
            let old = try await world.guest()
            let hash = Digest.sha256(Array(old.token.utf8))
            #expect(try await world.brand().read { try $0.visit(tokenHash: hash) }?.user == old.user.id)
            #expect(try await world.brand().read { try $0.visit(tokenHash: Array(old.token.utf8)) } == nil)
            world.clock.advance(by: .seconds(31 * 86_400))
            _ = try await world.guest()
            // Put the time back: what is gone does not come again.
            world.clock.advance(by: .seconds(-31 * 86_400))
            #expect(try await world.visitor(old) == nil)
            #expect(try await world.guest(old.resumeSecret).user.id != old.user.id)
        }
    }
}
