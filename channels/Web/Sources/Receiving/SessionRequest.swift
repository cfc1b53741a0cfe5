import Conversation

/// What the body of a request for a session says. A `device_id` is read so that pages may send one; it opens nothing.
struct SessionRequest: Sendable, Hashable {
    var resumeSecret: String?
    var authToken: String?
    var appKey: String?
    var locale: String?
    var timeZone: String?

    static let maxBytes = 32_768

    /// An empty body is a guest who says nothing about itself.
    init(_ body: [UInt8]) throws(Refusal) {
        guard !body.isEmpty else { return }
        var reader = BodyReader()
        let members = reader.members(
            of: try BodyReader.root(of: body, limit: Self.maxBytes),
            known: ["device_id", "resume_secret", "auth_token", "app_key", "locale", "time_zone"])
        _ = reader.text(members["device_id"], at: "/device_id", 1...128)
        resumeSecret = reader.text(members["resume_secret"], at: "/resume_secret", 1...256)
        authToken = reader.text(members["auth_token"], at: "/auth_token", 1...8192)
        appKey = reader.text(members["app_key"], at: "/app_key", 1...512)
        locale = reader.text(
            members["locale"], at: "/locale", 2...35,
            where: { $0.consists(ofLettersDigitsAnd: "-") && $0.first?.isLetter == true && !$0.hasSuffix("-") },
            rule: "must be a BCP 47 tag, such as en-US")
        timeZone = reader.text(
            members["time_zone"], at: "/time_zone", 1...64,
            where: { $0.consists(ofLettersDigitsAnd: "_+-/") && $0.first?.isLetter == true },
            rule: "must be an IANA name, such as Europe/London")
        try reader.finish()
    }
}
