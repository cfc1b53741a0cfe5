internal import CPostgres
internal import Foundation

/// Values in PostgreSQL's binary form.
///
/// PostgreSQL takes no U+0000 in text, and customers can send one. The driver writes U+0000 as U+10FFFF `0` and U+10FFFF itself as
/// U+10FFFF `1`, and turns both back when it reads: every text comes back as it was, and equal texts stay equal. U+10FFFF is no
/// character, so no other text is touched.
enum PostgreSQLValue {
    static let integer: Oid = 20
    static let real: Oid = 701
    static let text: Oid = 25
    static let bytes: Oid = 17
    /// Lets the server find the type.
    static let unknown: Oid = 0

    static func type(_ value: SQLValue) -> Oid {
        switch value {
        case .null: unknown
        case .integer: integer
        case .real: real
        case .text: text
        case .bytes: bytes
        }
    }

    /// Throws `StorageError.unreadable`.
    static func read(_ bytes: UnsafeRawBufferPointer, type: Oid) throws -> SQLValue {
        switch type {
        case 17: return .bytes(Array(bytes))
        // text, varchar, bpchar, name, "char" and what has no type.
        case 25, 1043, 1042, 19, 18, 705: return .text(Escape.undo(bytes))
        case 20: return .integer(number(bytes))
        case 23: return .integer(Int64(number(bytes) as Int32))
        case 21: return .integer(Int64(number(bytes) as Int16))
        case 26: return .integer(Int64(number(bytes) as UInt32))
        case 16: return .integer(bytes.first == 1 ? 1 : 0)
        case 701: return .real(Double(bitPattern: number(bytes)))
        case 700: return .real(Double(Float(bitPattern: number(bytes))))
        case 1700: return try numeric(bytes)
        default: throw StorageError.unreadable("a column of PostgreSQL's type \(type)")
        }
    }

    private static func number<Number: FixedWidthInteger>(_ bytes: UnsafeRawBufferPointer, at offset: Int = 0) -> Number {
        guard bytes.count >= offset + MemoryLayout<Number>.size else { return 0 }
        return Number(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Number.self))
    }

    /// Sums of big integers are of this type. Digits to the base 10,000; the first counts 10,000 to the power of `weight`.
    private static func numeric(_ bytes: UnsafeRawBufferPointer) throws -> SQLValue {
        let (count, weight) = (Int(number(bytes) as Int16), Int(number(bytes, at: 2) as Int16))
        let sign: UInt16 = number(bytes, at: 4)
        guard sign == 0 || sign == 0x4000 else { throw StorageError.unreadable("a number without a value") }
        let digits = (0..<count).map { Int64(number(bytes, at: 8 + 2 * $0) as Int16) }
        if count <= weight + 1 {
            var whole: Int64 = 0
            var fits = true
            for index in 0..<max(weight + 1, 0) {
                let (product, first) = whole.multipliedReportingOverflow(by: 10_000)
                let (sum, second) = product.subtractingReportingOverflow(index < count ? digits[index] : 0)
                fits = fits && !first && !second
                whole = sum
            }
            if fits, sign == 0x4000 || whole != .min { return .integer(sign == 0x4000 ? whole : -whole) }
        }
        let size = digits.enumerated().reduce(0.0) { $0 + Double($1.element) * pow(10_000, Double(weight - $1.offset)) }
        return .real(sign == 0x4000 ? -size : size)
    }

    enum Escape {
        private static let mark: [UInt8] = [0xF4, 0x8F, 0xBF, 0xBF]

        /// Appends the text, escaped.
        static func append(_ text: UnsafeBufferPointer<UInt8>, to output: inout [UInt8]) {
            guard let start = text.baseAddress, !text.isEmpty else { return }
            if memchr(start, 0, text.count) == nil, memchr(start, 0xF4, text.count) == nil {
                output.append(contentsOf: text)
                return
            }
            var index = 0
            while index < text.count {
                if text[index] == 0 {
                    output += mark + [UInt8(ascii: "0")]
                } else if isMark(text, at: index) {
                    output += mark + [UInt8(ascii: "1")]
                    index += 3
                } else {
                    output.append(text[index])
                }
                index += 1
            }
        }

        static func undo(_ bytes: UnsafeRawBufferPointer) -> String {
            guard let start = bytes.baseAddress, memchr(start, 0xF4, bytes.count) != nil else {
                return String(decoding: bytes, as: UTF8.self)
            }
            let text = bytes.bindMemory(to: UInt8.self)
            var output: [UInt8] = []
            var index = 0
            while index < text.count {
                guard isMark(text, at: index), index + 4 < text.count else {
                    output.append(text[index])
                    index += 1
                    continue
                }
                if text[index + 4] == UInt8(ascii: "0") { output.append(0) } else { output += mark }
                index += 5
            }
            return String(decoding: output, as: UTF8.self)
        }

        private static func isMark(_ text: UnsafeBufferPointer<UInt8>, at index: Int) -> Bool {
            index + 4 <= text.count && text[index] == mark[0] && text[index + 1] == mark[1] && text[index + 2] == mark[2]
                && text[index + 3] == mark[3]
        }
    }
}

/// The values of one statement as libpq takes them.
struct PostgreSQLParameters {
    private var data: [UInt8] = []
    /// Where each value begins in `data`; -1 for NULL.
    private var starts: [Int] = []
    private var lengths: [Int32] = []

    init(_ values: [SQLValue]) {
        for value in values { add(value) }
        // So that the pointer to an empty value is one.
        data.append(0)
    }

    private mutating func add(_ value: SQLValue) {
        let start = data.count
        switch value {
        case .null: break
        case .integer(let number): withUnsafeBytes(of: number.bigEndian) { data.append(contentsOf: $0) }
        case .real(let number): withUnsafeBytes(of: number.bitPattern.bigEndian) { data.append(contentsOf: $0) }
        case .text(var text): text.withUTF8 { PostgreSQLValue.Escape.append($0, to: &data) }
        case .bytes(let bytes): data.append(contentsOf: bytes)
        }
        starts.append(value == .null ? -1 : start)
        lengths.append(Int32(data.count - start))
    }

    /// False when libpq refuses.
    func send(_ name: String, over link: PostgreSQLLink) -> Bool {
        data.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return false }
            let values = starts.map { $0 < 0 ? nil : UnsafePointer((base + $0).assumingMemoryBound(to: CChar.self)) }
            let formats = [Int32](repeating: 1, count: starts.count)
            return PQsendQueryPrepared(link.handle, name, Int32(starts.count), values, lengths, formats, 1) == 1
        }
    }
}
