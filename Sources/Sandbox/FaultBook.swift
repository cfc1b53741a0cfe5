import Conversation
import Synchronization

/// What goes wrong with one request.
struct FaultPlan: Sendable {
    var fault: Fault?
    var honoursKeys = true
    /// Nil leaves it to the Graph stand-in.
    var statuses: [String]?
}

/// The faults in force, in the order in which they were ordered: the first that concerns a request applies, until its `times` are used up.
final class FaultBook: Sendable {
    private let faults = Mutex<[Fault]>([])

    func add(_ fault: Fault) { faults.withLock { $0.append(fault) } }
    var list: [Fault] { faults.withLock { $0 } }

    /// Removes those for exactly this path, or all when it is nil.
    func clear(path: String?) {
        faults.withLock { faults in
            faults.removeAll { path == nil || $0.path == path }
        }
    }

    /// Uses up one of the `times` of each fault that takes part.
    func plan(method: String, path: String) -> FaultPlan {
        faults.withLock { faults in
            var plan = FaultPlan()
            for index in faults.indices where faults[index].concerns(method: method, path: path) {
                let fault = faults[index]
                if fault.changesAnswer {
                    if plan.fault != nil { continue }
                    plan.fault = fault
                } else if fault.statuses != nil, plan.statuses != nil {
                    continue
                }
                if !fault.honoursKeys { plan.honoursKeys = false }
                plan.statuses = plan.statuses ?? fault.statuses
                if let times = fault.times { faults[index].times = times - 1 }
            }
            faults.removeAll { $0.times == 0 }
            return plan
        }
    }
}
