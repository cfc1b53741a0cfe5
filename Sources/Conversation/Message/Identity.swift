/// A name under which a channel knows someone.
package struct Identifier: Hashable, Sendable, Codable {
    package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        /// E.164 with the plus sign.
        case phone
        /// WhatsApp's business-scoped user id, `^[A-Z]{2}\.`; never treated as a phone.
        case bsuid
        /// The portfolio's form of a business-scoped user id.
        case parentBSUID = "parent_bsuid"
        case email
        /// The brand's own user id, said by a verified JWT.
        case brandUser = "brand_user"
        case guest
    }

    package var kind: Kind
    package var value: String

    package init(kind: Kind, value: String) {
        self.kind = kind
        self.value = value
    }
}

extension Identifier {
    /// Nil for anything but 5 to 15 digits (ITU E.164: at most 15) behind one plus sign or none; the country code is among them.
    package init?(phone text: String) {
        let digits = text.hasPrefix("+") ? text.dropFirst() : Substring(text)
        guard (5...15).contains(digits.utf8.count), digits.utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains) else {
            return nil
        }
        self.init(kind: .phone, value: "+" + digits)
    }

    /// In small letters: addresses that differ in capitals are one mailbox. Nil for what has not one @ with something on either side (RFC
    /// 5321: at most 254 bytes), and for what has spaces or control characters.
    package init?(email text: String) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        let isBlank = { (character: Character) in
            character.isWhitespace || character.unicodeScalars.contains { $0.properties.generalCategory == .control }
        }
        let hasBothSides = parts.count == 2 && parts.allSatisfy { !$0.isEmpty }
        guard text.utf8.count <= 254, hasBothSides, !text.contains(where: isBlank) else { return nil }
        self.init(kind: .email, value: text.lowercased())
    }
}

/// Who wrote, as the channel proved it. The first identifier is the one that identity keys on.
package struct Sender: Hashable, Sendable {
    package var identifiers: [Identifier]
    package var profileName: String?

    package init(identifiers: [Identifier], profileName: String? = nil) {
        self.identifiers = identifiers
        self.profileName = profileName
    }
}

/// A customer of one brand. The same phone at two brands is two of these.
package struct User: Sendable, Hashable {
    package var id: UserID
    package var tier: String
    package var isVerified: Bool
    package var profileName: String?
    package var locale: String?
    package var timeZone: String?
    /// Only those that a channel or a verified JWT proved.
    package var identifiers: [Identifier]

    package init(
        id: UserID, tier: String, isVerified: Bool, profileName: String? = nil, locale: String? = nil, timeZone: String? = nil,
        identifiers: [Identifier] = []
    ) {
        self.id = id
        self.tier = tier
        self.isVerified = isVerified
        self.profileName = profileName
        self.locale = locale
        self.timeZone = timeZone
        self.identifiers = identifiers
    }

    package func identifier(_ kind: Identifier.Kind) -> String? { identifiers.first { $0.kind == kind }?.value }
    /// What `{user.id}` means at the brand: the brand's own id when a JWT said it, else ours.
    package var brandFacingID: String { identifier(.brandUser) ?? id.description }
}
