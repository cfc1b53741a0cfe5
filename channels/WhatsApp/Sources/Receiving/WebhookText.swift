import Conversation
import JSON

/// A delivery's text, parsed; with its original beside it when characters had to be replaced.
enum WebhookText {
    /// `original` is nil when the text was read as it came.
    case readable(JSONView, original: JSONSlice?)
    case unreadable(reason: String)

    /// U+0000 is replaced because stores refuse it; lone surrogates and bytes that are no UTF-8 only when parsing fails because of them.
    init(_ body: [UInt8]) {
        let withoutNulls = JSONRepair.withoutNulls(body)
        do {
            let document = try JSONDocument.parse(withoutNulls ?? body)
            let isCopy = withoutNulls != nil || document.hasReplacedNumbers
            self = .readable(document.root, original: isCopy ? JSONSlice(body) : nil)
        } catch {
            self = Self.repaired(withoutNulls ?? body, original: body, first: error)
        }
    }

    private static func repaired(_ text: [UInt8], original: [UInt8], first: any Error) -> WebhookText {
        do {
            let document = try JSONDocument.parse(JSONRepair.withReplacedCharacters(text))
            return .readable(document.root, original: JSONSlice(original))
        } catch {
            // The first failure speaks of the text as it came; the second only of our copy.
            return .unreadable(reason: "\(first)")
        }
    }
}

/// A value with its way back to the bytes that came.
struct Raw {
    let view: JSONView
    private let original: JSONSlice?

    init(_ view: JSONView, original: JSONSlice? = nil) {
        self.view = view
        self.original = original
    }

    subscript(key: String) -> Raw { Raw(view[key], original: original?[key]) }

    /// The items of an array, nil for anything else.
    var children: [Raw]? {
        guard let items = view.array else { return nil }
        let originals = original?.items
        return items.enumerated().map { Raw($1, original: originals.at($0)) }
    }

    /// The bytes as they came; minified when the text was read as it came.
    var bytes: [UInt8] { original?.bytes ?? view.rawBytes }

    /// The original text, when reading it lost something.
    var lossyOriginal: String? {
        guard let bytes = original?.bytes else { return nil }
        let isChanged = JSONRepair.withoutNulls(bytes) != nil || JSONRepair.withReplacedCharacters(bytes) != bytes
        return isChanged ? String(decoding: bytes, as: UTF8.self) : nil
    }
}

extension Optional where Wrapped == [JSONSlice] {
    func at(_ index: Int) -> JSONSlice? {
        guard let items = self, items.indices.contains(index) else { return nil }
        return items[index]
    }
}

extension JSONView {
    /// An id, which Meta writes as a string and in places as a number. Never empty.
    var identifier: String? {
        if let number = int { return String(number) }
        guard let text = string, !text.isEmpty else { return nil }
        return text
    }

    /// The value when it is an object. (`nil` beside a `JSONValue` would mean JSON null, hence the explicit case.)
    var objectValue: JSONValue? { isObject ? .some(value) : .none }
}
