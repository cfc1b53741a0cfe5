/// Just enough of RFC 1951 and RFC 1952 to make compressed answers, honest and hostile.
enum Gzip {
    private static let start: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]

    /// One stored block, for up to 65,535 bytes.
    static func stored(_ plain: [UInt8]) -> [UInt8] {
        let length = UInt16(plain.count)
        return start + [1] + little(length) + little(~length) + plain + trailer(plain)
    }

    /// Zeros, about 159 of them in each byte: one block of fixed codes that repeats the longest match there is.
    static func zeros(_ count: Int) -> [UInt8] {
        var bits = BitWriter()
        bits.write(0b011, 3)
        bits.writeCode(0x30, 8)
        for _ in 0..<(count / 258) {
            bits.writeCode(0xC5, 8)
            bits.writeCode(0, 5)
        }
        bits.writeCode(0, 7)
        return start + bits.bytes + [UInt8](repeating: 0, count: 8)
    }

    private static func trailer(_ plain: [UInt8]) -> [UInt8] { little(checksum(plain)) + little(UInt32(plain.count)) }

    private static func little(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }

    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(UInt32.max) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
        }
    }
}

private struct BitWriter {
    private var done: [UInt8] = []
    private var pending: UInt32 = 0
    private var count = 0

    var bytes: [UInt8] { count > 0 ? done + [UInt8(truncatingIfNeeded: pending)] : done }

    /// Lowest bit first.
    mutating func write(_ value: UInt32, _ width: Int) {
        pending |= value << count
        count += width
        while count >= 8 {
            done.append(UInt8(truncatingIfNeeded: pending))
            pending >>= 8
            count -= 8
        }
    }

    /// Huffman codes stand highest bit first.
    mutating func writeCode(_ code: UInt32, _ width: Int) {
        for bit in (0..<width).reversed() { write(code >> bit & 1, 1) }
    }
}
