internal import CNATS
import Foundation

/// The streams, as the gateway makes and mends them. What their operator changed stays, unless the address says otherwise.
struct Streams {
    static let events = "switchboard"
    private static let nanoseconds: Int64 = 1_000_000_000

    /// A consumer's filter must lie within one subject of the stream, and a brand's is `switchboard.<brand>.>`.
    static let eventSubjects = ["switchboard.*.>"]

    /// A brand's programs publish there what they want sent. It lies within `eventSubjects`, so the same stream keeps it.
    static let commandSubject = "switchboard.*.commands.send"
    /// Remembers, for all nodes together, which commands are done.
    static let commandConsumer = "switchboard-commands"

    let connection: NATSConnection
    let settings: StreamSettings

    /// Makes the stream of events, or adds to it what this version publishes. Blocks; throws `NATSError`.
    func ensureEvents() throws {
        try ensure(Self.events, subjects: Self.eventSubjects) { config in
            config.Retention = js_LimitsPolicy
            config.Discard = js_DiscardOld
            config.Storage = js_FileStorage
            config.Replicas = Int64(settings.replicas ?? 1)
            config.Duplicates = (settings.dedupeSeconds ?? 3600) * Self.nanoseconds
            config.MaxAge = (settings.maxAgeDays ?? 7) * 86_400 * Self.nanoseconds
            config.MaxBytes = settings.maxBytes ?? -1
        } change: { config in
            if let replicas = settings.replicas { config.Replicas = Int64(replicas) }
            if let seconds = settings.dedupeSeconds { config.Duplicates = seconds * Self.nanoseconds }
            if let days = settings.maxAgeDays { config.MaxAge = days * 86_400 * Self.nanoseconds }
            if let bytes = settings.maxBytes { config.MaxBytes = bytes }
        }
    }

    private func ensure(
        _ name: String, subjects: [String], make: (inout jsStreamConfig) -> Void, change: (inout jsStreamConfig) -> Void
    ) throws {
        var info: UnsafeMutablePointer<jsStreamInfo>?
        var code = jsErrCode(rawValue: 0)
        let status = js_GetStreamInfo(&info, connection.streams, name, nil, &code)
        defer { jsStreamInfo_Destroy(info) }
        switch status {
        case NATS_OK:
            guard let known = info?.pointee.Config else { throw NATSError(status, "stream \(name)") }
            try update(known.pointee, subjects, change)
        case NATS_NOT_FOUND: try add(name, subjects, make)
        default: throw NATSError(status, "stream \(name)", code: code)
        }
    }

    private func add(_ name: String, _ subjects: [String], _ make: (inout jsStreamConfig) -> Void) throws {
        var config = jsStreamConfig()
        try check(jsStreamConfig_Init(&config), "stream \(name)")
        make(&config)
        var code = jsErrCode(rawValue: 0)
        let status = name.withCString { name in
            Self.withSubjects(subjects) { list in
                config.Name = name
                (config.Subjects, config.SubjectsLen) = (list.baseAddress, Int32(list.count))
                return js_AddStream(nil, connection.streams, &config, nil, &code)
            }
        }
        // Another node was quicker.
        if status != NATS_OK, code != JSStreamNameExistErr { throw NATSError(status, "making the stream \(name)", code: code) }
    }

    private func update(_ known: jsStreamConfig, _ subjects: [String], _ change: (inout jsStreamConfig) -> Void) throws {
        var config = known
        change(&config)
        let names = (0..<Int(known.SubjectsLen)).compactMap { index in known.Subjects[index].map { String(cString: $0) } }
        let missing = subjects.filter { !names.contains($0) }
        let isSame =
            config.Replicas == known.Replicas && config.Duplicates == known.Duplicates && config.MaxAge == known.MaxAge
            && config.MaxBytes == known.MaxBytes
        guard !missing.isEmpty || !isSame else { return }
        var code = jsErrCode(rawValue: 0)
        let status = Self.withSubjects(names + missing) { list in
            (config.Subjects, config.SubjectsLen) = (list.baseAddress, Int32(list.count))
            return js_UpdateStream(nil, connection.streams, &config, nil, &code)
        }
        if status != NATS_OK { throw NATSError(status, "changing the stream \(known.Name.map { String(cString: $0) } ?? "")", code: code) }
    }

    /// Lends the texts to C.
    private static func withSubjects<Result>(
        _ subjects: [String], _ body: (UnsafeMutableBufferPointer<UnsafePointer<CChar>?>) -> Result
    ) -> Result {
        var copies = subjects.map { UnsafePointer(strdup($0)) }
        defer { for copy in copies { free(UnsafeMutablePointer(mutating: copy)) } }
        return copies.withUnsafeMutableBufferPointer { body($0) }
    }
}
