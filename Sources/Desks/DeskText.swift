import Conversation

/// What goes into tickets as text: one limit, one way to show an entry, one mark by which it is found again.
enum DeskText {
    /// Bytes of UTF-8 in any one body that we send.
    static let longestBody = 262_144
    /// Entries of the conversation that a new ticket shows; those before are counted.
    static let longestHistory = 100

    /// Stands in whatever we write, so that we find it again and never take it for somebody's answer.
    static func mark(_ id: UniqueID) -> String { "[sb:\(id)]" }

    /// The id in a mark that is the last line of a text. A quoted mark, with `>` before it, does not count.
    static func markedID(in text: String) -> UniqueID? {
        guard let last = text.split(whereSeparator: \.isNewline).last(where: { !$0.allSatisfy(\.isWhitespace) }) else { return nil }
        let line = last.trimmingSpaces
        guard line.hasPrefix("[sb:"), line.hasSuffix("]") else { return nil }
        return UniqueID(line.dropFirst(4).dropLast())
    }

    /// An entry as people read it, its links below its text.
    static func body(of entry: TicketEntry, named: Bool) -> String {
        let links = entry.attachments.map { "\($0.name): \($0.url)" }
        let text = (entry.text.isEmpty ? [] : [entry.text]) + links
        return (named ? "\(name(of: entry.author)): " : "") + text.joined(separator: "\n")
    }

    /// An entry with its mark, within the limit.
    static func marked(_ entry: TicketEntry, to limit: Int = longestBody) -> String {
        let mark = "\n\n" + mark(entry.id)
        return cut(body(of: entry, named: entry.author != .customer), to: limit - mark.utf8.count) + mark
    }

    /// A new ticket's first text: the summary, then the conversation, newest entries kept when not all fit, and the mark.
    static func opening(_ draft: TicketDraft, to limit: Int = longestBody) -> String {
        let end = "\n\n" + mark(draft.reference.value)
        return opening(draft, entries: longestHistory, to: limit - end.utf8.count) + end
    }

    /// The same without the mark, with at most so many entries.
    static func opening(_ draft: TicketDraft, entries: Int, to limit: Int) -> String {
        let head = cut(draft.summary, to: limit / 2)
        var lines: [String] = []
        var room = limit - head.utf8.count - 200
        for entry in draft.history.suffix(entries).reversed() {
            let line = "\(entry.at) \(body(of: entry, named: true))"
            guard line.utf8.count + 1 <= room else { break }
            room -= line.utf8.count + 1
            lines.append(line)
        }
        let omitted = draft.history.count - lines.count
        if omitted > 0 { lines.append("(\(omitted) earlier \(omitted == 1 ? "entry is" : "entries are") not shown.)") }
        let history = lines.isEmpty ? "" : "\n\n" + lines.reversed().joined(separator: "\n")
        return head + history
    }

    /// The whole text, or its beginning up to a character's boundary and a note that it was cut.
    static func cut(_ text: String, to limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        let note = "\n(cut here: the text was too long)"
        var end = text.utf8.index(text.startIndex, offsetBy: max(0, limit - note.utf8.count))
        while end > text.startIndex, end.samePosition(in: text) == nil { end = text.utf8.index(before: end) }
        return String(text[..<end]) + note
    }

    static func name(of author: TicketEntry.Author) -> String {
        switch author {
        case .customer: "Customer"
        case .bot: "Bot"
        case .agent: "Agent"
        case .system: "Note"
        }
    }
}

extension StringProtocol {
    var trimmingSpaces: String {
        var text = Substring(self)
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }
}
