/// One of the two WhatsApp numbers that the demo brands use.
struct SandboxInstance: Sendable, Hashable {
    let id: String
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
            id: "salon-whatsapp", phoneNumberID: "106540352242922", displayNumber: "15550100001", tokenVariable: "SALON_WHATSAPP_TOKEN"),
        SandboxInstance(
            id: "jobs-whatsapp", phoneNumberID: "106540352242999", displayNumber: "15550100002", tokenVariable: "JOBS_WHATSAPP_TOKEN"),
    ]

    static func named(_ id: String) -> SandboxInstance? { all.first { $0.id == id } }
    static func with(phoneNumberID: String) -> SandboxInstance? { all.first { $0.phoneNumberID == phoneNumberID } }
}
