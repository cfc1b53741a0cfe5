package import Conversation
internal import Foundation
internal import Text

/// One brand's policies, ready to be asked: filters compiled into one set, rules with the brand's clock. What it says depends on nothing
/// but its arguments; what counts (the buckets) is the `RateLimiter`'s.
package struct PolicyEngine: Sendable {
    private let policies: Policies
    private let tiers: [String]
    private let clock: WeekClock
    private let patterns: PatternSet?
    let words: PolicyWords

    /// Throws when a filter's pattern does not compile, or all of them together are too large for one set.
    package init(_ configuration: BrandConfiguration) throws {
        let patterns = configuration.policies.filters.map(\.pattern)
        self.init(configuration, patterns: patterns.isEmpty ? nil : try PatternSet(patterns))
    }

    /// For a brand that filters nothing, where nothing can fail.
    init(unfiltered configuration: BrandConfiguration) {
        precondition(configuration.policies.filters.isEmpty, "brand \(configuration.id) has filters: they must be compiled")
        self.init(configuration, patterns: nil)
    }

    private init(_ configuration: BrandConfiguration, patterns: PatternSet?) {
        policies = configuration.policies
        tiers = configuration.tiers
        clock = WeekClock(configuration.timeZone)
        self.patterns = patterns
        words = PolicyWords(templates: configuration.templates)
    }

    // MARK: Filters

    /// What the first filter that matches a customer's words says; nil when none matches.
    package func inbound(_ text: String) -> PolicyVerdict? { first(of: .inbound, in: text).map { verdict($0, key: "filtered") } }

    /// What the first filter that matches a reply says; nil when none matches. All that a customer can read
    /// of it counts: titles and descriptions of options, the title of their list, captions and names of files.
    package func outbound(_ content: OutboundContent) -> PolicyVerdict? {
        first(of: .outbound, in: Self.visible(content)).map { verdict($0, key: "filtered.outbound") }
    }

    /// `key` is the template's for a refusal.
    private func verdict(_ filter: ContentFilter, key: String) -> PolicyVerdict {
        let (result, key): (PolicyVerdict.Result, String) =
            switch filter.verdict {
            case .allow: (.allow, "")
            case .warn: (.warn, key + ".warn")
            case .deny: (.deny, key)
            case .handover: (.handover, "handover")
            }
        return PolicyVerdict(
            result: result, rule: "filter:\(filter.name)", text: result == .allow ? "" : filter.say ?? words.text([key]))
    }

    /// The filter that stands first in the file decides, so that an `allow` exempts from all below it.
    private func first(of side: ContentFilter.Side, in text: String) -> ContentFilter? {
        guard let patterns else { return nil }
        // Without what cannot be seen, so that nothing hides in it; and once more with letters and digits in their plain forms.
        let clean = Normalizer.clean(text)
        var matches = patterns.matches(clean)
        if !clean.utf8.allSatisfy({ $0 < 128 }) {
            let plain = clean.precomposedStringWithCompatibilityMapping
            if plain != clean { matches = Set(matches + patterns.matches(plain)).sorted() }
        }
        return matches.lazy.map { policies.filters[$0] }.first { $0.side == side || $0.side == .both }
    }

    private static func visible(_ content: OutboundContent) -> String {
        switch content {
        case .choices(let prompt):
            ([prompt.text, prompt.listTitle] + prompt.options.flatMap { [$0.title, $0.description].compactMap { $0 } })
                .joined(separator: "\n")
        case .template(let template): template.parameters.joined(separator: "\n")
        case .media(let media): [content.plainText, media.filename].compactMap { $0 }.joined(separator: "\n")
        case .text, .reaction: content.plainText
        }
    }

    // MARK: Rules

    /// What the rules say about a decided call: warnings in the order of the file, up to and with the first refusal.
    package func call(of action: ActionDefinition, params: [String: Entity], tier: String, now: Timestamp) -> [PolicyVerdict] {
        var verdicts: [PolicyVerdict] = []
        for rule in policies.rules where rule.actions.isEmpty ? action.isWrite : rule.actions.contains(action.canonicalName) {
            guard let breach = breach(of: rule, params: params, tier: tier, now: now) else { continue }
            let verdict = self.verdict(rule, breach, action)
            verdicts.append(verdict)
            if verdict.isRefusal { break }
        }
        return verdicts
    }

    /// The refusal of a call whose bucket is empty.
    package func exhausted(_ action: ActionDefinition, retryAfter: Duration) -> PolicyVerdict {
        let text = words.text(
            ["blocked.rate_limited.\(action.canonicalName)", "blocked.rate_limited"],
            ["display_name": action.displayName, "retry_after": PolicyWords.words(retryAfter)])
        return PolicyVerdict(
            result: .rateLimit, rule: "rate_limited:\(action.canonicalName)", text: text, retryAfter: retryAfter, remainingQuota: 0)
    }

    private struct Breach {
        var key: String
        var values: [String: String] = [:]
        var retryAfter: Duration?
    }

    /// Nil when the rule is kept, or is not about this call.
    private func breach(of rule: BusinessRule, params: [String: Entity], tier: String, now: Timestamp) -> Breach? {
        switch rule.condition {
        case .hours(let hours):
            guard let wait = clock.wait(for: hours, at: now) else { return nil }
            return Breach(key: "hours", values: ["retry_after": PolicyWords.words(wait)], retryAfter: wait)
        case .atMost(let parameter, let path, let amount):
            guard let entity = params[parameter], entity.value != nil else { return nil }
            // What cannot be read cannot be shown to be within the limit.
            if let number = Self.number(entity, path), number <= amount { return nil }
            return Breach(key: "at_most", values: ["amount": CanonicalJSON.number(amount)])
        case .tier(let needed):
            return reaches(needed, tier) ? nil : Breach(key: "tier", values: ["tier": needed])
        }
    }

    private func reaches(_ needed: String, _ tier: String) -> Bool {
        guard let own = tiers.firstIndex(of: tier), let lowest = tiers.firstIndex(of: needed) else { return false }
        return own >= lowest
    }

    private static func number(_ entity: Entity, _ path: String?) -> Double? {
        let value = path.map { path in entity.item?.at(pointer: path) } ?? entity.value
        return value?.double ?? value?["amount"]?.double ?? value?.string.flatMap(Double.init)
    }

    private func verdict(_ rule: BusinessRule, _ breach: Breach, _ action: ActionDefinition) -> PolicyVerdict {
        let result: PolicyVerdict.Result =
            switch rule.verdict {
            case .warn: .warn
            case .deny: .deny
            case .handover: .handover
            }
        let values = breach.values.merging(["display_name": action.displayName]) { own, _ in own }
        let keys = rule.verdict == .handover ? ["handover"] : ["blocked.\(breach.key).\(action.canonicalName)", "blocked.\(breach.key)"]
        let text = rule.say.map { PolicyWords.filled($0, values) } ?? words.text(keys, values)
        return PolicyVerdict(
            result: result, rule: "rule:\(rule.name)", text: text, retryAfter: result == .handover ? nil : breach.retryAfter)
    }
}
