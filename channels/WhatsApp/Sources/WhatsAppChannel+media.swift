package import Conversation
import JSON

/// Meta: `GET /{media-id}` names an address that is good for minutes and wants the same token. Redirects are not followed.
extension WhatsAppChannel: MediaFetching {
    package func fetch(_ id: String, of instance: InstanceConfiguration, limit: Int) async throws(MediaError) -> FetchedMedia {
        guard Self.isPathSafe(id) else { throw MediaError(.gone, "an id that Meta would not give") }
        let description = try await answer(try call("/\(id)", instance))
        guard let fields = try? JSONDocument.parse(description.body).root, let url = fields["url"].string else {
            throw MediaError(.unavailable, "media \(id) has no address")
        }
        if let size = fields["file_size"].int ?? fields["file_size"].string.flatMap({ Int($0) }), size > limit {
            throw MediaError(.tooLarge, "media \(id) has \(size) bytes")
        }
        var file = try call("", instance)
        // The token goes along: nobody may read it on the way, but where the Graph API itself is no other.
        guard url.hasPrefix("https://") || file.url.hasPrefix("http://") && url.hasPrefix("http://") else {
            throw MediaError(.unavailable, "media \(id) has an address without TLS")
        }
        file.url = url
        file.timeout = .seconds(60)
        file.maxResponseBytes = limit
        // Files are large: a few at once, and none in the way of messages.
        (file.pool, file.maxConcurrent) = ("brand:\(instance.brand):media", 4)
        return FetchedMedia(mimeType: fields["mime_type"].string ?? "", bytes: try await answer(file).body)
    }

    private func call(_ path: String, _ instance: InstanceConfiguration) throws(MediaError) -> HTTPCall {
        do throws(ChannelError) {
            return try graphCall("GET", path, instance: instance)
        } catch {
            throw MediaError(.unavailable, error.message)
        }
    }

    private func answer(_ call: HTTPCall) async throws(MediaError) -> HTTPAnswer {
        switch await http.call(call) {
        case .answer(let answer) where answer.status == 200: return answer
        case .answer(let answer):
            throw MediaError([400, 404, 410].contains(answer.status) ? .gone : .unavailable, "status \(answer.status)")
        case .failed(let failure):
            throw MediaError(failure.kind == .tooLarge ? .tooLarge : .unavailable, "\(failure.kind.rawValue): \(failure.detail)")
        }
    }
}
