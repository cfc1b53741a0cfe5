import Conversation
import Foundation
import Testing

@testable import ConfigurationLoading

@Suite struct BrokenConfigurationTests {
    @Test(arguments: BrokenConfiguration.inBrand + BrokenConfiguration.inActions + BrokenConfiguration.elsewhere)
    func aMistakeInABrandIsPlacedAndStopsThatBrandAlone(_ broken: BrokenConfiguration) throws {
        let loaded = try load(broken)
        try expectProblem(broken, in: loaded.stopped.first?.problems ?? [])
        #expect(loaded.stopped.map(\.folder) == ["shop"])
        #expect(loaded.brands.map(\.id.rawValue) == ["gym"])
        #expect(loaded.fatalProblems.isEmpty)
    }

    @Test(arguments: BrokenConfiguration.inInstallation)
    func aMistakeOutsideTheBrandsIsPlacedAndFatal(_ broken: BrokenConfiguration) throws {
        let loaded = try load(broken)
        try expectProblem(broken, in: loaded.fatalProblems)
        #expect(loaded.fatalProblems.count == loaded.errors.count)
    }

    private func load(_ broken: BrokenConfiguration) throws -> LoadedConfiguration {
        let fixture = try Fixture()
        if let old = broken.old { try fixture.replace(broken.file, old, broken.new) } else { try fixture.write(broken.file, broken.new) }
        let loaded = fixture.load()
        // The line is looked up here because the folder goes away with the fixture.
        let text = try String(contentsOfFile: "\(fixture.root)/\(broken.file)", encoding: .utf8)
        let place = text.range(of: broken.at)?.lowerBound ?? text.startIndex
        let line = 1 + text[..<place].filter { $0 == "\n" }.count
        let marked = loaded.errors.filter { $0.file == "\(fixture.root)/\(broken.file)" && $0.line == line && $0.key == broken.key }
        #expect(!marked.isEmpty, "nothing in line \(line): \(loaded.errors)")
        return loaded
    }

    private func expectProblem(_ broken: BrokenConfiguration, in problems: [Problem]) throws {
        let found = problems.contains { $0.key == broken.key && $0.what.contains(broken.what) && $0.remedy.contains(broken.remedy) }
        #expect(found, "\(problems.map(\.description))")
    }

    @Test func theLineIsExact() throws {
        let fixture = try Fixture()
        try fixture.replace("config/brands/shop/actions.yaml", "    refused_parameter: item", "    refused_parameter: itm")
        let problem = try #require(fixture.load().errors.first)
        #expect(
            problem.description
                == "\(fixture.root)/config/brands/shop/actions.yaml:28: actions[0].refused_parameter: no parameter \"itm\"; "
                + "did you mean \"item\"?")
    }

    @Test func oneRunFindsEveryMistake() throws {
        let fixture = try Fixture()
        try fixture.replace("config/brands/shop/brand.yaml", "locale: en-GB", "locale: english")
        try fixture.replace("config/brands/shop/brand.yaml", "timeout_s: 20", "timeout_s: soon")
        try fixture.replace("config/brands/shop/actions.yaml", "conflict: done", "conflict: maybe")
        try fixture.replace("config/brands/shop/schemas.yaml", "ttl_s: 60", "ttl_s: long")
        try fixture.replace("config/brands/gym/brand.yaml", "name: The gym", "name: \"\"")
        let loaded = fixture.load()
        #expect(loaded.errors.map(\.key) == ["name", "actions[0].conflict", "locale", "api.timeout_s", "schemas[0].ttl_s"])
        #expect(loaded.stopped.map(\.folder) == ["gym", "shop"])
    }

    @Test func aMistakeIsToldOnce() throws {
        let fixture = try Fixture()
        try fixture.remove("config/brands/shop/schemas.yaml")
        try fixture.write("config/brands/shop/schemas.yaml", "schemas: [\n")
        let loaded = fixture.load()
        #expect(loaded.errors.map(\.key) == ["schemas.yaml"], "references into a file that cannot be read are not reported")
    }

    @Test func actionsThatWaitForEachOtherAreFound() throws {
        let fixture = try Fixture()
        try fixture.replace("config/brands/shop/actions.yaml", "after: []", "after: [cancel_order]")
        try fixture.replace(
            "config/brands/shop/actions.yaml", "    safety: queryable", "    eligibility: { after: [order_item] }\n    safety: queryable")
        let loaded = fixture.load()
        #expect(loaded.errors.map(\.key) == ["actions[0].eligibility", "actions[1].eligibility"])
        #expect(loaded.errors.allSatisfy { $0.what.contains("in a circle") })
    }

    @Test func bytesThatAreNotUTF8AreReportedInTheirLine() throws {
        let fixture = try Fixture()
        let url = URL(filePath: "\(fixture.root)/config/brands/shop/policies.yaml")
        try Data(Array("limits:\n  user_per_minute: ".utf8) + [0xFF, 0xFE]).write(to: url)
        let problem = try #require(fixture.load().errors.first)
        #expect((problem.line, problem.key) == (2, "policies.yaml"))
        #expect(problem.remedy == "save the file as UTF-8")
    }

    @Test func controlCharactersAreReportedInTheirLine() throws {
        let fixture = try Fixture()
        try fixture.write("config/brands/shop/policies.yaml", "limits:\n  # all\n  user_per_minute: \u{7}12\n")
        let problem = try #require(fixture.load().errors.first)
        #expect((problem.line, problem.key) == (3, "policies.yaml"), "\(problem)")
    }

    @Test func aBrandWithoutItsMainFileStops() throws {
        let fixture = try Fixture()
        try fixture.remove("config/brands/shop/brand.yaml")
        let loaded = fixture.load()
        #expect(loaded.stopped.map(\.folder) == ["shop"])
        #expect(loaded.errors.map(\.key) == ["brand.yaml"])
    }
}

