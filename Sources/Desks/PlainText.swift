/// HTML that a person wrote in a ticket system, as text for a chat. Nothing of it is interpreted again: what comes out is characters.
enum PlainText {
    /// Linear in the length of `html`; broken markup gives a text too.
    static func from(html: String) -> String {
        var reader = HTMLReader(html)
        return reader.read()
    }

    /// Whether a text looks like markup rather than words.
    static func isHTML(_ text: String) -> Bool { text.contains(/<\/?[A-Za-z][^<>]*>|&(?:[a-z]{2,6}|#[0-9]{1,7});/) }
}

private struct HTMLReader {
    private let characters: [Character]
    private var place = 0
    /// The first `>` at or behind `place`, once it was looked for.
    private var nextEnd = -1
    private var lines: [String] = [""]
    private var quotes = 0
    private var links: [(address: String, line: Int, start: Int)] = []

    init(_ html: String) { characters = Array(html) }

    private static let longestTag = 20_000
    /// What stands between these is no text.
    private static let silent: Set<String> = ["script", "style", "head", "title", "template", "noscript", "iframe", "object"]
    private static let blocks: Set<String> = [
        "p", "div", "ul", "ol", "li", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "section", "article", "header", "footer",
        "hr",
    ]
    private static let entities: [String: String] = [
        "amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'", "nbsp": " ", "hellip": "…", "ndash": "–", "mdash": "—", "lsquo": "‘",
        "rsquo": "’", "ldquo": "“", "rdquo": "”", "euro": "€", "pound": "£", "copy": "©", "reg": "®", "auml": "ä", "ouml": "ö", "uuml": "ü",
        "Auml": "Ä", "Ouml": "Ö", "Uuml": "Ü", "szlig": "ß", "eacute": "é", "egrave": "è", "agrave": "à", "ccedil": "ç", "deg": "°",
        "middot": "·", "bull": "•", "times": "×",
    ]

    mutating func read() -> String {
        while place < characters.count {
            switch characters[place] {
            case "<": readMarkup()
            case "&": readEntity()
            default:
                append(characters[place])
                place += 1
            }
        }
        var result: [String] = []
        for line in lines.map(\.trimmingSpaces) where !(line.isEmpty && (result.last?.isEmpty ?? true)) { result.append(line) }
        while result.last?.isEmpty == true { result.removeLast() }
        return result.joined(separator: "\n")
    }

    private mutating func append(_ character: Character) {
        if character.isWhitespace {
            if lines[lines.count - 1].last != " ", !lines[lines.count - 1].isEmpty { lines[lines.count - 1].append(" ") }
        } else if character.unicodeScalars.allSatisfy({ $0.value >= 32 && $0.value != 127 }) {
            lines[lines.count - 1].append(character)
        }
    }

    private mutating func breakLine() { lines.append(quotes > 0 ? "> " : "") }

    /// A new line unless one has just begun.
    private mutating func beginBlock() {
        let isFresh = lines[lines.count - 1].allSatisfy { $0 == ">" || $0 == " " }
        if isFresh { lines[lines.count - 1] = quotes > 0 ? "> " : "" } else { breakLine() }
    }

    private mutating func readMarkup() {
        let rest = characters[place...]
        if rest.starts(with: "<!--") {
            skip(past: "-->")
            return
        }
        guard place + 1 < characters.count, characters[place + 1].isLetter || "/!?".contains(characters[place + 1]) else {
            append("<")
            place += 1
            return
        }
        guard let end = endOfTag() else {
            append("<")
            place += 1
            return
        }
        let inside = characters[(place + 1)..<end]
        place = end + 1
        let isClosing = inside.first == "/"
        let name = String(inside.drop { $0 == "/" }.prefix { $0.isLetter || $0.isNumber }).lowercased()
        if Self.silent.contains(name), !isClosing, inside.last != "/" {
            skip(past: "</\(name)")
            skip(past: ">")
        } else {
            apply(name, isClosing: isClosing, inside)
        }
    }

    private mutating func apply(_ name: String, isClosing: Bool, _ inside: ArraySlice<Character>) {
        switch name {
        case "br": breakLine()
        case "blockquote":
            quotes = max(0, quotes + (isClosing ? -1 : 1))
            beginBlock()
        case "a": isClosing ? endLink() : beginLink(inside)
        case "td", "th": append(" ")
        case _ where Self.blocks.contains(name):
            beginBlock()
            if name == "p" || name.hasPrefix("h"), isClosing { breakLine() }
            if name == "li", !isClosing { lines[lines.count - 1] += "- " }
        default: break
        }
    }

    /// A `>` inside a quoted attribute does not end a tag; a quote that nothing closes does not swallow the rest. Nil when nothing ends it.
    private mutating func endOfTag() -> Int? {
        if nextEnd < place { nextEnd = characters[place...].firstIndex(of: ">") ?? characters.count }
        guard nextEnd < characters.count, nextEnd - place <= Self.longestTag else { return nil }
        var quote: Character?
        for index in (place + 1)..<min(characters.count, place + Self.longestTag) {
            let character = characters[index]
            if let open = quote {
                if character == open { quote = nil }
            } else if character == ">" {
                return index
            } else if character == "\"" || character == "'" {
                quote = character
            }
        }
        return nextEnd
    }

    /// To behind the next place where `text` stands, in small or capital letters; to the end when it stands nowhere.
    private mutating func skip(past text: String) {
        let wanted = Array(text)
        while place < characters.count {
            if place + wanted.count <= characters.count,
                zip(wanted, characters[place...]).allSatisfy({ $0 == Character($1.lowercased().prefix(1).description) })
            {
                place += wanted.count
                return
            }
            place += 1
        }
    }

    private mutating func beginLink(_ inside: ArraySlice<Character>) {
        let tag = String(inside)
        let address = tag.firstMatch(of: /(?i)href\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))/).flatMap { $0.1 ?? $0.2 ?? $0.3 } ?? ""
        let url = Link.checked(String(address).replacing("&amp;", with: "&")) ?? ""
        links.append((url, lines.count - 1, lines[lines.count - 1].count))
    }

    /// Shows where a link leads when its words do not say it.
    private mutating func endLink() {
        guard let link = links.popLast(), !link.address.isEmpty else { return }
        let words = link.line == lines.count - 1 ? String(lines[link.line].dropFirst(link.start)).trimmingSpaces : ""
        if words != link.address { lines[lines.count - 1] += words.isEmpty ? link.address : " (\(link.address))" }
    }

    private mutating func readEntity() {
        let end = characters[place...].prefix(12).firstIndex(of: ";")
        if let end {
            let name = String(characters[(place + 1)..<end])
            if let text = Self.entities[name] ?? Self.numbered(name) {
                for character in text { append(character) }
                place = end + 1
                return
            }
        }
        append("&")
        place += 1
    }

    private static func numbered(_ name: String) -> String? {
        guard name.hasPrefix("#") else { return nil }
        let digits = name.dropFirst()
        let value = digits.hasPrefix("x") || digits.hasPrefix("X") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
        return value.flatMap(Unicode.Scalar.init).map { String(Character($0)) }
    }
}
