import Conversation
import Testing

@testable import Gateway

@Suite struct PolicyRateLimiterTests {
    private static let start = Timestamp(seconds: 1_800_000_000)

    private static func lane(_ user: UInt64, _ instance: String = "salon-whatsapp", brand: String = "salon") -> Lane {
        Lane(brand: BrandID(rawValue: brand), instance: InstanceID(rawValue: instance), user: UserID(UniqueID(high: 1, low: user)))
    }

    private func isAllowed(_ verdict: RateLimiter.Verdict) -> Bool { if case .allowed = verdict { true } else { false } }

    @Test func aFloodIsToldOncePerMinuteAndOthersAreServed() {
        let limiter = RateLimiter()
        let limits = RateLimits(userPerMinute: 30)
        var (served, told, others) = (0, 0, 0)
        // A thousand messages evenly over a minute, and another customer every other second.
        for number in 0..<1000 {
            let now = Self.start + .milliseconds(Int64(number * 60))
            switch limiter.take(lane: Self.lane(1), limits: limits, now: now) {
            case .allowed: served += 1
            case .limited(let bucket, let retryAfter, let isFirst):
                #expect(bucket == "user" && retryAfter > .zero && retryAfter <= .seconds(2))
                if isFirst { told += 1 }
            }
            if number % 34 == 0, isAllowed(limiter.take(lane: Self.lane(2), limits: limits, now: now)) { others += 1 }
        }
        // The full bucket at first, and what flows in during the minute.
        #expect((59...60).contains(served))
        #expect(told == 1)
        #expect(others == 30)
    }

    @Test func aSecondMinuteOfFloodIsToldAgain() {
        let limiter = RateLimiter()
        let limits = RateLimits(userPerMinute: 1)
        let verdicts = [0, 1, 59, 61, 62].map { limiter.take(lane: Self.lane(1), limits: limits, now: Self.start + .seconds($0)) }
        #expect(verdicts[0] == .allowed(remaining: 0))
        #expect(verdicts[1] == .limited(bucket: "user", retryAfter: .seconds(59), isFirst: true))
        #expect(verdicts[2] == .limited(bucket: "user", retryAfter: .seconds(1), isFirst: false))
        #expect(verdicts[3] == .allowed(remaining: 0))
        #expect(verdicts[4] == .limited(bucket: "user", retryAfter: .seconds(59), isFirst: true))
    }

