internal import CSimdjson

/// A place in a JSON document, or a place that is not there. Every question has an answer: what is missing or of another type is nil.
package struct JSONView: Sendable {
    /// Held so that the element's memory outlives every view of it. Nil when the place is missing.
    private let document: JSONDocument?
    private let element: sj_element

    init(document: JSONDocument, element: sj_element) {
        self.document = document
        self.element = element
    }

    private init() {
        document = nil
        element = sj_element(document: 0, index: 0)
    }

    /// A view of nothing.
    package static let missing = JSONView()

    /// Whether there is a value, JSON null included.
    package var exists: Bool { document != nil }
    /// Whether JSON null stands here; false when nothing does.
    package var isNull: Bool { kind == SJ_NULL }
    /// Whether an object stands here.
    package var isObject: Bool { kind == SJ_OBJECT }
    /// Whether an array stands here.
    package var isArray: Bool { kind == SJ_ARRAY }

    /// The first member of that name.
    package subscript(key: String) -> JSONView {
        guard let document else { return .missing }
        var key = key
        var found = element
        let isThere = withExtendedLifetime(document) {
            key.withUTF8 { sj_member(element, $0.baseAddress, $0.count, &found) }
        }
        return isThere ? JSONView(document: document, element: found) : .missing
    }

    /// The item at that place; finding it walks the items before it.
    package subscript(index: Int) -> JSONView {
        guard let document, index >= 0 else { return .missing }
        var found = element
        let isThere = withExtendedLifetime(document) { sj_item(element, index, &found) }
        return isThere ? JSONView(document: document, element: found) : .missing
    }

    /// The text of a string, U+0000 included.
    package var string: String? {
        read(SJ_STRING) { element in
            var count = 0
            let start = sj_string(element, &count)
            return Self.text(start, count)
        }
    }

    /// A whole number in the range of `Int`; not one written with a fraction.
    package var int: Int? {
        switch kind {
        case SJ_INT64: read(SJ_INT64) { Int(exactly: sj_int64($0)) } ?? nil
        case SJ_UINT64: read(SJ_UINT64) { Int(exactly: sj_uint64($0)) } ?? nil
        default: nil
        }
    }

    /// Any number.
    package var double: Double? {
        switch kind {
        case SJ_INT64: read(SJ_INT64) { Double(sj_int64($0)) }
        case SJ_UINT64: read(SJ_UINT64) { Double(sj_uint64($0)) }
        case SJ_DOUBLE: read(SJ_DOUBLE) { sj_double($0) }
        default: nil
        }
    }

    /// True or false, written so.
    package var bool: Bool? { read(SJ_BOOL) { sj_bool($0) } }

    /// The items, when this is an array.
    package var array: [JSONView]? {
        guard let document else { return nil }
        return read(SJ_ARRAY) { element in
            var items: [JSONView] = []
            var cursor = element
            var end = element
            guard sj_children(element, &cursor, &end) else { return [] }
            while cursor.index != end.index {
                items.append(JSONView(document: document, element: cursor))
                cursor = sj_next_item(cursor)
            }
            return items
        }
    }

    /// The members in the order they were written, when this is an object. A name may occur twice; the first one counts elsewhere.
    package var members: [(key: String, value: JSONView)]? {
        guard let document else { return nil }
        return read(SJ_OBJECT) { element in
            var members: [(key: String, value: JSONView)] = []
            var cursor = element
            var end = element
            guard sj_children(element, &cursor, &end) else { return [] }
            while cursor.index != end.index {
                var name: UnsafePointer<CChar>?
                var count = 0
                var value = element
                cursor = sj_next_member(cursor, &name, &count, &value)
                members.append((Self.text(name, count), JSONView(document: document, element: value)))
            }
            return members
        }
    }

    /// The value as the bytes of minified JSON text; empty when there is nothing here.
    package var rawBytes: [UInt8] {
        guard let document else { return [] }
        return withExtendedLifetime(document) {
            var count = 0
            guard let text = sj_minified(element, &count) else { return [] }
            defer { sj_text_free(text) }
            return Array(UnsafeRawBufferPointer(start: text, count: count))
        }
    }

    /// The value as minified JSON text; empty when there is nothing here.
    package var rawText: String { String(decoding: rawBytes, as: UTF8.self) }

    /// What kind of value stands here; nil when nothing does.
    private var kind: sj_kind? {
        guard let document else { return nil }
        return withExtendedLifetime(document) { sj_type(element) }
    }

    /// Reads the element while the document is certainly alive; nil when it is of another kind.
    private func read<Result>(_ expected: sj_kind, _ body: (sj_element) -> Result) -> Result? {
        guard let document else { return nil }
        return withExtendedLifetime(document) { sj_type(element) == expected ? body(element) : nil }
    }

    private static func text(_ start: UnsafePointer<CChar>?, _ count: Int) -> String {
        String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
    }
}
