/// `handover.yaml`: when and where people take over.
package struct HandoverConfiguration: Sendable {
    /// Nil: handovers wait in our own queue, for `/v1/handovers`.
    package var desk: DeskConfiguration?
    /// How a handover is offered when its trigger says nothing else.
    package var channel: HandoverChannel
    /// By trigger; triggers without an entry have the usual priority.
    package var priorities: [HandoverRequest.Trigger: HandoverPriority]
    /// By trigger; others use `channel`.
    package var channels: [HandoverRequest.Trigger: HandoverChannel]
    /// After this long without a person's answer the customer is told and the bot takes the conversation back.
    package var nobodyAvailable: Duration
    /// Words whose topic is for people (RE2 patterns).
    package var sensitiveTopics: [String]
    /// Where people reach this gateway, such as `https://gateway.example`: before links to files that only the brand's own key opens. Nil:
    /// such files are named and not linked.
    package var publicURL: String?
    /// How long such a link is good.
    package var linksExpire: Duration

    package init(
        desk: DeskConfiguration? = nil, channel: HandoverChannel = .queue, priorities: [HandoverRequest.Trigger: HandoverPriority] = [:],
        channels: [HandoverRequest.Trigger: HandoverChannel] = [:], nobodyAvailable: Duration = .seconds(1_800),
        sensitiveTopics: [String] = [], publicURL: String? = nil, linksExpire: Duration = .seconds(7 * 86_400)
    ) {
        self.desk = desk
        self.channel = channel
        self.priorities = priorities
        self.channels = channels
        self.nobodyAvailable = nobodyAvailable
        self.sensitiveTopics = sensitiveTopics
        self.publicURL = publicURL
        self.linksExpire = linksExpire
    }

    package func priority(of trigger: HandoverRequest.Trigger) -> HandoverPriority { priorities[trigger] ?? trigger.usualPriority }
    package func channel(for trigger: HandoverRequest.Trigger) -> HandoverChannel { channels[trigger] ?? channel }
}

/// How people take over.
package enum HandoverChannel: String, Sendable, Codable, CaseIterable {
    /// Waits for whoever is free, over `/v1/handovers`.
    case queue
    /// Somebody is there now: told at once, taken back soon when nobody answers.
    case liveTransfer = "live_transfer"
    /// A person calls or writes later; the bot goes on meanwhile.
    case callback
    /// A ticket in the brand's desk.
    case ticket
}

package enum HandoverPriority: String, Sendable, Codable, CaseIterable, Comparable {
    case low, normal, high, urgent

    package static func < (left: HandoverPriority, right: HandoverPriority) -> Bool { left.rank < right.rank }
    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

extension HandoverRequest.Trigger {
    /// Unless the brand says otherwise.
    package var usualPriority: HandoverPriority {
        switch self {
        case .systemError: .urgent
        case .policyViolation, .userRequest, .sensitiveTopic: .high
        case .repeatedFailure, .complexity: .normal
        case .unknownIntent: .low
        }
    }
}

/// The ticket system of a brand.
package struct DeskConfiguration: Sendable {
    package enum Kind: String, Sendable, Codable, CaseIterable {
        case webhook
        case requestTracker = "request_tracker"
        case zendesk, freshdesk
    }

    /// Unique in the installation: part of `/webhooks/tickets/{desk}`.
    package var id: String
    package var kind: Kind
    /// The root of the system's API, such as `https://brand.zendesk.com`; for `webhook` the whole URL.
    package var baseURL: String
    /// A bearer token or API key; nil with a password.
    package var token: Secret?
    package var user: String?
    package var password: Secret?
    /// `whsec_…`, for `webhook`: signs what we send and proves what comes. For the others: the secret that proves their calls.
    package var webhookSecret: Secret?
    /// Where new tickets go: a queue in Request Tracker, a group's number elsewhere.
    package var queue: String?
    package var timeout: Duration
    package var maxConcurrent: Int
    /// How often each open ticket is asked about. A desk that calls us is asked too, for what a call did not bring.
    package var pollInterval: Duration
    package var allowPrivateAddresses: [AddressRule]

    package init(
        id: String, kind: Kind, baseURL: String, token: Secret? = nil, user: String? = nil, password: Secret? = nil,
        webhookSecret: Secret? = nil, queue: String? = nil, timeout: Duration = .seconds(15), maxConcurrent: Int = 8,
        pollInterval: Duration = .seconds(15), allowPrivateAddresses: [AddressRule] = []
    ) {
        self.id = id
        self.kind = kind
        self.baseURL = baseURL
        self.token = token
        self.user = user
        self.password = password
        self.webhookSecret = webhookSecret
        self.queue = queue
        self.timeout = timeout
        self.maxConcurrent = maxConcurrent
        self.pollInterval = pollInterval
        self.allowPrivateAddresses = allowPrivateAddresses
    }

    /// How often tickets are asked about when the brand says nothing: rarely where the system calls us.
    package var usualPollInterval: Duration {
        switch kind {
        case .webhook: .seconds(60)
        case .requestTracker: .seconds(15)
        case .zendesk, .freshdesk: webhookSecret == nil ? .seconds(15) : .seconds(60)
        }
    }
}
