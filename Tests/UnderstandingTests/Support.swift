import Conversation
import Testing

@testable import Understanding

/// Friday, November 20th, 2026, ten in the morning in New York.
let friday = "2026-11-20T15:00:00.000Z"

enum Ask {
    static let start = ParameterDefinition(name: "start", entity: .datetime, open: OpeningSource(schema: "catalog", path: "/hours"))
    static let hours: JSONValue = [
        "mon": [], "tue": ["09:00-18:00"], "wed": ["09:00-18:00"], "thu": ["09:00-20:00"], "fri": ["09:00-12:30", "13:30-18:00"],
        "sat": ["10:00-16:00"], "sun": [], "closed": ["2026-12-25", "2026-12-26"],
    ]

    /// What a text says about one parameter.
    static func one(
        _ text: String, _ parameter: ParameterDefinition, at reference: String = friday, zone: String = "America/New_York",
        locale: String = "en-US", hours: JSONValue? = nil, expecting: Bool = false, collected: Entity? = nil, shown: [ChoiceOption] = []
    ) throws -> Entity? {
        let request = SlotRequest(
            text: text, parameters: [parameter], openingHours: hours.map { [parameter.name: $0] } ?? [:],
            reference: try #require(Timestamp(reference)), timeZone: zone, locale: locale, expecting: expecting ? parameter.name : nil,
            collected: collected.map { [parameter.name: $0] } ?? [:], shown: shown)
        return SlotExtractor().extract(request)[parameter.name]
    }

    /// The moment a text says, on the wall clock of New York, as `2026-11-21 17:00`.
    static func wall(_ entity: Entity?, zone: String = "America/New_York") -> String? {
        guard let value = entity?.value?.string, let instant = Timestamp(value) else { return nil }
        let (day, minutes) = ZonedClock(zone).local(instant)
        return "\(day.iso) \(Digits.clock(minutes))"
    }
}
