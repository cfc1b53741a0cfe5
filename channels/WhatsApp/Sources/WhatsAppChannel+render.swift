package import Conversation

extension WhatsAppChannel {
    /// At most 3 options as buttons, at most 10 as a list, more as numbered lines; long texts in several parts. Rendering a part again
    /// gives that part.
    package func render(_ content: OutboundContent) -> [OutboundContent] {
        switch content {
        case .text(let text): Self.texts(text, or: content)
        case .choices(let prompt): ChoiceRenderer(prompt: prompt).parts
        case .media(let media): Self.media(media)
        case .template, .reaction: [content]
        }
    }

    /// Everything but an approved template needs a message of the customer within the last 24 hours (Meta: customer service window).
    package func refusal(of content: OutboundContent, lastInboundAt: Timestamp?, now: Timestamp) -> ChannelError? {
        if case .template = content { return nil }
        guard let lastInboundAt else {
            return ChannelError(code: "window_closed", message: "this customer has not written yet", reaction: .askForTemplate)
        }
        guard now - lastInboundAt >= Self.window else { return nil }
        return ChannelError(
            code: "window_closed", message: "the customer's last message is from \(lastInboundAt), more than 24 hours ago",
            reaction: .askForTemplate)
    }

    private static let window: Duration = .seconds(86_400)

    static func texts(_ text: String, or content: OutboundContent) -> [OutboundContent] {
        if text.utf16.count <= Limits.text { return [content] }
        let parts = TextCut.parts(of: text, limit: Limits.text)
        return parts.isEmpty ? [.text("")] : parts.map(OutboundContent.text)
    }

    /// Sound and stickers carry no words, and other captions end at 1,024: what does not fit follows as text.
    private static func media(_ media: Media) -> [OutboundContent] {
        guard let caption = media.caption else { return [.media(media)] }
        let takesCaption =
            switch media.kind {
            case .image, .video, .document: true
            case .audio, .voice, .sticker: false
            }
        if takesCaption, caption.utf16.count <= Limits.caption { return [.media(media)] }
        var bare = media
        bare.caption = nil
        return [.media(bare)] + TextCut.parts(of: caption, limit: Limits.text).map(OutboundContent.text)
    }
}
