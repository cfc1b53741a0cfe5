import Conversation
import JSON

/// Reads a body strictly and gathers everything that is wrong with it. JSON null counts as left out.
struct BodyReader {
    private(set) var problems: [BodyProblem] = []
    /// More would only repeat the lesson, and an attacker chooses their number.
    private static let maxProblems = 20

    /// The outermost value. One lone surrogate or bad byte costs that character, not the message. Throws a 400 or 413.
    static func root(of body: [UInt8], limit: Int) throws(Refusal) -> JSONView {
        guard body.count <= limit else { throw Refusal(413, "The body is larger than \(limit) bytes") }
        if let document = try? JSONDocument.parse(body) { return document.root }
        do {
            return try JSONDocument.parse(JSONRepair.withReplacedCharacters(body)).root
        } catch {
            throw Refusal(400, "The body is not JSON", detail: (error as? JSONError)?.description)
        }
    }

    mutating func wrong(_ pointer: String, _ message: String) {
        if problems.count < Self.maxProblems { problems.append(BodyProblem(pointer: pointer, message: message)) }
    }

    /// The members of an object in which only these names may stand.
    mutating func members(of view: JSONView, at pointer: String = "", known: [String]) -> [String: JSONView] {
        guard let members = view.members else {
            wrong(pointer, "must be an object")
            return [:]
        }
        var found: [String: JSONView] = [:]
        for (name, value) in members {
            let place = pointer + "/" + Self.escaped(name)
            if !known.contains(name) {
                wrong(place, "is not known; known: \(known.joined(separator: ", "))")
            } else if found.updateValue(value, forKey: name) != nil {
                wrong(place, "stands twice")
            }
        }
        return found.filter { !$0.value.isNull }
    }

    /// A text of so many Unicode scalars; nil when it is not there or wrong. U+0000, which no store takes, becomes U+FFFD.
    mutating func text(
        _ view: JSONView?, at pointer: String, _ length: ClosedRange<Int>, where isGood: (String) -> Bool = { _ in true },
        rule: String = ""
    ) -> String? {
        guard let view else { return nil }
        guard let text = view.string else {
            wrong(pointer, "must be a text")
            return nil
        }
        guard length.contains(text.unicodeScalars.count) else {
            wrong(pointer, "must have \(length.lowerBound) to \(length.upperBound) characters")
            return nil
        }
        guard isGood(text) else {
            wrong(pointer, rule)
            return nil
        }
        return text.replacing("\0", with: "\u{FFFD}")
    }

    /// Throws a 422 when anything was wrong.
    func finish() throws(Refusal) {
        if !problems.isEmpty { throw Refusal(invalid: problems) }
    }

    private static func escaped(_ name: String) -> String {
        String(name.prefix(64)).replacing("~", with: "~0").replacing("/", with: "~1")
    }
}

extension String {
    /// Whether it holds nothing but ASCII letters, digits and the given others.
    func consists(ofLettersDigitsAnd others: String) -> Bool {
        utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            default: others.utf8.contains(byte)
            }
        }
    }
}
