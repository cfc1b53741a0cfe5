import Conversation

/// An opening on the job board.
struct JobOpening: Sendable {
    let id: String
    let title: String
    let company: String
    let location: String
    let isRemote: Bool
    let salary: String
    let synonyms: [String]

    var json: JSONValue {
        [
            "id": .string(id), "title": .string(title), "company": .string(company), "location": .string(location),
            "remote": .bool(isRemote), "salary": .string(salary), "synonyms": .array(synonyms.map(JSONValue.string)),
        ]
    }

    /// Every word of the query must stand somewhere in the opening, in the singular at least.
    func matches(query: String) -> Bool {
        let text = ([title, company, location, isRemote ? "remote" : ""] + synonyms).joined(separator: " ").lowercased()
        return query.lowercased().split(whereSeparator: \.isWhitespace).allSatisfy { word in
            text.contains(word) || word.count > 3 && word.hasSuffix("s") && text.contains(word.dropLast())
        }
    }

    func matches(location wanted: String) -> Bool {
        let wanted = wanted.lowercased()
        return wanted.isEmpty || location.lowercased().contains(wanted) || isRemote && wanted == "remote"
    }

    static let all = [
        JobOpening(
            id: "job-1", title: "Backend developer", company: "Quibble & Sprocket", location: "New York", isRemote: true,
            salary: "USD 120,000 to 150,000", synonyms: ["server developer", "software engineer", "programmer"]),
        JobOpening(
            id: "job-2", title: "Care assistant", company: "Marzipan Meadow Homes", location: "Boston", isRemote: false,
            salary: "USD 22 an hour", synonyms: ["carer", "nurse", "nursing aide"]),
        JobOpening(
            id: "job-3", title: "Warehouse operator", company: "Gigantic Teapot Logistics", location: "Newark", isRemote: false,
            salary: "USD 21 an hour", synonyms: ["picker", "packer", "forklift driver"]),
        JobOpening(
            id: "job-4", title: "Customer support agent", company: "Velvet Cactus Telecom", location: "Chicago", isRemote: true,
            salary: "USD 48,000", synonyms: ["help desk", "call centre", "service agent"]),
        JobOpening(
            id: "job-5", title: "Pastry cook", company: "Moonlit Turnip Bakery", location: "New York", isRemote: false,
            salary: "USD 24 an hour", synonyms: ["baker", "patissier"]),
        JobOpening(
            id: "job-6", title: "Data analyst", company: "Pickled Compass Insurance", location: "Hartford", isRemote: true,
            salary: "USD 85,000 to 95,000", synonyms: ["reporting analyst", "business analyst"]),
        JobOpening(
            id: "job-7", title: "Delivery driver", company: "Gigantic Teapot Logistics", location: "Boston", isRemote: false,
            salary: "USD 20 an hour", synonyms: ["courier", "van driver"]),
        JobOpening(
            id: "job-8", title: "Product designer", company: "Quibble & Sprocket", location: "San Francisco", isRemote: true,
            salary: "USD 130,000", synonyms: ["ux designer", "interface designer"]),
    ]

    static func with(id: String) -> JobOpening? { all.first { $0.id == id } }
}
