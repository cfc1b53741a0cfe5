/// One of the two WhatsApp numbers that the demo brands use.
struct SandboxInstance: Sendable, Hashable {
    let id: String
    let brand: String
    let phoneNumberID: String
    let displayNumber: String
    /// Names the environment variable that holds the access token of this number.
    let tokenVariable: String

    /// The WhatsApp Business Account that both numbers belong to.
    static let accountID = "102290129340398"
    /// Both numbers share this app, and so its webhook address and its secret.
    static let webhookPath = "/webhooks/whatsapp/main"

    static let all = [
        SandboxInstance(
            id: "salon-whatsapp", brand: "salon", phoneNumberID: "106540352242922", displayNumber: "15550100001",
            tokenVariable: "SALON_WHATSAPP_TOKEN"),
        SandboxInstance(
            id: "jobs-whatsapp", brand: "jobs", phoneNumberID: "106540352242999", displayNumber: "15550100002",
            tokenVariable: "JOBS_WHATSAPP_TOKEN"),
    ]

    static func named(_ id: String) -> SandboxInstance? { all.first { $0.id == id } }
    static func with(phoneNumberID: String) -> SandboxInstance? { all.first { $0.phoneNumberID == phoneNumberID } }

    /// The brand that a request is about: its own API is named by the path's first part, its number at the Graph API by the third, and of
    /// media the caller's token tells (`tokens`: brands by token). The webhook desk is the salon's, as the demo has it. Nil for what brands
    /// share: models, and ticket systems whose desks anybody may be given.
    static func brand(of request: StandInRequest, tokens: [String: String] = [:]) -> String? {
        let parts = request.parts
        guard let first = parts.first else { return nil }
        if first == "desk" { return parts.dropFirst().first == DeskSystem.webhook.rawValue ? "salon" : nil }
        guard first == "graph" else { return all.first { $0.brand == first }?.brand }
        let number = parts.count > 2 ? with(phoneNumberID: parts[2]) : nil
        return number?.brand ?? Bearer.token(of: request).flatMap { tokens[$0] }
    }
}
