/// A gzip member (RFC 1952) of nothing but zero bytes, packed about 150 to 1 without holding what it unpacks to.
enum GzipBomb {
    static func bytes(unpackingTo count: Int) -> [UInt8] {
        var output: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF]
        output += deflated(count)
        for number in [crc32(ofZeros: count), UInt32(truncatingIfNeeded: count)] {
            output += (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        }
        return output
    }

    /// One block with the fixed Huffman codes of RFC 1951, 3.2.6: a zero, then repetitions of the byte before.
    private static func deflated(_ count: Int) -> [UInt8] {
        var bits = BitWriter()
        bits.append(0b011, count: 3)
        var rest = count
        if rest > 0 {
            bits.appendCode(0x30, count: 8)
            rest -= 1
        }
        while rest >= 258 {
            bits.appendCode(0b1100_0101, count: 8)
            bits.appendCode(0, count: 5)
            rest -= 258
        }
        for _ in 0..<rest { bits.appendCode(0x30, count: 8) }
        bits.appendCode(0, count: 7)
        return bits.finish()
    }

    /// The check value of `count` zero bytes: the matrix that one zero byte applies to the register is squared as often as needed.
    private static func crc32(ofZeros count: Int) -> UInt32 {
        var register: UInt32 = 0xFFFF_FFFF
        var matrix = (0..<32).map { afterZeroByte(1 << UInt32($0)) }
        var rest = count
        while rest > 0 {
            if rest & 1 == 1 { register = apply(matrix, register) }
            matrix = matrix.map { apply(matrix, $0) }
            rest >>= 1
        }
        return ~register
    }

    private static func afterZeroByte(_ register: UInt32) -> UInt32 {
        (0..<8).reduce(register) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
    }

    private static func apply(_ matrix: [UInt32], _ vector: UInt32) -> UInt32 {
        matrix.indices.reduce(0) { sum, bit in vector >> UInt32(bit) & 1 == 1 ? sum ^ matrix[bit] : sum }
    }
}

/// Packs bits from the low end of each byte on; Huffman codes go high bit first.
private struct BitWriter {
    private var output: [UInt8] = []
    private var current: UInt8 = 0
    private var filled = 0

    mutating func append(_ value: Int, count: Int) {
        for bit in 0..<count {
            if value >> bit & 1 == 1 { current |= 1 << UInt8(filled) }
            filled += 1
            guard filled == 8 else { continue }
            output.append(current)
            current = 0
            filled = 0
        }
    }

    mutating func appendCode(_ code: Int, count: Int) {
        for bit in (0..<count).reversed() { append(code >> bit & 1, count: 1) }
    }

    consuming func finish() -> [UInt8] { filled > 0 ? output + [current] : output }
}
