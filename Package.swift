// swift-tools-version:6.2
// Targets stand in the order of the data path: shared values first, then what a message passes on its way.
import PackageDescription

/// `WARNINGS_AS_ERRORS=1`, as CI and `make lint` set it, lets no warning pass.
let warnings: [SwiftSetting] = Context.environment["WARNINGS_AS_ERRORS"] == "1" ? [.treatAllWarnings(as: .error)] : []

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// The dependencies that come from outside, named once.
enum Outside {
    static let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
    static let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
    static let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
    static let signals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
    static let coreMetrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
    static let nioHTTP: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
    static let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
    static let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
    static let yaml: Target.Dependency = .product(name: "Yams", package: "Yams")
    static let nio: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
    static let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
    static let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
    static let jwt: Target.Dependency = .product(name: "JWTKit", package: "jwt-kit")
}

let package = Package(
    name: "switchboard",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "switchboard", targets: ["Switchboard"])],
    traits: [
        .trait(name: "Sandbox", description: "Stand-ins for remote systems: the commands `demo` and `sandbox`."),
        .default(enabledTraits: ["Sandbox"]),
    ],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        // Shared values and the C libraries behind small Swift faces.
        .target(name: "Conversation"),
        .target(name: "CSimdjson", linkerSettings: [.linkedLibrary("simdjson"), .linkedLibrary("stdc++")]),
        .target(name: "JSON", dependencies: ["Conversation", "CSimdjson"]),
        .target(name: "CRE2", linkerSettings: [.linkedLibrary("re2"), .linkedLibrary("stdc++")]),
        .target(name: "CPhoneNumber", linkerSettings: [.linkedLibrary("phonenumber"), .linkedLibrary("stdc++")]),
        .target(name: "Text", dependencies: ["Conversation", "CRE2", "CPhoneNumber"]),
        .systemLibrary(name: "COpenSSL", path: "Sources/COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(name: "Signing", dependencies: ["Conversation", "COpenSSL", Outside.jwt]),
        // Channels.
        .target(name: "WhatsApp", dependencies: ["Conversation", "JSON"], path: "channels/WhatsApp/Sources"),
        .target(
            name: "Web", dependencies: ["Conversation", "JSON", "Text"], path: "channels/Web",
            exclude: ["Tests", "Payloads", "channel.yaml"], sources: ["Sources"], resources: [.embedInCode("Widget")]),
        // The way of a message.
        .target(name: "Understanding", dependencies: ["Conversation", "JSON", "Text"]),
        .target(name: "Brain", dependencies: ["Conversation"]),
        .systemLibrary(name: "CSQLite", path: "Sources/CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CPostgres", path: "Sources/CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .target(name: "Storage", dependencies: ["Conversation", "CSQLite", "CPostgres", Outside.log, Outside.lifecycle]),
        .systemLibrary(name: "CNATS", path: "Sources/CNATS", pkgConfig: "libnats", providers: [.apt(["libnats-dev"])]),
        .target(name: "Bus", dependencies: ["Conversation", "CNATS", "Storage", Outside.log, Outside.lifecycle]),
        .target(name: "CCurl", linkerSettings: [.linkedLibrary("curl")]),
        .target(name: "HTTPCalls", dependencies: ["Conversation", "CCurl"]),
        .target(
            name: "Gateway",
            dependencies: [
                "Conversation", "JSON", "Text", "Signing", "Understanding", "Brain", "Storage", "Bus", "HTTPCalls", Outside.log,
                Outside.metrics, Outside.lifecycle,
            ]),
        // A model that completes chats, and ticket systems: providers' formats, no store.
        .target(name: "Models", dependencies: ["Conversation", "JSON", "HTTPCalls"]),
        .target(name: "Desks", dependencies: ["Conversation", "JSON", "Signing", "HTTPCalls"]),
        .target(name: "ConfigurationLoading", dependencies: ["Conversation", Outside.yaml]),
        // Stand-ins for remote systems; knows nothing of Gateway or Storage. Its model understands with the parts of the classifier.
        .target(
            name: "Sandbox",
            dependencies: [
                "Conversation", "COpenSSL", "Understanding", Outside.hummingbird, Outside.log, Outside.lifecycle, Outside.nio,
                Outside.nioPosix, Outside.httpTypes,
            ]),
        .executableTarget(
            name: "Switchboard",
            dependencies: [
                "Conversation", "JSON", "Text", "Signing", "WhatsApp", "Web", "Understanding", "Brain", "Storage", "Bus", "HTTPCalls",
                "Models", "Desks", "Gateway", "ConfigurationLoading", .target(name: "Sandbox", condition: .when(traits: ["Sandbox"])),
                Outside.hummingbird, Outside.arguments, Outside.log, Outside.coreMetrics, Outside.lifecycle, Outside.signals, Outside.nio,
                Outside.nioPosix, Outside.httpTypes,
            ]),
        // Tests.
        .target(
            name: "TestKit", dependencies: ["Conversation", "CNATS", "Storage", "Bus", "HTTPCalls", "Signing", Outside.log],
            path: "Sources/TestKit"),
        .testTarget(name: "ConversationTests", dependencies: ["Conversation"]),
        .testTarget(name: "JSONTests", dependencies: ["Conversation", "JSON"]),
        .testTarget(name: "TextTests", dependencies: ["Text"]),
        .testTarget(name: "SigningTests", dependencies: ["Signing", "Conversation", "TestKit"]),
        .testTarget(
            name: "WhatsAppTests", dependencies: ["WhatsApp", "Conversation", "JSON", "Signing", "TestKit"], path: "channels/WhatsApp/Tests"
        ),
        .testTarget(name: "WebTests", dependencies: ["Web", "Conversation", "JSON", "TestKit"], path: "channels/Web/Tests"),
        .testTarget(name: "UnderstandingTests", dependencies: ["Understanding", "Conversation", "Text"]),
        .testTarget(name: "BrainTests", dependencies: ["Brain", "Conversation", "Signing", "Understanding"]),
        .testTarget(
            name: "ModelsTests", dependencies: ["Models", "Understanding", "Conversation", "JSON", "HTTPCalls", "Text", "TestKit"]),
        .testTarget(
            name: "DesksTests", dependencies: ["Desks", "Conversation", "JSON", "Signing", "HTTPCalls", "TestKit"]),
        .testTarget(name: "StorageTests", dependencies: ["Storage", "Conversation", "TestKit", Outside.log]),
        .testTarget(name: "BusTests", dependencies: ["Bus", "Storage", "Conversation", "TestKit", Outside.log]),
        .testTarget(name: "HTTPCallsTests", dependencies: ["HTTPCalls", "Conversation", "TestKit"]),
        .testTarget(
            name: "GatewayTests",
            dependencies: ["Gateway", "Brain", "Signing", "Storage", "Conversation", "HTTPCalls", "TestKit", Outside.log]),
        .testTarget(name: "ConfigurationLoadingTests", dependencies: ["ConfigurationLoading", "Conversation", "WhatsApp", "Web"]),
        .testTarget(name: "SandboxTests", dependencies: ["Sandbox", "Conversation", Outside.hummingbird, Outside.log, Outside.nio]),
        .testTarget(
            name: "SwitchboardTests",
            dependencies: [
                "Switchboard", "ConfigurationLoading", "Conversation", "Gateway", "HTTPCalls", "Signing", "Storage", "TestKit",
                Outside.hummingbird, Outside.arguments, Outside.log, Outside.lifecycle, Outside.nio, Outside.nioPosix,
            ]),
        .testTarget(
            name: "EndToEnd", dependencies: ["Conversation", "JSON", "Signing", "HTTPCalls", "Storage", "TestKit", "Desks"],
            exclude: ["browser", "pywa", "python", "requirements.txt", "release-check.sh"]),
    ],
    cxxLanguageStandard: .cxx17
)

for target in package.targets
where ![.system, .plugin, .binary].contains(target.type) && !target.name.hasPrefix("C") || target.name.hasPrefix("Con") {
    target.swiftSettings = (target.swiftSettings ?? []) + strict + warnings
}
