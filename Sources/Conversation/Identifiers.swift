/// A 128-bit id, UUIDv7 when we mint it (RFC 9562: 48 bits of Unix milliseconds first, so ids sort by time).
package struct UniqueID: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads 16 bytes as they are stored; nil for any other length.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        high = bytes[0..<8].reduce(0) { $0 << 8 | UInt64($1) }
        low = bytes[8..<16].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Reads the canonical form with four hyphens, upper or lower case.
    package init?(_ text: some StringProtocol) {
        let characters = Array(text.utf8)
        guard characters.count == 36, [8, 13, 18, 23].allSatisfy({ characters[$0] == UInt8(ascii: "-") }) else { return nil }
        var bytes: [UInt8] = []
        var pending: UInt8?
        for (index, character) in characters.enumerated() where ![8, 13, 18, 23].contains(index) {
            guard let digit = Hex.value(of: character) else { return nil }
            if let first = pending {
                bytes.append(first << 4 | digit)
                pending = nil
            } else {
                pending = digit
            }
        }
        self.init(bytes: bytes)
    }

    package var bytes: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 16) { buffer, count in
            for index in 0..<8 {
                buffer[index] = UInt8(truncatingIfNeeded: high >> UInt64(56 - 8 * index))
                buffer[index + 8] = UInt8(truncatingIfNeeded: low >> UInt64(56 - 8 * index))
            }
            count = 16
        }
    }

    package var description: String {
        String(unsafeUninitializedCapacity: 36) { buffer in
            var place = 0
            for index in 0..<16 {
                if index == 4 || index == 6 || index == 8 || index == 10 {
                    buffer[place] = UInt8(ascii: "-")
                    place += 1
                }
                let word = index < 8 ? high : low
                let byte = UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * (index & 7)))
                buffer[place] = Hex.digit(byte >> 4)
                buffer[place + 1] = Hex.digit(byte & 15)
                place += 2
            }
            return place
        }
    }

    package static func < (left: UniqueID, right: UniqueID) -> Bool { (left.high, left.low) < (right.high, right.low) }

    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let id = UniqueID(text) else {
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "\"\(text)\" is not a UUID"))
        }
        self = id
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// An id that says what it names, so a session's id cannot be passed where a user's is meant.
package struct EntityID<Kind>: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    package let value: UniqueID

    package init(_ value: UniqueID) { self.value = value }
    package init?(_ text: some StringProtocol) {
        guard let value = UniqueID(text) else { return nil }
        self.value = value
    }
    package init?(bytes: [UInt8]) {
        guard let value = UniqueID(bytes: bytes) else { return nil }
        self.value = value
    }

    package var bytes: [UInt8] { value.bytes }
    package var description: String { value.description }
    package static func < (left: Self, right: Self) -> Bool { left.value < right.value }
    package init(from decoder: any Decoder) throws { value = try UniqueID(from: decoder) }
    package func encode(to encoder: any Encoder) throws { try value.encode(to: encoder) }
}

package enum UserKind {}
package enum SessionKind {}
package enum MessageKind {}
package enum TaskKind {}
package enum ActionKind {}
package enum IntentKind {}
package enum EventKind {}
package enum HandoverKind {}

package typealias UserID = EntityID<UserKind>
package typealias SessionID = EntityID<SessionKind>
package typealias MessageID = EntityID<MessageKind>
/// A task of the queue.
package typealias QueueTaskID = EntityID<TaskKind>
/// One decided call of an action; shown outside as `queue_id`.
package typealias ActionID = EntityID<ActionKind>
package typealias IntentID = EntityID<IntentKind>
package typealias BusEventID = EntityID<EventKind>
package typealias HandoverID = EntityID<HandoverKind>

/// A brand's short name, `^[a-z0-9][a-z0-9-]{0,62}$`, unique in an installation.
package struct BrandID: RawRepresentable, Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    package let rawValue: String
    /// Trusts its caller: use `init(validating:)` for text from outside.
    package init(rawValue: String) { self.rawValue = rawValue }
    package init?(validating text: String) {
        guard Slug.isValid(text) else { return nil }
        rawValue = text
    }
    package var description: String { rawValue }
    package static func < (left: BrandID, right: BrandID) -> Bool { left.rawValue < right.rawValue }
}

/// An instance (one channel presence of a brand); same form as a brand's id, unique in an installation.
package struct InstanceID: RawRepresentable, Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
    package init?(validating text: String) {
        guard Slug.isValid(text) else { return nil }
        rawValue = text
    }
    package var description: String { rawValue }
    package static func < (left: InstanceID, right: InstanceID) -> Bool { left.rawValue < right.rawValue }
}

package struct ChannelName: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
    package var description: String { rawValue }
}

enum Slug {
    static func isValid(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard (1...63).contains(bytes.count), bytes[0] != UInt8(ascii: "-") else { return false }
        return bytes.allSatisfy {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                || $0 == UInt8(ascii: "-")
        }
    }
}
