package import Conversation

extension WebChannel {
    /// What browsers and native apps talk to, and the chat page with its files.
    package var routes: [ChannelRoute] {
        let preflights = ["sessions", "messages", "events"].map {
            ChannelRoute(method: .options, path: "/web/{instance}/\($0)", access: "origin", maxBodyBytes: 0, handle: preflight)
        }
        return preflights + [
            ChannelRoute(
                method: .post, path: "/web/{instance}/sessions", access: "origin_or_app_key", maxBodyBytes: SessionRequest.maxBytes,
                handle: openSession),
            ChannelRoute(
                method: .post, path: "/web/{instance}/messages", access: "visitor_token", maxBodyBytes: MessageRequest.maxBytes,
                handle: receive),
            ChannelRoute(method: .get, path: "/web/{instance}/messages", access: "visitor_token", maxBodyBytes: 0, handle: history),
            ChannelRoute(method: .get, path: "/web/{instance}/events", access: "visitor_token", maxBodyBytes: 0, handle: events),
            ChannelRoute(method: .get, path: "/widget.js", access: "anyone", maxBodyBytes: 0, handle: widget),
            ChannelRoute(method: .get, path: "/chat/{instance}", access: "anyone", maxBodyBytes: 0, handle: chat),
            ChannelRoute(method: .get, path: "/chat/assets/{file}", access: "anyone", maxBodyBytes: 0, handle: asset),
        ]
    }
}
