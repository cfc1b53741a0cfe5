import Conversation

extension WebChannel {
    /// What happens in the conversation, as server-sent events.
    func events(_ request: ChannelRequest) async -> ChannelResponse {
        await admit(request) { (admission) throws(Refusal) in
            let (visitor, token) = try await visitor(admission)
            try limit(.reads, .visitor(visitor.user), admission, perMinute: admission.messagesPerMinute * Admission.readFactor)
            guard let seat = streams.open(visitor) else {
                throw Refusal(503, "Too many streams are open", headers: ["Retry-After": "5"])
            }
            let stream = EventStream(
                feed: feed, visitors: visitors, instance: admission.instance, visitor: visitor, token: token,
                resume: ResumePoint(request.headers("last-event-id")), seat: seat, heartBeat: heartBeat)
            // Proxies that gather an answer before they pass it on would hold back every event.
            return ChannelResponse(
                status: 200, contentType: "text/event-stream; charset=utf-8", headers: ["X-Accel-Buffering": "no"],
                stream: { write in try await stream.run(write) })
        }
    }
}
