import Conversation
import JSON

/// The `contacts` of a change, found by what names them.
struct ContactBook {
    private var byName: [String: JSONView] = [:]
    private var only: JSONView?

    init(_ contacts: JSONView) {
        let all = contacts.array ?? []
        only = all.count == 1 ? all.first : nil
        for contact in all {
            for key in ["wa_id", "user_id", "parent_user_id"] {
                if let name = contact[key].identifier, byName[name] == nil { byName[name] = contact }
            }
        }
    }

    /// The contact that one of the names stands for. One without any name of its own belongs to the only sender there is.
    func contact(named names: [String]) -> JSONView {
        for name in names { if let contact = byName[name] { return contact } }
        guard let only, names.isEmpty || byName.isEmpty else { return .missing }
        return only
    }
}

/// Who sent a message: business-scoped user id first, phone after it, then the portfolio's form.
struct SenderReader {
    let message: JSONView
    let contacts: ContactBook

    func sender() -> Sender? {
        let names = ["from", "from_user_id", "from_parent_user_id", "parent_from_user_id"].compactMap { message[$0].identifier }
        let contact = contacts.contact(named: names)
        let places = [message["from_user_id"], message["from"], contact["user_id"], contact["wa_id"]] + noticePlaces
        let parents = [message["from_parent_user_id"], message["parent_from_user_id"], contact["parent_user_id"]]
        let found = places.compactMap(\.identifier)
        var identifiers: [Identifier] = []
        if let id = found.first(where: UserName.isBusinessScoped) { identifiers.append(Identifier(kind: .bsuid, value: id)) }
        if let phone = found.lazy.compactMap(UserName.phone).first { identifiers.append(Identifier(kind: .phone, value: phone)) }
        if let parent = parents.compactMap(\.identifier).first(where: UserName.isBusinessScoped) {
            identifiers.append(Identifier(kind: .parentBSUID, value: parent))
        }
        guard !identifiers.isEmpty else { return nil }
        return Sender(identifiers: identifiers, profileName: profileName(contact["profile"]))
    }

    /// A notice may name its customer only inside.
    private var noticePlaces: [JSONView] {
        message["type"].string == "system" ? [message["system"]["previous_user_id"], message["system"]["customer"]] : []
    }

    private func profileName(_ profile: JSONView) -> String? { profile["name"].identifier ?? profile["username"].identifier }
}

/// The two forms under which WhatsApp names a person.
enum UserName {
    /// Meta: business-scoped user ids are two upper-case letters and a dot, then letters and digits. Never a phone.
    static func isBusinessScoped(_ name: String) -> Bool {
        let bytes = Array(name.utf8.prefix(4))
        let letters = UInt8(ascii: "A")...UInt8(ascii: "Z")
        return bytes.count == 4 && letters.contains(bytes[0]) && letters.contains(bytes[1]) && bytes[2] == UInt8(ascii: ".")
    }

    /// E.164 with the plus sign; nil when the name is no phone.
    static func phone(_ name: String) -> String? { Identifier(phone: name)?.value }
}
