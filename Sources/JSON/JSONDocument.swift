internal import CSimdjson

/// Why bytes are no JSON that we read.
package enum JSONError: Error, Sendable, Hashable, CustomStringConvertible {
    /// No JSON at all; with the parser's word for it.
    case malformed(String)
    /// Nested deeper than `JSONDocument.maximumDepth`.
    case tooDeep
    /// Larger than 4 GiB.
    case tooLarge
    /// The system has no memory to read it into.
    case outOfMemory

    /// For operators.
    package var description: String {
        switch self {
        case .malformed(let detail): "not JSON: \(detail)"
        case .tooDeep: "JSON nested deeper than \(JSONDocument.maximumDepth)"
        case .tooLarge: "JSON text too large"
        case .outOfMemory: "no memory for JSON"
        }
    }
}

/// A parsed JSON text. Views keep it alive; nothing in it changes after parsing.
///
/// `@unchecked Sendable`: simdjson's document is written by `parse` alone and only read afterwards.
package final class JSONDocument: @unchecked Sendable {
    /// How deep arrays and objects may nest. Far more than any provider sends, little enough for recursion on any thread.
    package static let maximumDepth = 512

    private let document: OpaquePointer
    /// Whether a number did not fit and stands in the document as `parse` describes; raw text of it is then not as it came.
    package let hasReplacedNumbers: Bool

    private init(owning document: OpaquePointer, hasReplacedNumbers: Bool) {
        self.document = document
        self.hasReplacedNumbers = hasReplacedNumbers
    }

    deinit { sj_document_free(document) }

    /// The outermost value.
    package var root: JSONView { JSONView(document: self, element: sj_root(document)) }

    /// Reads one JSON text; a byte order mark in front is skipped. A whole number too large for 64 bits reads as a double and one too large
    /// for a double as the string of its digits, so that one number never costs its neighbours. Throws `JSONError`.
    package static func parse(_ bytes: [UInt8]) throws -> JSONDocument {
        let text = bytes.starts(with: byteOrderMark) ? Array(bytes.dropFirst(byteOrderMark.count)) : bytes
        switch read(text, hasReplacedNumbers: false) {
        case .document(let document): return document
        case .failed(let error, isNumber: false): throw error
        case .failed(let error, isNumber: true):
            guard let readable = JSONRepair.withReadableNumbers(text),
                case .document(let document) = read(readable, hasReplacedNumbers: true)
            else { throw error }
            return document
        }
    }

    static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private enum Reading {
        case document(JSONDocument)
        case failed(JSONError, isNumber: Bool)
    }

    private static func read(_ bytes: [UInt8], hasReplacedNumbers: Bool) -> Reading {
        var error = SJ_OK
        var message: UnsafePointer<CChar>?
        let document = bytes.withUnsafeBufferPointer { sj_parse($0.baseAddress, $0.count, maximumDepth, &error, &message) }
        if let document { return .document(JSONDocument(owning: document, hasReplacedNumbers: hasReplacedNumbers)) }
        let detail = message.map { String(cString: $0) } ?? "unreadable"
        return switch error {
        case SJ_TOO_DEEP: .failed(.tooDeep, isNumber: false)
        case SJ_TOO_LARGE: .failed(.tooLarge, isNumber: false)
        case SJ_NO_MEMORY: .failed(.outOfMemory, isNumber: false)
        case SJ_NUMBER: .failed(.malformed(detail), isNumber: true)
        default: .failed(.malformed(detail), isNumber: false)
        }
    }
}
