import Conversation
import Foundation
import Testing

@testable import ConfigurationLoading

struct StoreLocationTests {
    @Test(arguments: [
        ("sqlite:/var/lib/x.sqlite", "sqlite:/var/lib/x.sqlite"), ("SQLite:relative file.db", "sqlite:relative file.db"),
        ("postgres://gateway:s3cret@db:5432/app", "postgres://gateway:•••@db:5432/app"),
        ("postgresql://gateway@db/app", "postgresql://gateway@db/app"), ("postgres://db/app?user=u&password=s3cret", "postgres://db/app"),
        ("postgres://u:s3cret/and@more@db/app", "postgres://u:•••@db/app"), ("postgres:///app?host=/run", "postgres:///app"),
        ("postgres://u:@db", "postgres://u:•••@db"),
    ])
    func aStoreIsShownWithoutItsPassword(_ text: String, _ shown: String) throws {
        let location = try StoreLocation(text)
        #expect(location.shown == shown && !"\(location)".contains("s3cret"))
        #expect(location.isShared == text.hasPrefix("postgres"))
    }

    @Test(arguments: ["", "sqlite:", "mysql://s3cret@h/x", "postgres://", "postgres://u:s3cret@h /x", "postgres://h/\n", "/var/s3cret"])
    func whatIsNoStoreIsRefusedWithoutBeingRepeated(_ text: String) {
        #expect { try StoreLocation(text) } throws: { !"\($0)".contains("s3cret") && "\($0)".count > 20 }
    }

    @Test(arguments: [
        ("embedded", "embedded"), ("nats://127.0.0.1:4222", "nats://127.0.0.1:4222"), ("nats://u:s3cret@a:1", "nats://•••@a:1"),
        ("nats://s3cret@a", "nats://•••@a"), ("tls://u:s3cret@a,b:4223?replicas=3", "tls://•••@a,b:4223"),
    ])
    func aBusIsShownWithoutPasswordAndToken(_ text: String, _ shown: String) throws {
        let location = try BusLocation(text)
        #expect(location.shown == shown && !"\(location)".contains("s3cret"))
    }

    @Test(arguments: ["", "nats", "nats://", "redis://s3cret@h", "nats://a, b", "Embedded"])
    func whatIsNoBusIsRefusedWithoutBeingRepeated(_ text: String) {
        #expect { try BusLocation(text) } throws: { !"\($0)".contains("s3cret") && "\($0)".count > 20 }
    }
}

struct StoresSectionTests {
    private func load(_ section: String, _ environment: [String: String] = [:]) throws -> LoadedConfiguration {
        var fixture = try Fixture()
        fixture.environment.merge(environment) { $1 }
        let text = try String(contentsOfFile: fixture.root + "/config/switchboard.yaml", encoding: .utf8)
        try fixture.write("config/switchboard.yaml", text + "\n" + section)
        return fixture.load()
    }

    @Test func brandsAreMappedToStores() throws {
        let loaded = try load(
            """
            stores:
              default: "sqlite:/data/main.sqlite"
              named: { big: "postgres://u:${PW}@h/db", small: sqlite:small.sqlite }
              brands: { shop: big, gym: small }
            """, ["PW": "a-password"])
        #expect(loaded.problems.map(\.description) == [])
        let stores = loaded.server.stores
        #expect(stores.main == .file("/data/main.sqlite"))
        #expect(stores.named == ["big": .postgreSQL(Secret("postgres://u:a-password@h/db")), "small": .file("small.sqlite")])
        #expect(stores.brands == [BrandID(rawValue: "shop"): "big", BrandID(rawValue: "gym"): "small"])
    }

    @Test func withoutTheSectionAllIsAsItWas() throws {
        let stores = try Fixture().load().server.stores
        #expect(stores == StoresConfiguration())
        #expect(try load("stores: { default: \"${NONE:-}\" }").server.stores.main == nil)
    }

    @Test(arguments: [
        ("stores: { brands: { shpo: big }, named: { big: sqlite:b } }", "stores.brands.shpo", "there is no brand \"shpo\"", "\"shop\""),
        ("stores: { brands: { shop: bg }, named: { big: sqlite:b } }", "stores.brands.shop", "there is no store \"bg\"", "\"big\""),
        ("stores: { brands: { shop: default } }", "stores.brands.shop", "there is no store \"default\"", "define it first"),
        ("stores: { named: { big: \"mysql://u:a-password@h\" } }", "stores.named.big", "names no store", "postgres://"),
        ("stores: { default: \"oracle:a-password\" }", "stores.default", "names no store", "sqlite:PATH"),
        (
            "stores: { named: { a: sqlite:x, b: sqlite:x }, brands: { shop: a } }", "stores.named.b", "the same store as a",
            "several brands share"
        ),
        (
            "stores: { default: sqlite:x, named: { a: sqlite:x }, brands: { shop: a } }", "stores.named.a", "the same store as default",
            "several brands share"
        ),
        ("stores: { named: { Big: sqlite:x } }", "stores.named.Big", "cannot be the name of a store", "hyphens"),
        ("stores: { named: { default: sqlite:x } }", "stores.named.default", "cannot be the name of a store", "the one above"),
        ("stores: { main: sqlite:x }", "stores.main", "unknown key \"main\"", "named"),
        ("stores: [sqlite:x]", "stores", "is not a mapping", "default, named, brands"),
    ])
    func whatIsWrongIsNamedWithItsPlace(_ section: String, _ key: String, _ what: String, _ remedy: String) throws {
        let loaded = try load(section)
        let problem = try #require(loaded.fatalProblems.first, "\(section)")
        #expect(problem.key == key && problem.what.contains(what) && problem.remedy.contains(remedy), "\(problem)")
        #expect(problem.file.hasSuffix("config/switchboard.yaml") && problem.line > 1)
        #expect(!loaded.problems.contains { $0.description.contains("a-password") })
    }

    @Test func aStoreThatNoBrandIsInIsOnlyAWarning() throws {
        let loaded = try load("stores: { named: { idle: sqlite:x } }")
        #expect(loaded.fatalProblems.isEmpty && loaded.warnings.map(\.key) == ["stores.named.idle"])
    }
}
