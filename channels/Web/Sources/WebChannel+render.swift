package import Conversation
import Text

extension WebChannel {
    /// Long texts in several parts; options as they are, because the page shows as many as there are. Rendering a part again gives that
    /// part.
    package func render(_ content: OutboundContent) -> [OutboundContent] {
        switch content {
        case .text(let text): return TextSplitter.split(text, limit: Self.maxText).map(OutboundContent.text)
        case .choices(var prompt):
            var parts = TextSplitter.split(prompt.text, limit: Self.maxText)
            prompt.text = parts.removeLast()
            return parts.map(OutboundContent.text) + [.choices(prompt)]
        case .template, .media, .reaction: return [content]
        }
    }

    /// Templates belong to platforms that approve them; everything else may go at any time.
    package func refusal(of content: OutboundContent, lastInboundAt: Timestamp?, now: Timestamp) -> ChannelError? {
        switch content {
        case .template: Self.noTemplates
        case .text, .choices, .media, .reaction: nil
        }
    }

    static let noTemplates = ChannelError(code: "no_templates", message: "the web channel has no templates", reaction: .never)
}
