package import Conversation
import Foundation

/// Reads `switchboard.yaml`, the channels' manifests and every brand's folder. Pure but for reading files: the same files and the same
/// environment give the same answer, so a reload loads anew and keeps the old snapshot where the new one has errors.
package struct ConfigurationLoader: Sendable {
    let root: String
    private let channelsRoot: String
    private let environment: [String: String]
    let channels: [ChannelDescriptor]
    private let validators: Validators

    /// - Parameters:
    ///   - root: the folder of `switchboard.yaml` and `brands/`; problems name files below it just as it is written here.
    ///   - channelsRoot: the folder of the channels' folders, each with a `channel.yaml` when the channel has apps.
    ///   - parseAddressRule: reads one entry of `allow_private_addresses`; throws when it is neither IP nor CIDR.
    ///   - validatePattern: nil for a good RE2 pattern, else what is wrong with it.
    package init(
        root: String, channelsRoot: String, environment: [String: String], channels: [ChannelDescriptor],
        parseAddressRule: @escaping @Sendable (String) throws -> AddressRule, validatePattern: @escaping @Sendable (String) -> String?
    ) {
        self.root = root.count > 1 && root.hasSuffix("/") ? String(root.dropLast()) : root
        self.channelsRoot = channelsRoot.count > 1 && channelsRoot.hasSuffix("/") ? String(channelsRoot.dropLast()) : channelsRoot
        self.environment = environment
        self.channels = channels
        validators = Validators(addressRule: parseAddressRule, pattern: validatePattern)
    }

    /// Never throws: whatever is wrong is in the answer.
    package func load() -> LoadedConfiguration {
        let loading = Loading(environment: environment, channels: channels, validators: validators)
        let server = ServerDocument(path: "\(root)/switchboard.yaml", loading: loading).read(folders: Self.folders(in: "\(root)/brands"))
        for folder in Self.folders(in: channelsRoot) {
            ChannelDocument(path: "\(channelsRoot)/\(folder)/channel.yaml", folder: folder, loading: loading).read()
        }
        var readings: [BrandReading] = []
        for folder in brandFolders(loading) {
            let reading = BrandReading(folder: folder, path: "\(root)/brands/\(folder)", loading: loading)
            reading.read()
            readings.append(reading)
        }
        InstallationCheck(log: loading.log, operatorKey: server.operatorKey).run(on: readings)
        return summary(server, readings, loading)
    }

    private func summary(_ server: ServerConfiguration, _ readings: [BrandReading], _ loading: Loading) -> LoadedConfiguration {
        let problems = loading.log.problems.sorted { ($0.file, $0.line, $0.key, $0.what) < ($1.file, $1.line, $1.key, $1.what) }
        var loaded = LoadedConfiguration(server: server, apps: loading.apps, problems: problems)
        for reading in readings {
            let errors = problems.filter { $0.scope == .brand(reading.folder) && $0.severity == .error }
            if errors.isEmpty, let brand = reading.brand {
                loaded.brands.append(brand)
            } else {
                loaded.stopped.append(StoppedBrand(folder: reading.folder, problems: errors))
            }
        }
        return loaded
    }

    private func brandFolders(_ loading: Loading) -> [String] {
        let folders = Self.folders(in: "\(root)/brands")
        if folders.isEmpty {
            loading.log.add(
                Problem(
                    severity: .warning, scope: .installation, file: "\(root)/brands", line: 1, key: "brands", what: "holds no brand",
                    remedy: "add a folder as docs/adding-a-brand.md describes"))
        }
        return folders
    }

    private static func folders(in path: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.filter { name in
            var isFolder: ObjCBool = false
            return !name.hasPrefix(".") && FileManager.default.fileExists(atPath: "\(path)/\(name)", isDirectory: &isFolder)
                && isFolder.boolValue
        }.sorted()
    }
}

/// Checks that other targets know how to make.
struct Validators: Sendable {
    let addressRule: @Sendable (String) throws -> AddressRule
    let pattern: @Sendable (String) -> String?
}

/// What the parts of one `load()` share.
final class Loading {
    let environment: [String: String]
    let channels: [ChannelDescriptor]
    let validators: Validators
    let log = ProblemLog()
    var apps: [ChannelName: [ChannelApp]] = [:]

    init(environment: [String: String], channels: [ChannelDescriptor], validators: Validators) {
        self.environment = environment
        self.channels = channels
        self.validators = validators
    }
}
