import Conversation

/// A request for embeddings.
struct EmbeddingRequest: Sendable {
    var model: String
    var inputs: [String]
    var dimensions: Int
    var isBase64: Bool

    /// Throws `FieldError`.
    init(_ body: JSONValue?) throws {
        var fields = try StrictObject(body)
        model = try fields.text("model", max: 256)
        let input = try fields.required("input")
        if let text = input.string {
            inputs = [text]
        } else {
            inputs = try fields.list("input", count: 1...2048).map { path, value in
                guard let text = value.string else { throw FieldError(field: path, problem: "must be a string") }
                return text
            }
        }
        if inputs.contains(where: \.isEmpty) { throw fields.failure("input", "must not be empty") }
        dimensions = try fields.optionalInteger("dimensions", in: 1...3072) ?? 256
        isBase64 = false
        if fields.has("encoding_format") { isBase64 = try fields.text("encoding_format", oneOf: ["float", "base64"]) == "base64" }
        _ = try fields.optionalText("user", max: 512)
        try fields.finish()
    }

    /// As numbers, or as the bytes of 32-bit floats in little-endian order.
    func encoded(_ vector: [Float]) -> JSONValue {
        guard isBase64 else { return .array(vector.map { .number(Double($0)) }) }
        return .string(Base64.encode(vector.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) } }))
    }
}

/// Places texts by their words and the letters inside them, so that texts which share words lie near each other.
enum Embedding {
    /// Of length 1; all zero for a text without a word.
    static func of(_ text: String, _ dimensions: Int) -> [Float] {
        var vector = [Float](repeating: 0, count: dimensions)
        let words = text.lowercased().split { !($0.isLetter || $0.isNumber) }
        for word in words {
            let letters = Array("^\(word)$".utf8)
            add(letters, 1, to: &vector)
            for start in letters.indices.dropLast(2) { add(Array(letters[start..<start + 3]), 0.3, to: &vector) }
        }
        let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return length == 0 ? vector : vector.map { $0 / length }
    }

    private static func add(_ bytes: [UInt8], _ weight: Float, to vector: inout [Float]) {
        // FNV-1a: the same in every process, unlike Swift's own hashes.
        let hash = bytes.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        vector[Int(hash % UInt64(vector.count))] += hash >> 63 == 0 ? weight : -weight
    }
}
