import Conversation
import Foundation

enum Base64 {
    static func encode(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
    /// Nil for what is no Base64.
    static func decode(_ text: String) -> [UInt8]? { Data(base64Encoded: text).map(Array.init) }
}

/// Media behind an id: every id has some, always the same.
enum GraphMedia {
    static func description(of id: String, version: String, host: String) -> StandInAnswer {
        let bytes = bytes(of: id)
        return .json(
            200,
            [
                "messaging_product": "whatsapp", "id": .string(id), "url": .string("http://\(host)/graph/\(version)/media/\(id)/bytes"),
                "mime_type": "image/png", "sha256": .string(Hex.encode(Signatures.sha256(bytes))),
                "file_size": .integer(Int64(bytes.count)),
            ])
    }

    static func content(of id: String) -> StandInAnswer {
        StandInAnswer(status: 200, contentType: "image/png", body: bytes(of: id))
    }

    /// The signature of a PNG file, and then bytes that depend on the id.
    private static func bytes(of id: String) -> [UInt8] {
        [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + Signatures.sha256(Array(id.utf8))
    }
}