    @Test func whatIsLeftIsTold() {
        let limiter = RateLimiter()
        let limits = RateLimits(userPerMinute: 3, instancePerMinute: 2, brandPerMinute: 100)
        #expect(limiter.take(lane: Self.lane(1), limits: limits, now: Self.start) == .allowed(remaining: 1))
        #expect(limiter.take(lane: Self.lane(2), limits: limits, now: Self.start) == .allowed(remaining: 0))
        #expect(
            limiter.take(lane: Self.lane(3), limits: limits, now: Self.start)
                == .limited(bucket: "instance", retryAfter: .seconds(30), isFirst: true))
    }

    @Test func aRefusedMessageCostsNobodyAToken() {
        let limiter = RateLimiter()
        let limits = RateLimits(userPerMinute: 1, instancePerMinute: 2)
        for _ in 0..<50 { _ = limiter.take(lane: Self.lane(1), limits: limits, now: Self.start) }
        #expect(isAllowed(limiter.take(lane: Self.lane(2), limits: limits, now: Self.start)))
    }

    @Test func brandsDoNotShareBuckets() {
        let limiter = RateLimiter()
        let limits = RateLimits(brandPerMinute: 1)
        #expect(isAllowed(limiter.take(lane: Self.lane(1), limits: limits, now: Self.start)))
        #expect(isAllowed(limiter.take(lane: Self.lane(1, brand: "jobs"), limits: limits, now: Self.start)))
        #expect(!isAllowed(limiter.take(lane: Self.lane(2), limits: limits, now: Self.start)))
    }

    @Test func aToolIsCountedPerCustomerOnAllChannels() {
        let limiter = RateLimiter()
        let limits = RateLimits(toolPerMinute: ["book_service": 2])
        let web = Self.lane(1, "salon-web")
        #expect(limiter.take(calls: ["book_service"], lane: Self.lane(1), limits: limits, now: Self.start) == .allowed(remaining: 1))
        #expect(limiter.take(calls: ["book_service"], lane: web, limits: limits, now: Self.start) == .allowed(remaining: 0))
        let third = limiter.take(calls: ["book_service"], lane: web, limits: limits, now: Self.start)
        #expect(third == .limited(bucket: "book_service", retryAfter: .seconds(30), isFirst: true))
        #expect(isAllowed(limiter.take(calls: ["book_service"], lane: Self.lane(2), limits: limits, now: Self.start)))
        #expect(
            limiter.take(calls: ["list_bookings"], lane: web, limits: limits, now: Self.start) == .allowed(remaining: .max),
            "what has no limit is not counted")
        #expect(isAllowed(limiter.take(calls: ["book_service"], lane: web, limits: limits, now: Self.start + .seconds(30))))
    }

    @Test func ofSeveralCallsEitherAllTakeATokenOrNone() {
        let limiter = RateLimiter()
        let limits = RateLimits(toolPerMinute: ["lock": 1, "unlock": 1])
        let lane = Self.lane(1)
        #expect(isAllowed(limiter.take(calls: ["unlock"], lane: lane, limits: limits, now: Self.start)))
        guard case .limited("unlock", _, _) = limiter.take(calls: ["lock", "unlock"], lane: lane, limits: limits, now: Self.start) else {
            Issue.record("two calls got through")
            return
        }
        #expect(isAllowed(limiter.take(calls: ["lock"], lane: lane, limits: limits, now: Self.start)))
        #expect(
            isAllowed(limiter.take(calls: ["lock", "lock"], lane: Self.lane(2), limits: limits, now: Self.start)),
            "a full bucket lets any turn through")
    }

    @Test func aClockThatGoesBackGivesNothingAndTakesNothing() {
        let limiter = RateLimiter()
        let limits = RateLimits(userPerMinute: 2)
        #expect(limiter.take(lane: Self.lane(1), limits: limits, now: Self.start) == .allowed(remaining: 1))
        #expect(limiter.take(lane: Self.lane(1), limits: limits, now: Self.start + .seconds(-3600)) == .allowed(remaining: 0))
        #expect(!isAllowed(limiter.take(lane: Self.lane(1), limits: limits, now: Self.start + .seconds(-3599))))
    }

    @Test func aLowerLimitHoldsAtOnce() {
        let limiter = RateLimiter()
        _ = limiter.take(lane: Self.lane(1), limits: RateLimits(userPerMinute: 100), now: Self.start)
        let verdict = limiter.take(lane: Self.lane(1), limits: RateLimits(userPerMinute: 2), now: Self.start)
        #expect(verdict == .allowed(remaining: 1))
    }

    @Test func bucketsAreBoundedAndAFloodsOwnIsTheLastToGo() {
        let limiter = RateLimiter(sizeLimit: 100)
        let limits = RateLimits(userPerMinute: 1)
        for user in 0..<5000 as Range<UInt64> {
            let now = Self.start + .milliseconds(Int64(user))
            _ = limiter.take(lane: Self.lane(0), limits: limits, now: now)
            _ = limiter.take(lane: Self.lane(user + 1), limits: limits, now: now)
            #expect(limiter.count <= 103)
        }
        #expect(!isAllowed(limiter.take(lane: Self.lane(0), limits: limits, now: Self.start + .seconds(6))))
    }

    @Test func everyAttemptOfATurnTakesOneTokenAndHearsTheSame() {
        let limiter = RateLimiter()
        let limits = RateLimits(userPerMinute: 1)
        let (served, refused) = (UniqueID(high: 2, low: 1), UniqueID(high: 2, low: 2))
        func take(_ message: UniqueID) -> RateLimiter.Verdict {
            limiter.take(for: message, lane: Self.lane(1), limits: limits, now: Self.start)
        }
        for _ in 0..<3 { #expect(isAllowed(take(served))) }
        let first = take(refused)
        guard case .limited(_, _, isFirst: true) = first else {
            Issue.record("\(first)")
            return
        }
        #expect(take(refused) == first, "the polite word is not lost with a failed commit")
        limiter.settle(served)
        limiter.settle(refused)
        #expect(!isAllowed(take(served)), "another message of that id is another one")
    }
}