@Suite struct SecrecyTests {
    /// Every place where a value of the environment could slip into a message.
    @Test func whatTheEnvironmentHoldsNeverStandsInAMessage() throws {
        var fixture = try Fixture()
        let marker = "XQZ"
        for name in fixture.environment.keys { fixture.environment[name] = marker }
        fixture.environment["SHOP_URL"] = "ftp://\(marker)"
        fixture.environment["NUMBER"] = "1\(marker)"
        fixture.environment["PATTERN"] = "(\(marker)"
        let file = "config/brands/shop/brand.yaml"
        try fixture.replace(file, "timeout_s: 20", "timeout_s: \"${NUMBER}\"")
        try fixture.replace(file, "accept_guests: true", "accept_guests: \"${NUMBER}\"")
        try fixture.replace(file, "role: admin", "role: \"${NUMBER}\"")
        try fixture.replace(file, "locale: en-GB", "locale: \"${PATTERN}\"")
        try fixture.replace(file, "app: main", "app: \"${NUMBER}\"")
        try fixture.replace("config/brands/shop/actions.yaml", "compensate: cancel_order", "compensate: \"${NUMBER}\"")
        try fixture.replace("config/brands/shop/actions.yaml", "'^.{1,80}$'", "\"${PATTERN}\"")
        try fixture.replace("config/brands/shop/actions.yaml", "{ reference: \"{task_id}\" }", "{ reference: \"{${NUMBER}}\" }")
        try fixture.replace("config/brands/shop/schemas.yaml", "name: debt, schema: account", "name: debt, schema: \"${NUMBER}\"")
        let loaded = fixture.load()
        #expect(loaded.errors.count >= 12)
        for problem in loaded.problems { #expect(!problem.description.contains(marker), "\(problem)") }
    }

    @Test(arguments: ["short-one", "line\nbreak-0123456789", ""])
    func badSecretsAreRefusedUnseen(_ secret: String) throws {
        var fixture = try Fixture()
        fixture.environment["SHOP_KEY"] = secret
        let loaded = fixture.load()
        #expect(loaded.stopped.map(\.folder) == ["shop"])
        #expect(loaded.errors.map(\.key) == ["keys[0].key"])
        if !secret.isEmpty { #expect(!ConfigurationReport(loaded).description.contains(secret)) }
    }

    @Test func aSecretWrittenIntoTheFileIsNotRepeated() throws {
        let fixture = try Fixture()
        try fixture.replace("config/brands/shop/brand.yaml", "${SHOP_SIGNING}", "whsec_/*literal*/")
        #expect(!ConfigurationReport(fixture.load()).description.contains("literal"))
    }
}
