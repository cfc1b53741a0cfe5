import Conversation
import JSON
import Signing

/// Calls of Freshdesk's automation rules, whose bodies we wrote: docs/handover.md has them to paste. Freshdesk signs nothing, so a header
/// carries the secret.
enum FreshdeskEvents {
    static let header = "x-switchboard-secret"

    static func events(in request: ChannelRequest, secret: Secret, now: Timestamp) throws(DeskError) -> [DeskEvent] {
        let given = try SignedCall.only(header, in: request)
        // Digests are compared, so that the time taken says nothing of the secret's length either.
        guard Digest.equal(Digest.sha256(Array(given.utf8)), Digest.sha256(Array(secret.reveal().utf8))) else {
            throw DeskError(.unproven, "the secret is wrong")
        }
        guard request.body.count <= DeskText.longestBody else { throw SignedCall.malformed("the body is larger than 256 KiB") }
        let fields = try fields(in: request.body)
        guard let ticket = Int64(fields["ticket"] ?? ""), ticket > 0 else {
            throw SignedCall.malformed("\"ticket\" must be the ticket's number")
        }
        guard let kind = try kind(of: fields) else { return [] }
        return [
            DeskEvent(
                id: id(of: kind, request.body, now), ticket: String(ticket), reference: fields["tags"].flatMap { reference(in: $0) },
                kind: kind, author: fields["author"].flatMap { $0.isEmpty ? nil : $0 }, at: now)
        ]
    }

    /// A rule knows no number of what happened. The same words are the same reply; a ticket may be closed again, so those calls are the same
    /// only within ten minutes.
    private static func id(of kind: DeskEvent.Kind, _ body: [UInt8], _ now: Timestamp) -> String {
        let digest = Hex.encode(Digest.sha256(body).prefix(16))
        return switch kind {
        case .reply: digest
        case .closed, .reopened, .assigned: "\(digest)-\(now.milliseconds / 600_000)"
        }
    }

    private static func kind(of fields: [String: String]) throws(DeskError) -> DeskEvent.Kind? {
        switch fields["event"] {
        case "closed": return .closed
        case "reopened": return .reopened
        case "assigned": return .assigned
        case "reply":
            let raw = fields["text"] ?? ""
            let text = (PlainText.isHTML(raw) ? PlainText.from(html: raw) : raw).trimmingSpaces
            return text.isEmpty || DeskText.markedID(in: text) != nil ? nil : .reply(text: text, attachments: [])
        case .some, .none: throw SignedCall.malformed("\"event\" must be reply, closed, reopened or assigned")
        }
    }

    private static func reference(in tags: String) -> HandoverID? {
        tags.split { $0 == "," || $0.isWhitespace }.lazy.compactMap { Hex.decode($0.utf8).flatMap { HandoverID(bytes: $0) } }.first
    }

    /// The members of the body. Freshdesk does not say how it escapes what it fills in, so a body whose text breaks the JSON is read by the
    /// place of its members: `text` is the last one.
    private static func fields(in body: [UInt8]) throws(DeskError) -> [String: String] {
        if let root = try? JSONDocument.parse(body).root, root.isObject {
            let pairs = (root.members ?? []).compactMap { member in member.value.plain.map { (member.key, $0) } }
            return Dictionary(pairs) { first, _ in first }
        }
        let text = String(decoding: body, as: UTF8.self)
        guard let start = text.firstRange(of: /"text"\s*:\s*"/), let end = text.lastIndex(of: "\""), start.upperBound <= end else {
            throw SignedCall.malformed("the body is not what docs/handover.md says")
        }
        let head = Array((text[..<start.lowerBound] + "\"text\":\"\"}").utf8)
        guard let root = try? JSONDocument.parse(head).root, root.isObject else {
            throw SignedCall.malformed("the body is not what docs/handover.md says")
        }
        var fields = Dictionary((root.members ?? []).compactMap { member in member.value.plain.map { (member.key, $0) } }) { first, _ in
            first
        }
        fields["text"] = String(text[start.upperBound..<end])
        return fields
    }
}

extension JSONView {
    /// A text, or a number as text.
    fileprivate var plain: String? { string ?? int.map(String.init) }
}
