import ArgumentParser
import ConfigurationLoading
import Conversation
import Testing

@testable import Switchboard

struct StorePlanTests {
    private static let shared = "postgres://gateway:s3cret@db/app"

    private func plan(
        _ options: [String] = [], _ environment: [String: String] = [:], _ stores: StoresConfiguration = .init()
    ) throws -> StorePlan {
        try StorePlan(options: ServeOptions.parse(options), environment: environment, stores: stores, defaultPath: "/data/file.sqlite")
    }

    @Test func theOptionGoesBeforeTheEnvironmentAndThatBeforeTheFile() throws {
        let stores = StoresConfiguration(main: .file("yaml"))
        let environment = ["SWITCHBOARD_STORE": "sqlite:environment", "SWITCHBOARD_BUS": "nats://h"]
        #expect(try plan().main == .file("/data/file.sqlite"))
        #expect(try plan([], [:], stores).main == .file("yaml"))
        #expect(try plan([], environment, stores).main == .file("environment"))
        #expect(try plan(["--store", "sqlite:option"], environment, stores).main == .file("option"))
        #expect(try plan([], ["SWITCHBOARD_STORE": "", "SWITCHBOARD_BUS": ""], stores).main == .file("yaml"))
        #expect(try plan([], environment).bus == .nats(Secret("nats://h")))
        #expect(try plan(["--bus", "embedded"], environment).bus == .embedded)
    }

    @Test func aFileThatOnlyOneProcessOpensMakesThatOneDoEverything() throws {
        for role in ["intake", "worker"] {
            #expect { try plan(["--role", role]) } throws: { "\($0)".contains("--role all") }
            #expect(try plan(["--role", role, "--store", Self.shared]).isShared)
            let mixed = StoresConfiguration(named: ["own": .file("x")], brands: [BrandID(rawValue: "salon"): "own"])
            #expect { try plan(["--role", role, "--store", Self.shared], [:], mixed) } throws: { "\($0)".contains("store own is sqlite:x") }
        }
        #expect(try !plan(["--role", "all"]).isShared)
    }

    @Test func aStoreThatNoBrandIsInIsNotOpened() throws {
        let stores = StoresConfiguration(
            named: ["used": .file("a"), "idle": .file("b")], brands: [BrandID(rawValue: "salon"): "used"])
        #expect(try plan([], [:], stores).named == ["used": .file("a")])
    }

    @Test func theDefaultStoreHasNoSecondName() throws {
        let stores = StoresConfiguration(
            named: ["own": try StoreLocation(Self.shared)], brands: [BrandID(rawValue: "salon"): "own"])
        #expect { try plan(["--store", Self.shared], [:], stores) } throws: {
            "\($0)".contains("stores.named.own") && !"\($0)".contains("s3cret")
        }
    }

    /// It works on one node, and is the way by which brands move one by one; a second node would see a part.
    @Test func storesOfTwoKindsAreWarnedOf() throws {
        let brands = [BrandID(rawValue: "salon"): "own"]
        let file = StoresConfiguration(named: ["own": .file("x")], brands: brands)
        let large = StoresConfiguration(named: ["own": try StoreLocation(Self.shared)], brands: brands)
        for (options, stores, place) in [
            (["--store", Self.shared], file, "store own is sqlite:x"), ([], large, "the default store is sqlite:/data/file.sqlite"),
        ] {
            let warnings = try plan(options, [:], stores).warnings
            #expect(warnings.count == 1)
            #expect(warnings.allSatisfy { $0.hasPrefix(place) && $0.contains("second node") && !$0.contains("s3cret") }, "\(warnings)")
        }
        #expect(try plan([], [:], file).warnings.isEmpty)
        #expect(try plan(["--store", "postgres://gateway@db/other"], [:], large).warnings.isEmpty)
        let idle = StoresConfiguration(named: ["own": .file("x")])
        #expect(try plan(["--store", Self.shared], [:], idle).warnings.isEmpty, "what no brand is in is not opened")
    }

    @Test(arguments: [
        ["--store", "mysql:s3cret"], ["--bus", "redis:s3cret"], ["--role", "boss"], ["--node", "a b"], ["--node", ""], ["--store", ""],
    ])
    func badOptionsAreRefusedWithoutRepeatingAURL(_ options: [String]) {
        #expect { try ServeOptions.parse(options) } throws: { !ServeOptions.message(for: $0).contains("s3cret") }
    }

    @Test func aBadVariableIsNamedAndNotRepeated() {
        #expect { try plan([], ["SWITCHBOARD_STORE": "mysql:s3cret"]) } throws: {
            "\($0)".contains("SWITCHBOARD_STORE") && !"\($0)".contains("s3cret")
        }
        #expect { try plan([], ["SWITCHBOARD_BUS": "s3cret"]) } throws: {
            "\($0)".contains("SWITCHBOARD_BUS") && !"\($0)".contains("s3cret")
        }
    }

    @Test func aMachinesNameCanBeANodesName() {
        #expect(NodeName.isGood(NodeName.ofMachine))
        #expect(NodeName.isGood("eu-west_1.example") && !NodeName.isGood("a/b") && !NodeName.isGood(String(repeating: "a", count: 64)))
    }
}
