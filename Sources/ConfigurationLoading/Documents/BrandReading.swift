import Conversation
import Foundation

/// One brand's folder while it is read. Checks that need the whole brand are kept until all its files have been read.
final class BrandReading {
    let folder: String
    let path: String
    let loading: Loading
    private(set) var brand: BrandConfiguration?

    var tiers = ["guest", "verified"]
    var callTimeout: Duration = .seconds(30)
    /// Nil while `actions.yaml` cannot be read, so that its absence is told once and not by every reference to it.
    var actions: [ActionDefinition]?
    var schemas: [SchemaDefinition]?
    var blockers: [BlockerDefinition] = []
    /// Where each instance and each key stands, for checks over the whole installation.
    var instancePlaces: [(instance: InstanceConfiguration, entry: Entry)] = []
    var keyPlaces: [(key: Secret, entry: Entry)] = []
    var deskPlace: (id: String, entry: Entry)?
    private var later: [() -> Void] = []

    init(folder: String, path: String, loading: Loading) {
        self.folder = folder
        self.path = path
        self.loading = loading
    }

    func document(_ name: String) -> Document { Document(file: "\(path)/\(name)", scope: .brand(folder), loading: loading) }
    func afterwards(_ check: @escaping () -> Void) { later.append(check) }

    func read() {
        checkFiles()
        let brand = BrandDocument(reading: self).read()
        let schemaFile = SchemasDocument(reading: self).read()
        schemas = schemaFile?.schemas
        blockers = schemaFile?.blockers ?? []
        actions = ActionsDocument(reading: self).read()
        let intents = IntentsDocument(reading: self).read()
        let templates = TemplatesDocument(reading: self).read()
        let policies = PoliciesDocument(reading: self).read()
        let handover = HandoverDocument(reading: self).read()
        for check in later { check() }
        later = []
        guard var brand else { return }
        brand.actions = actions ?? []
        brand.schemas = schemas ?? []
        brand.blockers = blockers
        brand.intents = intents
        brand.templates = templates
        brand.policies = policies
        brand.handover = handover
        self.brand = brand
    }

    private static let files = [
        "brand.yaml", "actions.yaml", "schemas.yaml", "intents.yaml", "templates.yaml", "policies.yaml", "handover.yaml",
    ]
    private static let reserved = ["workflows.yaml", "knowledge"]
    /// Read by the command `converse`, not by the gateway.
    private static let conversations = "conversations"

    private func checkFiles() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        for name in names.sorted() where !name.hasPrefix(".") && !Self.files.contains(name) && name != Self.conversations {
            let document = document(name)
            if Self.reserved.contains(name) {
                document.report(.warning, line: 1, key: name, "is not read by this version", "keep it; it has no effect yet")
            } else if name.hasSuffix(".yaml") || name.hasSuffix(".yml") {
                let remedy = Suggestion.remedy(for: name, in: Self.files + Self.reserved, noun: "file")
                document.report(line: 1, key: name, "no file of a brand has this name", remedy)
            }
        }
    }
}

extension BrandReading {
    func action(_ name: String) -> ActionDefinition? { actions?.first { $0.canonicalName == name } }
    func schema(_ name: String) -> SchemaDefinition? { schemas?.first { $0.name == name } }

    /// Reports, once everything has been read, a name that no action has.
    func requireAction(_ name: String, at entry: Entry) {
        afterwards { [self] in
            guard let actions, action(name) == nil else { return }
            entry.problem("no action \"\(name)\"", Suggestion.remedy(for: name, in: actions.map(\.canonicalName), noun: "action"))
        }
    }

    /// Reports, once everything has been read, a name that no schema has.
    func requireSchema(_ name: String, at entry: Entry) {
        afterwards { [self] in
            guard let schemas, schema(name) == nil else { return }
            entry.problem("no schema \"\(name)\"", Suggestion.remedy(for: name, in: schemas.map(\.name), noun: "schema"))
        }
    }
}

/// Reports the second of two equal names.
struct UniqueNames {
    private var first: [String: (line: Int, file: String)] = [:]

    /// False when the name was taken.
    mutating func take(_ name: String, at entry: Entry, noun: String) -> Bool {
        if let earlier = first[name] {
            entry.problem("\(noun) \"\(name)\" is already defined in line \(earlier.line)", "choose another name or remove one of them")
            return false
        }
        first[name] = (entry.line, entry.document.file)
        return true
    }
}
