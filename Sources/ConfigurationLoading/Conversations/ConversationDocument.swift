package import Conversation

/// A file of `conversations/`, read strictly: an unknown key is an error with a suggestion.
package struct ConversationDocument {
    let file: String
    let brands: [BrandConfiguration]
    let channel: ChannelName
    private let document: Document

    /// - Parameters:
    ///   - file: problems name it just as it is written here.
    ///   - brands: those that can run.
    ///   - channel: the channel on which conversations are held.
    ///   - validatePattern: nil for a good RE2 pattern, else what is wrong with it.
    package init(
        file: String, brands: [BrandConfiguration], channel: ChannelName, validatePattern: @escaping @Sendable (String) -> String?
    ) {
        (self.file, self.brands, self.channel) = (file, brands, channel)
        let validators = Validators(
            addressRule: { AddressRule(network: [], prefix: 0, port: nil, description: $0) }, pattern: validatePattern)
        document = Document(
            file: file, scope: .installation, loading: Loading(environment: [:], channels: [], validators: validators))
    }

    /// The script, or nil when there is a problem.
    package func read() -> (script: ConversationScript?, problems: [Problem]) {
        let found = document.root(required: true).flatMap { script($0) }
        let problems = document.log.problems.sorted { ($0.line, $0.key) < ($1.line, $1.key) }
        return (problems.isEmpty ? found : nil, problems)
    }

    private func script(_ root: Entry) -> ConversationScript? {
        guard let members = root.members(["name", "brand", "instance", "user", "turns"]) else { return nil }
        let name = members.required("name", "A haircut is booked")?.text()
        let brand = members.required("brand", "salon").flatMap { self.brand($0) }
        let customer = members["user"].flatMap { self.customer($0) }
        let turns = members.required("turns", "[{ say: \"…\" }]")
        guard let brand, let turns else { return nil }
        let instance = instance(members["instance"], members, of: brand)
        if turns.isSequence, turns.items().isEmpty { turns.problem("holds no turn", "add \"- say: …\" with \"expect: …\"") }
        let read = turns.items().compactMap { ConversationTurnReader(brand: brand).read($0) }
        guard let name, let instance else { return nil }
        return ConversationScript(file: file, name: name, brand: brand.id, instance: instance, customer: customer, turns: read)
    }

    private func brand(_ entry: Entry) -> BrandConfiguration? {
        guard let name = entry.text() else { return nil }
        if let brand = brands.first(where: { $0.id.rawValue == name }) { return brand }
        entry.problem("no running brand \"\(name)\"", Suggestion.remedy(for: name, in: brands.map(\.id.rawValue), noun: "brand"))
        return nil
    }

    private func instance(_ entry: Entry?, _ members: Members, of brand: BrandConfiguration) -> InstanceID? {
        let known = brand.instances.filter { $0.channel == channel }
        guard let entry else {
            if let first = known.first { return first.id }
            members["brand"]?.problem("has no instance on \(channel)", "conversations are held there: add one to brand.yaml")
            return nil
        }
        guard let name = entry.text() else { return nil }
        if let instance = known.first(where: { $0.id.rawValue == name }) { return instance.id }
        let remedy = Suggestion.remedy(for: name, in: known.map(\.id.rawValue), noun: "instance on \(channel)")
        entry.problem("\(brand.id) has no instance \"\(name)\" on \(channel)", remedy)
        return nil
    }

    private func customer(_ entry: Entry) -> ConversationScript.Customer? {
        guard let members = entry.members(["phone", "user_id"]) else { return nil }
        guard members.values.count == 1 else {
            entry.problem("names \(members.values.count) identifiers", "give one of phone and user_id")
            return nil
        }
        if let phone = members["phone"], let text = phone.text() {
            let digits = text.filter { !"+-() ".contains($0) }
            if digits.wholeMatch(of: /[1-9][0-9]{6,14}/) != nil { return .phone(digits) }
            phone.problem("is no phone number in international form", "write it like \"+15550001111\"")
        }
        if let id = members["user_id"], let text = id.text() {
            if text.wholeMatch(of: /[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}/) != nil { return .userID(text) }
            id.problem("is no business-scoped user id", "write it like US.1349")
        }
        return nil
    }
}
