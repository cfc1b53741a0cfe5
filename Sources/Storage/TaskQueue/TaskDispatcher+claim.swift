internal import Conversation
import Logging
import Synchronization

/// How a dispatcher comes by its work, and keeps it.
extension TaskDispatcher {
    /// Asks each brand for what it was granted, all at the same time: they share commits, and none waits for another's.
    func claim(_ grants: [(BrandID, Int)]) async -> [BrandTransaction.Claim] {
        guard grants.count > 1 else {
            guard let (brand, room) = grants.first else { return [] }
            return [await claim(brand, room)]
        }
        return await withTaskGroup(of: BrandTransaction.Claim.self) { group in
            for (brand, room) in grants { group.addTask { await self.claim(brand, room) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }

    /// Takes ready lanes with their first tasks, in one transaction.
    private func claim(_ brand: BrandID, _ room: Int) async -> BrandTransaction.Claim {
        state.withLock { $0.beginLook(brand) }
        do {
            let (pool, lease, clock) = (pool, options.lease, store.clock)
            // While the store took no writes (a full disk, a stopped process) our own leases ran out; taking them over from ourselves
            // would refuse the results of calls that are still running.
            await lookBack(brand)
            let held = state.withLock { $0.held(brand) }
            let moment = watch.moment()
            let (claim, wait) = try await store.brand(brand).write { transaction in
                if let renewedAt = held.renewedAt, clock.now - renewedAt > lease * 2 / 3 {
                    for own in held.leases { _ = try transaction.renew(own, until: transaction.now + lease) }
                }
                let claim = try transaction.claim(pool: pool, limit: room, until: transaction.now + lease)
                // The store may go by another clock than ours.
                return (claim, claim.next.map { $0 - transaction.now })
            }
            CrashPoint.leaseTaken.pass()
            let leases = claim.work.map(\.lease)
            watch.mark(leases, at: moment)
            state.withLock { $0.endLook(brand, claimed: leases, next: nextLook(claim, wait)) }
            return claim
        } catch {
            logger.error("claiming failed", metadata: ["brand": "\(brand)", "pool": "\(pool.rawValue)", "error": "\(error)"])
            state.withLock { state in
                // It may have taken effect all the same.
                if case StorageError.unavailable = error { state.doubt(brand, until: store.clock.now + options.lease) }
                state.endLook(brand, claimed: [], next: store.clock.now + .seconds(1))
            }
            return BrandTransaction.Claim()
        }
    }

    /// After a claim without an answer: gives back what it may have taken. That this fails keeps no lane from being claimed.
    private func lookBack(_ brand: BrandID) async {
        let (pool, now) = (pool, store.clock.now)
        let known = state.withLock { $0.looksBack(brand, at: now, every: options.sweep) ? $0.known(brand) : nil }
        guard let known else { return }
        do {
            try await store.brand(brand).write { _ = try $0.giveBackUnknown(pool: pool, but: known) }
        } catch {
            logger.error("looking back failed", metadata: ["brand": "\(brand)", "pool": "\(pool.rawValue)", "error": "\(error)"])
        }
    }

    /// Another node may be claiming what is ready: then there is nothing to have for a moment.
    private func nextLook(_ claim: BrandTransaction.Claim, _ wait: Duration?) -> Timestamp? {
        guard claim.lanes == 0 else { return Timestamp(milliseconds: 0) }
        return wait.map { store.clock.now + max($0, .milliseconds(50)) }
    }

    /// Asks all databases who has work: what nobody told of is found after `sweep`.
    func sweep() async {
        do {
            let brands = try await store.brandsReady(in: pool)
            state.withLock { state in for brand in brands { state.wake(brand) } }
        } catch {
            logger.error("the sweep failed", metadata: ["pool": "\(pool.rawValue)", "error": "\(error)"])
        }
    }

    /// Every third of a lease, for all lanes in work.
    func renewLeases() async {
        while !Task.isCancelled {
            do { try await store.clock.sleep(until: store.clock.now + options.lease / 3) } catch { return }
            let now = store.clock.now
            var missedAny = false
            for (brand, leases) in Dictionary(grouping: state.withLock { Array($0.active) }, by: \.brand) {
                do {
                    try await renew(leases, of: brand)
                } catch {
                    missedAny = true
                    logger.error("renewing failed", metadata: ["brand": "\(brand)", "error": "\(error)"])
                }
            }
            if !missedAny { state.withLock { $0.renewed(at: now) } }
        }
    }

    private func renew(_ leases: [LaneLease], of brand: BrandID) async throws {
        let (length, moment) = (options.lease, watch.moment())
        let lost = try await store.brand(brand).write { transaction in
            try leases.filter { try !transaction.renew($0, until: transaction.now + length) }
        }
        CrashPoint.leaseRenewing.pass()
        // What ended meanwhile is not to be remembered.
        let active = state.withLock { $0.active }
        watch.mark(leases.filter { active.contains($0) && !lost.contains($0) }, at: moment)
        for lease in lost where active.contains(lease) {
            logger.warning("lease lost", metadata: ["brand": "\(brand)", "lane": "\(lease.lane)"])
        }
    }
}
