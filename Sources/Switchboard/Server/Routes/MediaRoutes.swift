import Conversation
import Gateway
import Logging

/// Files of customers, for people who were given a link to one in a ticket.
struct MediaRoutes: Sendable {
    let desk: MediaDesk
    let logger: Logger

    /// Types that a browser may be told; nothing of them is run. All else is handed out as bytes.
    private static let known = [
        "image/jpeg", "image/png", "image/webp", "image/gif", "audio/aac", "audio/mp4", "audio/mpeg", "audio/amr", "audio/ogg", "video/mp4",
        "video/3gpp", "application/pdf", "text/plain",
    ]

    var routes: [APIRoute] {
        [
            APIRoute(
                method: "GET", path: "/media/{token}", access: .channel("signed_link"), summary: "A customer's file, by a link in a ticket",
                handle: open)
        ]
    }

    private static let piece = 65_536

    @Sendable private func open(_ request: APIRequest) async throws -> ChannelResponse {
        switch try await desk.open(request.parameters["token"] ?? "") {
        case .notFound: throw APIError.notFound
        case .failed(let error):
            logger.warning("a customer's file cannot be handed out", metadata: ["error": "\(error)"])
            switch error.outcome {
            case .gone: throw APIError(410, "The file is not kept any more")
            case .tooLarge: throw APIError(413, "The file is larger than \(MediaDesk.limit) bytes")
            case .unavailable: return .problem(502, "The file cannot be had now", headers: ["Retry-After": "30"])
            }
        case .file(let file, let name):
            let type = file.mimeType.prefix { $0 != ";" }.lowercased()
            return ChannelResponse(
                status: 200, contentType: Self.known.contains(type) ? type : "application/octet-stream",
                headers: [
                    // Saved and never shown: whatever it is, it must not act in the gateway's name.
                    "Content-Disposition": "attachment; filename=\"\(Self.safe(name))\"", "X-Content-Type-Options": "nosniff",
                    "Content-Security-Policy": "sandbox; default-src 'none'", "Cache-Control": "private, no-store",
                    "Referrer-Policy": "no-referrer",
                ],
                // In pieces, each with a deadline: who does not read is let go, and holds no memory.
                stream: { write in
                    for start in stride(from: 0, to: file.bytes.count, by: Self.piece) {
                        try await write(Array(file.bytes[start..<min(start + Self.piece, file.bytes.count)]))
                    }
                })
        }
    }

    /// A name without anything that means something in a header or in a path.
    private static func safe(_ name: String) -> String {
        let kept = name.unicodeScalars.map { scalar -> Character in
            scalar.isASCII && (Character(scalar).isLetter || Character(scalar).isNumber || " ._-()".unicodeScalars.contains(scalar))
                ? Character(scalar) : "_"
        }
        return String(kept.prefix(100))
    }
}
