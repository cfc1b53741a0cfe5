internal import Conversation
internal import Storage
internal import Text

/// Who a command is for, as the store may know them.
struct Addressee: Sendable {
    private let id: UserID?
    private let channel: ChannelName
    /// As it was said, then in other forms of the same name.
    private let names: [Identifier]

    init(_ recipient: SendCommand.Recipient, channel: ChannelName) {
        self.channel = channel
        switch recipient {
        case .user(let user): (id, names) = (user, [])
        case .identifier(let identifier): (id, names) = (nil, identifier.forms)
        }
    }

    /// Nil for nobody of this brand.
    func user(in transaction: BrandTransaction) throws -> UserID? {
        if let id { return try transaction.user(id)?.id }
        for name in names {
            if let owner = try transaction.owner(of: name, channel: channel) { return try transaction.user(owner)?.id }
        }
        return nil
    }
}

extension SendCommand.Recipient {
    /// The same for all forms of one name.
    var label: String {
        switch self {
        case .user(let id): id.description
        case .identifier(let identifier): "\(identifier.kind.rawValue):\(identifier.forms.map(\.value).min() ?? identifier.value)"
        }
    }
}

extension Identifier {
    /// The forms in which channels may have kept this name, as it is first. Only phone numbers have others.
    fileprivate var forms: [Identifier] {
        kind == .phone ? PhoneNumbers.forms(of: value).map { Identifier(kind: kind, value: $0) } : [self]
    }
}
