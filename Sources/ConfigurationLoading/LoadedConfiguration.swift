package import Conversation

/// Everything the loader found. Healthy brands are complete and can run whatever is wrong elsewhere.
package struct LoadedConfiguration: Sendable {
    /// With defaults in the place of what could not be read.
    package var server: ServerConfiguration
    /// Brands without errors, by name.
    package var brands: [BrandConfiguration]
    /// Brands with errors.
    package var stopped: [StoppedBrand]
    /// Apps of each channel, as the channels' manifests name them.
    package var apps: [ChannelName: [ChannelApp]]
    /// Every error and warning, by file and line.
    package var problems: [Problem]

    /// An empty installation unless said otherwise.
    package init(
        server: ServerConfiguration = .init(), brands: [BrandConfiguration] = [], stopped: [StoppedBrand] = [],
        apps: [ChannelName: [ChannelApp]] = [:], problems: [Problem] = []
    ) {
        self.server = server
        self.brands = brands
        self.stopped = stopped
        self.apps = apps
        self.problems = problems
    }

    /// Problems that stop something.
    package var errors: [Problem] { problems.filter { $0.severity == .error } }
    /// Problems that stop nothing.
    package var warnings: [Problem] { problems.filter { $0.severity == .warning } }

    /// Errors outside any brand: with one of these the gateway must not start, and a reload keeps what it had.
    package var fatalProblems: [Problem] {
        errors.filter { problem in
            switch problem.scope {
            case .installation, .channel: true
            case .brand: false
            }
        }
    }
}

/// A brand that cannot run as it is configured.
package struct StoppedBrand: Sendable {
    /// Name of the brand's folder.
    package var folder: String
    /// Nil when the folder's name cannot be a brand's id.
    package var id: BrandID?
    /// Its errors; never empty.
    package var problems: [Problem]

    /// `problems` must not be empty.
    package init(folder: String, problems: [Problem]) {
        self.folder = folder
        id = BrandID(validating: folder)
        self.problems = problems
    }
}
