import Conversation

/// Brings a question with options into a form that WhatsApp carries.
struct ChoiceRenderer {
    let prompt: ChoicePrompt

    var parts: [OutboundContent] {
        if prompt.options.isEmpty { return WhatsAppChannel.texts(prompt.text, or: .text(prompt.text)) }
        if prompt.options.count <= Limits.buttons, hasUsableIDs(upTo: Limits.buttonID) {
            return asked(buttons, bodyLimit: Limits.buttonBody)
        }
        if prompt.options.count <= Limits.rows, hasUsableIDs(upTo: Limits.rowID) { return asked(rows, bodyLimit: Limits.listBody) }
        return numbered
    }

    /// Meta refuses a prompt whose option ids are empty, equal or too long; such options become numbered lines.
    private func hasUsableIDs(upTo limit: Int) -> Bool {
        let ids = prompt.options.map(\.id)
        return Set(ids).count == ids.count && ids.allSatisfy { (1...limit).contains($0.utf16.count) }
    }

    /// The prompt under the end of its text; what is before goes ahead as text.
    private func asked(_ options: [ChoicePrompt.Option], bodyLimit: Int) -> [OutboundContent] {
        let title = TextCut.oneLine(prompt.listTitle)
        let listTitle = TextCut.shortened(title.isEmpty ? "Choose" : title, to: Limits.listButton)
        let isShort = prompt.text.utf16.count <= bodyLimit
        let last = isShort ? prompt.text : TextCut.parts(of: prompt.text, limit: bodyLimit).last ?? ""
        let ahead = isShort ? [] : TextCut.parts(of: TextCut.beginning(of: prompt.text, before: last), limit: Limits.text)
        // A prompt needs words of its own (Meta: body is required).
        let body = last.allSatisfy(\.isWhitespace) ? listTitle : last
        return ahead.map(OutboundContent.text) + [.choices(ChoicePrompt(text: body, options: options, listTitle: listTitle))]
    }

    private var buttons: [ChoicePrompt.Option] {
        zip(prompt.options, labels(limit: Limits.buttonTitle)).map { option, label in
            ChoicePrompt.Option(id: option.id, title: label, description: option.description)
        }
    }

    /// A title that had to be cut stands whole in the description when there is none.
    private var rows: [ChoicePrompt.Option] {
        zip(prompt.options, labels(limit: Limits.rowTitle)).map { option, label in
            let title = TextCut.oneLine(option.title)
            let description = option.description.map(TextCut.oneLine) ?? (title.utf16.count > Limits.rowTitle ? title : "")
            return ChoicePrompt.Option(
                id: option.id, title: label,
                description: description.isEmpty ? nil : TextCut.shortened(description, to: Limits.rowDescription))
        }
    }

    /// Titles within the limit and all different: those that became equal by cutting get their number in front; all of them do when even
    /// that makes two equal.
    private func labels(limit: Int) -> [String] {
        let titles = prompt.options.map { TextCut.oneLine($0.title) }
        let cut = titles.map { TextCut.shortened($0, to: limit) }
        let counts = Dictionary(cut.map { ($0, 1) }, uniquingKeysWith: +)
        let some = titles.indices.map { index in
            cut[index].isEmpty || counts[cut[index], default: 0] > 1 ? Self.numbered(titles[index], index, limit: limit) : cut[index]
        }
        if Set(some).count == some.count { return some }
        return titles.indices.map { Self.numbered(titles[$0], $0, limit: limit) }
    }

    private static func numbered(_ title: String, _ index: Int, limit: Int) -> String {
        TextCut.shortened(title.isEmpty ? "\(index + 1)." : "\(index + 1). \(title)", to: limit)
    }

    /// One line per option, for typed answers.
    private var numbered: [OutboundContent] {
        let lines = prompt.options.enumerated().map { index, option in
            let title = TextCut.oneLine(option.title)
            let description = option.description.map(TextCut.oneLine) ?? ""
            return "\(index + 1). " + [title, description].filter { !$0.isEmpty }.joined(separator: " – ")
        }
        let text = ([prompt.text] + lines).filter { !$0.isEmpty }.joined(separator: "\n")
        return WhatsAppChannel.texts(text, or: .text(text))
    }
}
