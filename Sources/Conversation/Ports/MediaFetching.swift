/// The power of a channel whose files are known by an id of its provider, and can only be had with the brand's own key.
package protocol MediaFetching: Sendable {
    /// The file behind an id. Throws when it is gone, too large, or cannot be had now; `limit` is in bytes.
    func fetch(_ id: String, of instance: InstanceConfiguration, limit: Int) async throws(MediaError) -> FetchedMedia
}

package struct FetchedMedia: Sendable {
    /// As the provider says; nobody checked it.
    package var mimeType: String
    package var bytes: [UInt8]

    package init(mimeType: String, bytes: [UInt8]) {
        self.mimeType = mimeType
        self.bytes = bytes
    }
}

package struct MediaError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Outcome: String, Sendable {
        /// The provider keeps files for days only.
        case gone
        case tooLarge = "too_large"
        /// Asking again may help.
        case unavailable
    }

    package var outcome: Outcome
    /// For operators; nothing that a customer wrote.
    package var detail: String

    package init(_ outcome: Outcome, _ detail: String) {
        self.outcome = outcome
        self.detail = detail
    }
    package var description: String { "\(outcome.rawValue): \(detail)" }
}
