import Conversation
import JSON
import Signing

/// Calls of Freshdesk's automation rules, whose body we wrote: docs/handover.md has it to paste. Freshdesk signs nothing, so a header carries
/// the secret.
///
/// A rule knows neither the number of what happened nor its files, and does not say how it escapes the words that it fills in. So it only
/// says which ticket changed; what happened is asked.
enum FreshdeskEvents {
    static let header = "x-switchboard-secret"

    static func events(in request: ChannelRequest, secret: Secret, now: Timestamp) throws(DeskError) -> [DeskEvent] {
        let given = try SignedCall.only(header, in: request)
        // Digests are compared, so that the time taken says nothing of the secret's length either.
        guard Digest.equal(Digest.sha256(Array(given.utf8)), Digest.sha256(Array(secret.reveal().utf8))) else {
            throw DeskError(.unproven, "the secret is wrong")
        }
        let call = try SignedCall.json(request)
        guard let ticket = call["ticket"].number else { throw SignedCall.malformed("\"ticket\" must be the ticket's number") }
        return [
            DeskEvent(
                id: "rule-\(now.milliseconds)", ticket: String(ticket), reference: call["tags"].string.flatMap { reference(in: $0) },
                kind: .changed, at: now)
        ]
    }

    private static func reference(in tags: String) -> HandoverID? {
        tags.split { $0 == "," || $0.isWhitespace }.lazy.compactMap { Hex.decode($0.utf8).flatMap { HandoverID(bytes: $0) } }.first
    }
}
