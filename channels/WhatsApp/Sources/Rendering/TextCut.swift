/// Cuts text without breaking what a reader sees as one character. Limits are UTF-16 code units.
enum TextCut {
    /// The text in parts of at most `limit` units, in order: cut at a blank line, else a line's end, else after a sentence, else between
    /// words, else between characters. White space at a cut is dropped, nothing else. Empty when the text has nothing to show.
    static func parts(of text: String, limit: Int) -> [String] {
        var parts: [String] = []
        var rest = trimmed(text[...])
        while !rest.isEmpty {
            let window = prefix(of: rest, limit: limit)
            let end = window.endIndex == rest.endIndex ? window.endIndex : bestCut(in: window, before: rest[window.endIndex])
            parts.append(String(trimmed(rest[..<end])))
            rest = trimmed(rest[end...])
        }
        return parts
    }

    /// What stands before the last of the text's parts.
    static func beginning(of text: String, before last: String) -> String {
        String(trimmed(text[...]).unicodeScalars.dropLast(last.unicodeScalars.count))
    }

    /// The text itself, or as many characters of it as leave room for the ellipsis at its end.
    static func shortened(_ text: String, to limit: Int) -> String {
        if text.utf16.count <= limit { return text }
        return trimmed(prefix(of: text[...], limit: limit - 1)) + "…"
    }

    /// One line without white space around it.
    static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    /// As many whole characters as fit; at least something: a character longer than the limit is cut between its scalars.
    private static func prefix(of text: Substring, limit: Int) -> Substring {
        var used = 0
        var end = text.startIndex
        while end < text.endIndex {
            used += text[end].utf16.count
            if used > limit { break }
            end = text.index(after: end)
        }
        return end > text.startIndex || text.isEmpty ? text[..<end] : scalars(of: text, limit: limit)
    }

    private static func scalars(of text: Substring, limit: Int) -> Substring {
        var used = 0
        var end = text.startIndex
        while end < text.endIndex {
            used += text.unicodeScalars[end].utf16.count
            if used > limit, end > text.startIndex { break }
            end = text.unicodeScalars.index(after: end)
        }
        return text[..<end]
    }

    /// Where to end the part. A cut in the first half of the window would waste too much of it; then the next kind of place is taken.
    private static func bestCut(in window: Substring, before next: Character) -> String.Index {
        if next.isWhitespace { return window.endIndex }
        var line: String.Index?
        var sentence: String.Index?
        var word: String.Index?
        var paragraph: String.Index?
        var seen = 0
        let half = window.utf16.count / 2
        var previous: Character = " "
        for index in window.indices {
            let character = window[index]
            seen += character.utf16.count
            if seen > half, character.isWhitespace {
                word = index
                if character.isNewline { line = index }
                if character.isNewline, previous.isNewline { paragraph = index }
                if ".!?。！？؟".contains(previous) { sentence = index }
            }
            previous = character
        }
        return paragraph ?? line ?? sentence ?? word ?? anyWord(in: window) ?? window.endIndex
    }

    private static func anyWord(in window: Substring) -> String.Index? { window.lastIndex(where: \.isWhitespace) }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop(while: \.isWhitespace)
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
