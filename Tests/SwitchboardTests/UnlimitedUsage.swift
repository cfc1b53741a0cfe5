import Conversation

/// Lets every call through and keeps no account.
struct UnlimitedUsage: UsageLedger {
    init() {}
    func reserve(_ tokens: Int, id: UniqueID, brand: BrandID, dailyTokens: Int?) async -> Bool { true }
    func record(_ usage: ModelUsage) async {}
}
