package import Conversation

/// Lets every call through and keeps no account: for tools and tests that have no store.
package struct UnlimitedUsage: UsageLedger {
    package init() {}
    package func reserve(_ tokens: Int, id: UniqueID, brand: BrandID, dailyTokens: Int?) async -> Bool { true }
    package func record(_ usage: ModelUsage) async {}
}
