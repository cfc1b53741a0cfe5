/// Cuts texts to the lengths that channels allow, never inside a character as a reader sees it.
package enum TextSplitter {
    /// Parts of at most `limit` characters, cut at a paragraph, line, sentence or word boundary where there is one in the second half of a
    /// part. Joining the parts gives the text back, every character of it.
    package static func split(_ text: String, limit: Int) -> [String] {
        precondition(limit > 0, "a part needs room for a character")
        var parts: [String] = []
        var rest = text[...]
        while let end = rest.index(rest.startIndex, offsetBy: limit, limitedBy: rest.endIndex), end < rest.endIndex {
            let cut = boundary(in: rest[..<end], limit: limit)
            parts.append(String(rest[..<cut]))
            rest = rest[cut...]
        }
        if !rest.isEmpty || parts.isEmpty { parts.append(String(rest)) }
        return parts
    }

    /// The text in at most `limit` characters, cut after a word where that keeps at least half, with an ellipsis in place of what
    /// is missing.
    package static func truncate(_ text: String, limit: Int) -> String {
        guard let end = text.index(text.startIndex, offsetBy: limit, limitedBy: text.endIndex), end < text.endIndex else { return text }
        guard limit > 1 else { return String(text.prefix(limit)) }
        let head = text.prefix(limit - 1)
        let next = text[head.endIndex]
        guard !next.isWhitespace, let space = head.lastIndex(where: \.isWhitespace),
            head.distance(from: head.startIndex, to: space) * 2 >= limit
        else { return trimmed(head) + "…" }
        return trimmed(head[..<space]) + "…"
    }

    /// Labels of at most `limit` characters that differ from each other: those that are equal after cutting end in ` (2)`, ` (3)`
    /// and so on.
    /// Case is not a difference, because some channels compare without it.
    package static func uniqueLabels(_ labels: [String], limit: Int) -> [String] {
        var taken: Set<String> = []
        return labels.map { label in
            var candidate = truncate(label, limit: limit)
            var number = 2
            while !taken.insert(Normalizer.fold(candidate)).inserted {
                let suffix = " (\(number))"
                candidate =
                    limit > suffix.count ? truncate(label, limit: limit - suffix.count) + suffix : String(String(number).suffix(limit))
                number += 1
                // No room left for a difference; a duplicate is the lesser evil than an endless search.
                if number > labels.count + 2 { break }
            }
            return candidate
        }
    }

    private static func boundary(in head: Substring, limit: Int) -> String.Index {
        let middle = head.index(head.startIndex, offsetBy: limit / 2)
        let late = head[middle...]
        if let line = late.lastIndex(where: \.isNewline) { return head.index(after: line) }
        var index = late.endIndex
        var word: String.Index?
        while index > late.startIndex {
            let before = late.index(before: index)
            if late[before].isWhitespace {
                if word == nil { word = index }
                if before > late.startIndex, ".!?…。！？".contains(late[late.index(before: before)]) { return index }
            }
            index = before
        }
        return word ?? head.endIndex
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while let last = text.last, last.isWhitespace || ",;:-–".contains(last) { text.removeLast() }
        return String(text)
    }
}
