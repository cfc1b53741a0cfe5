import Conversation
import Foundation

/// `brand.yaml`: who the brand is, where its systems are, and where it is present.
struct BrandDocument {
    let reading: BrandReading
    private static let keys = [
        "brand", "name", "locale", "time_zone", "weight", "keys", "api", "llm", "tiers", "popular_actions", "instances",
    ]

    func read() -> BrandConfiguration? {
        let document = reading.document("brand.yaml")
        guard let members = document.root(required: true)?.members(Self.keys) else { return nil }
        let id = brandID(members)
        let name = members.required("name", reading.folder)?.text()
        let locale = members["locale"].map { self.locale($0) } ?? "en-US"
        let zone = members["time_zone"].map { timeZone($0) } ?? "UTC"
        let weight = members["weight"].map { $0.integer(1...100) } ?? 1
        readTiers(members)
        let keys = members["keys"].map { readKeys($0) } ?? []
        let api = members.required("api", "{ base_url: https://… }").flatMap { APISection(entry: $0).read() }
        if let api { reading.callTimeout = api.timeout }
        let llm = members["llm"].flatMap { LLMSection(entry: $0).read() }
        let popular = members["popular_actions"].map { readPopular($0) } ?? []
        let instances = members.required("instances", "[{ id: …, channel: … }]").map {
            InstancesSection(entry: $0, reading: reading).read()
        }
        guard let id, let name, let locale, let zone, let weight, let api, let instances else { return nil }
        return BrandConfiguration(
            id: id, name: name, locale: locale, timeZone: zone, weight: weight, keys: keys, api: api, tiers: reading.tiers,
            popularActions: popular,
            instances: instances, llm: llm)
    }

    private func brandID(_ members: Members) -> BrandID? {
        guard let entry = members.required("brand", reading.folder), let value = entry.scalar() else { return nil }
        guard let id = BrandID(validating: value.text) else {
            entry.problem(
                "\"\(value.raw)\" cannot be a brand's id", "use small letters, digits and hyphens, at most 63, not beginning with a hyphen")
            return nil
        }
        guard id.rawValue == reading.folder else {
            entry.problem("brand \"\(value.raw)\" lies in the folder \"\(reading.folder)\"", "give both the same name")
            return nil
        }
        return id
    }

    private func locale(_ entry: Entry) -> String? {
        guard let value = entry.scalar() else { return nil }
        let parts = value.text.split(separator: "-", omittingEmptySubsequences: false)
        let isAlphanumeric = parts.allSatisfy {
            !$0.isEmpty && $0.count <= 8 && $0.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
        }
        let language = parts.first ?? ""
        guard isAlphanumeric, (2...3).contains(language.count), language.allSatisfy(\.isLetter),
            parts.dropFirst().allSatisfy({ $0.count >= 2 })
        else {
            entry.problem("\"\(value.raw)\" is not a language tag", "write it like en-US, de or zh-Hant-TW")
            return nil
        }
        return value.text
    }

    private func timeZone(_ entry: Entry) -> String? {
        guard let value = entry.scalar() else { return nil }
        let known = TimeZone.knownTimeZoneIdentifiers
        // Region/City names only: abbreviations such as EST know no daylight saving.
        let isKnown =
            known.contains(value.text) || value.text == "UTC" || value.text.contains("/") && TimeZone(identifier: value.text) != nil
        guard isKnown else {
            let near = Suggestion.nearest(to: value.raw, in: known).map { "did you mean \"\($0)\"?" }
            entry.problem("no time zone \"\(value.raw)\"", near ?? "write an IANA name such as America/New_York")
            return nil
        }
        return value.text
    }

    private func readTiers(_ members: Members) {
        guard let entry = members["tiers"] else { return }
        var names = UniqueNames()
        let tiers = entry.items().compactMap { item in item.identifier().flatMap { names.take($0, at: item, noun: "tier") ? $0 : nil } }
        if entry.isSequence, tiers.isEmpty { entry.problem("names no tier", "list them from the lowest up, such as [guest, verified]") }
        reading.tiers = tiers
    }

    private func readKeys(_ entry: Entry) -> [BrandKey] {
        entry.items().compactMap { item in
            guard let members = item.members(["key", "role"]) else { return nil }
            let keyEntry = members.required("key", "\"${…}\"")
            let key = keyEntry?.secret(minimumBytes: SecretRule.minimumBytes("keys"))
            let role = members.required("role", "admin")?.oneOf(Role.self)
            guard let keyEntry, let key, let role else { return nil }
            reading.keyPlaces.append((key, keyEntry))
            return BrandKey(key: key, role: role)
        }
    }

    private func readPopular(_ entry: Entry) -> [String] {
        var names = UniqueNames()
        let popular = entry.items().compactMap { item -> String? in
            guard let name = item.text(), names.take(name, at: item, noun: "popular action") else { return nil }
            reading.requireAction(name, at: item)
            return name
        }
        if entry.isSequence, !(3...7).contains(entry.items().count) {
            entry.problem("lists \(entry.items().count) actions", "list 3 to 7, the likeliest first")
        }
        return popular
    }
}
