import Brain
import Conversation
import Signing
import Synchronization
import TestKit

@testable import Gateway

extension BrandRuntime {
    /// A brand as it is configured that understands nothing of what is written.
    static func bare(
        _ configuration: BrandConfiguration, model: (any LanguageModel)? = nil, policy: PolicyEngine? = nil
    ) throws -> BrandRuntime {
        let secrets = configuration.api.signingSecrets
        let signer = try IdempotencySigner(secret: secrets[0])
        return BrandRuntime(
            configuration: configuration, classifier: NoClassifier(),
            brain: Brain(
                configuration: configuration, slots: NoSlots(), signer: signer, ids: CountingIDs(), inlineWait: .seconds(5),
                matches: { _, _ in false }),
            webhooks: try StandardWebhooks(secrets: secrets), signer: signer, model: model, policy: policy)
    }
}

/// A brand that answers what it was told to, in order, and says yes when nothing is left to say.
final class ScriptedBrand: HTTPClient {
    private struct State {
        var answers: [HTTPResult]
        var calls: [(at: Timestamp, call: HTTPCall)] = []
    }

    private let state: Mutex<State>
    private let clock: any WallClock

    init(_ answers: [HTTPResult], clock: any WallClock) {
        state = Mutex(State(answers: answers))
        self.clock = clock
    }

    func call(_ call: HTTPCall) async -> HTTPResult {
        state.withLock { state in
            state.calls.append((clock.now, call))
            if !state.answers.isEmpty { return state.answers.removeFirst() }
            return .answer(HTTPAnswer(status: 201, body: Array(#"{"id":"bk-1"}"#.utf8)))
        }
    }

    var calls: [(at: Timestamp, call: HTTPCall)] { state.withLock { $0.calls } }
}
