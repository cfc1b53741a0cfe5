import Conversation
import Foundation
import Synchronization

@testable import WhatsApp

/// The payloads of the channel, by file name without ending.
enum Payload {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Payloads")

    static func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: folder.appending(path: "\(name).json"))) }

    static func items(_ name: String) throws -> [WebhookItem] { WebhookReader(app: "main").items(in: try bytes(name)) }

    static func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path()).filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }
            .sorted()
    }

    /// The one message of a payload that has exactly one.
    static func message(_ name: String) throws -> InboundMessage {
        let items = try items(name)
        guard items.count == 1, case .message(let message, _, _) = items[0] else { throw Mismatch(found: "\(items)") }
        return message
    }

    struct Mismatch: Error { let found: String }
}

/// A keyed mixing function in place of HMAC: what is tested here is which bytes are signed, with which keys, and how the header is read.
struct MixingAuthenticator: Authenticator {
    struct Key: AuthenticationKey {
        let secret: [UInt8]
        func authenticationCode(for bytes: [UInt8]) -> [UInt8] {
            var lanes: [UInt64] = [1, 2, 3, 4]
            for byte in secret + [0] + bytes {
                for lane in lanes.indices { lanes[lane] = (lanes[lane] ^ UInt64(byte)) &* 0x100_0000_01B3 &+ UInt64(lane) }
            }
            return lanes.flatMap { lane in (0..<8).map { UInt8(truncatingIfNeeded: lane >> ($0 * 8)) } }
        }
    }
    func key(_ secret: Secret) -> any AuthenticationKey { Key(secret: Array(secret.reveal().utf8)) }
    func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool { left == right }
}

/// Keeps what was handed in, and answers as told.
final class RecordingIntake: Intake {
    struct Refused: Error {}
    private let deliveries = Mutex<[VerifiedWebhook]>([])
    private let fails: Bool

    init(fails: Bool = false) { self.fails = fails }

    var webhooks: [VerifiedWebhook] { deliveries.withLock { $0 } }

    func accept(_ webhook: VerifiedWebhook) async throws -> IntakeReceipt {
        if fails { throw Refused() }
        deliveries.withLock { $0.append(webhook) }
        var receipt = IntakeReceipt()
        for item in webhook.items {
            switch item {
            case .message, .status, .field: receipt.accepted += 1
            case .ignored: receipt.ignored += 1
            case .unreadable: receipt.quarantined += 1
            }
        }
        return receipt
    }
}

/// Answers every call alike and keeps the calls.
final class ScriptedHTTP: HTTPClient {
    private let seen = Mutex<[HTTPCall]>([])
    private let result: HTTPResult

    init(_ result: HTTPResult) { self.result = result }

    convenience init(_ status: Int, _ body: String, headers: [(name: String, value: String)] = []) {
        self.init(.answer(HTTPAnswer(status: status, headers: headers, body: Array(body.utf8))))
    }

    var calls: [HTTPCall] { seen.withLock { $0 } }

    func call(_ call: HTTPCall) async -> HTTPResult {
        seen.withLock { $0.append(call) }
        return result
    }
}

extension WhatsAppChannel {
    static let firstSecret = "first-app-secret-0001"
    static let secondSecret = "second-app-secret-0002"
    static let verifyToken = "verify-token-of-the-app"

    static func under(
        intake: any Intake = RecordingIntake(), http: any HTTPClient = ScriptedHTTP(200, #"{"messages":[{"id":"wamid.OUT1"}]}"#)
    ) -> WhatsAppChannel {
        let loopback = AddressRule(
            network: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 127, 0, 0, 1], prefix: 128, port: nil, description: "127.0.0.1")
        let app = ChannelApp(
            name: "main",
            settings: Settings([
                "app_secrets": .secrets([Secret(firstSecret), Secret(secondSecret)]), "verify_token": .secret(Secret(verifyToken)),
                "graph_url": .text("http://127.0.0.1:8090/graph/v23.0/"), "allow_private_addresses": .addresses([loopback]),
            ]))
        let bare = ChannelApp(name: "bare", settings: Settings())
        return WhatsAppChannel(apps: [app, bare], intake: intake, http: http, authenticator: MixingAuthenticator())
    }
}
