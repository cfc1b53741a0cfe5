import Conversation

/// `handover.yaml`: when people take over, and the ticket system they work in.
struct HandoverDocument {
    let reading: BrandReading
    private static let keys = [
        "desk", "channel", "channels", "priorities", "nobody_available_s", "sensitive_topics", "public_url", "links_expire_s",
    ]

    func read() -> HandoverConfiguration {
        var handover = HandoverConfiguration()
        guard let members = reading.document("handover.yaml").root(required: false)?.members(Self.keys) else { return handover }
        if let desk = members["desk"] { handover.desk = DeskSection(entry: desk, reading: reading).read() }
        if let channel = members["channel"]?.oneOf(HandoverChannel.self) { handover.channel = channel }
        if let entry = members["channels"] { handover.channels = byTrigger(entry) { $0.oneOf(HandoverChannel.self) } }
        if let entry = members["priorities"] { handover.priorities = byTrigger(entry) { $0.oneOf(HandoverPriority.self) } }
        if let wait = members["nobody_available_s"]?.seconds(upTo: 604_800) { handover.nobodyAvailable = wait }
        if let topics = members["sensitive_topics"] { handover.sensitiveTopics = topics.items().compactMap { $0.pattern() } }
        // Empty, as from an unset variable: no links.
        if let url = members["public_url"], url.scalar()?.text.isEmpty == false { handover.publicURL = url.url() }
        if let time = members["links_expire_s"]?.seconds(upTo: 2_592_000) { handover.linksExpire = time }
        return handover
    }

    private func byTrigger<Value>(_ entry: Entry, _ read: (Entry) -> Value?) -> [HandoverRequest.Trigger: Value] {
        let known = HandoverRequest.Trigger.allCases.map(\.rawValue)
        guard let members = entry.members(known) else { return [:] }
        var values: [HandoverRequest.Trigger: Value] = [:]
        for trigger in HandoverRequest.Trigger.allCases {
            if let value = members[trigger.rawValue] { values[trigger] = read(value) }
        }
        return values
    }
}

/// `desk` of `handover.yaml`.
struct DeskSection {
    let entry: Entry
    let reading: BrandReading
    private static let keys = [
        "id", "kind", "base_url", "token", "user", "password", "webhook_secret", "queue", "timeout_s", "max_concurrent", "poll_interval_s",
        "allow_private_addresses",
    ]

    /// Nil for a section with mistakes, and for one whose `base_url` is empty: such a brand has no desk, and its secrets may be missing.
    func read() -> DeskConfiguration? {
        guard let members = entry.members(Self.keys), let urlEntry = members.required("base_url", "https://…"),
            let url = urlEntry.scalar(), !url.text.isEmpty
        else { return nil }
        let idEntry = members.required("id", "\(reading.folder)-desk")
        let id = idEntry.flatMap { slug($0) }
        let kind = members.required("kind", "webhook")?.oneOf(DeskConfiguration.Kind.self)
        let baseURL = urlEntry.url()
        guard let idEntry, let id, let kind, let baseURL else { return nil }
        var desk = DeskConfiguration(id: id, kind: kind, baseURL: baseURL)
        readAccess(members, into: &desk)
        if let queue = members["queue"], let text = queue.text() {
            desk.queue = text
            if kind == .zendesk || kind == .freshdesk, !(Int64(text).map { $0 > 0 } ?? false) {
                queue.problem("\"\(text)\" is not the number of a group", "write the group's number, or leave queue out")
            }
        }
        if let timeout = members["timeout_s"]?.seconds(upTo: 120) { desk.timeout = timeout }
        if let concurrent = members["max_concurrent"]?.integer(1...1_000) { desk.maxConcurrent = concurrent }
        desk.pollInterval = members["poll_interval_s"]?.seconds(upTo: 3_600) ?? desk.usualPollInterval
        if let addresses = members["allow_private_addresses"] { desk.allowPrivateAddresses = addresses.addresses() }
        requireAccess(of: kind, members)
        reading.deskPlace = (id, idEntry)
        return desk
    }

    private func readAccess(_ members: Members, into desk: inout DeskConfiguration) {
        desk.token = members["token"]?.secret(minimumBytes: 1)
        desk.user = members["user"]?.text()
        desk.password = members["password"]?.secret(minimumBytes: 1)
        guard let secret = members["webhook_secret"] else { return }
        desk.webhookSecret = secret.secret(minimumBytes: SecretRule.minimumBytes("signing_secrets"))
        if desk.kind == .webhook, let text = desk.webhookSecret?.reveal(), !Self.isStandard(text) {
            secret.problem("is no Standard Webhooks secret", "make one with: echo whsec_$(openssl rand -base64 32)")
        }
    }

    /// What each system cannot be asked without.
    private func requireAccess(of kind: DeskConfiguration.Kind, _ members: Members) {
        switch kind {
        case .webhook:
            _ = members.required("webhook_secret", "\"${…}\"")
        case .requestTracker:
            _ = members.required("user", "…")
            _ = members.required("queue", "General")
            if members["password"] == nil { _ = members.required("token", "\"${…}\"") }
        case .zendesk:
            if members["user"] == nil || members["password"] == nil { _ = members.required("token", "\"${…}\"") }
        case .freshdesk:
            _ = members.required("token", "\"${…}\"")
        }
    }

    /// A desk's id is part of an address: the same form as a brand's.
    private func slug(_ entry: Entry) -> String? {
        guard let value = entry.scalar() else { return nil }
        guard let id = InstanceID(validating: value.text) else {
            entry.problem("\"\(value.raw)\" is not a desk's id", "use small letters, digits and hyphens, at most 63")
            return nil
        }
        return id.rawValue
    }

    /// `whsec_` and Base64 of 24 to 64 bytes.
    private static func isStandard(_ text: String) -> Bool {
        guard text.hasPrefix("whsec_") else { return false }
        let letters = Array(text.dropFirst(6).utf8)
        let padding = letters.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        let isAlphabet = letters.dropLast(padding).allSatisfy {
            (65...90).contains($0) || (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "+")
                || $0 == UInt8(ascii: "/")
        }
        return isAlphabet && letters.count.isMultiple(of: 4) && padding <= 2 && (24...64).contains(letters.count / 4 * 3 - padding)
    }
}
