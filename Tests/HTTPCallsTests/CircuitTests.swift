import Conversation
import Synchronization
import TestKit
import Testing

@testable import HTTPCalls

struct CircuitTests {
    private let start = Timestamp(seconds: 1000)

    /// Ends calls one after the other, a tenth of a second apart, each for a subject of its own.
    private func circuit(_ ends: [Bool], subjects: Int = .max, from: Timestamp? = nil) -> (Circuit, [Circuit.Change]) {
        var circuit = Circuit(.init())
        var changes: [Circuit.Change] = []
        for (index, failed) in ends.enumerated() {
            let now = (from ?? start) + .milliseconds(100 * Int64(index))
            let admission = circuit.admit(at: now)
            if let change = circuit.ended(admission, failed: failed, subject: "\(index % subjects)", at: now) { changes.append(change) }
        }
        return (circuit, changes)
    }

    @Test func tenCallsHalfOfThemFailedOpenIt() {
        #expect(circuit(Array(repeating: true, count: 9)).1.isEmpty)
        #expect(circuit(Array(repeating: true, count: 10)).1 == [.opened])
        #expect(circuit([true, false, true, false, true, false, true, false, false, true]).1 == [.opened])
        #expect(circuit([true, false, true, false, true, false, true, false, false, false]).1.isEmpty)
    }

    @Test func oneSubjectAloneNeverOpensIt() {
        #expect(circuit(Array(repeating: true, count: 90), subjects: 1).1.isEmpty)
        #expect(circuit(Array(repeating: true, count: 10), subjects: 2).1 == [.opened])
    }

    @Test func failuresOfLongAgoDoNotCount() {
        var (circuit, changes) = circuit(Array(repeating: true, count: 9))
        #expect(changes.isEmpty)
        let later = start + .seconds(12)
        changes = [circuit.ended(circuit.admit(at: later), failed: true, subject: "x", at: later)].compactMap { $0 }
        #expect(changes.isEmpty)
    }

    @Test func anOpenOneLetsOneCallThroughInFiveSecondsAndClosesOnItsSuccess() {
        var (circuit, _) = circuit(Array(repeating: true, count: 10))
        let opened = start + .milliseconds(900)
        #expect(circuit.admit(at: opened) == .refused(until: opened + .seconds(5)))
        #expect(circuit.admit(at: opened + .milliseconds(4999)) == .refused(until: opened + .seconds(5)))
        let first = opened + .seconds(5)
        let probe = circuit.admit(at: first)
        #expect(probe == .probe)
        #expect(circuit.admit(at: first) == .refused(until: first + .seconds(5)))
        #expect(circuit.ended(probe, failed: true, subject: "p", at: first) == nil)
        #expect(circuit.admit(at: first + .seconds(4)) == .refused(until: first + .seconds(5)))
        let second = first + .seconds(60)
        #expect(circuit.ended(circuit.admit(at: second), failed: false, subject: "p", at: second) == .closed)
        #expect(circuit.admit(at: second) == .free && circuit.nextProbe == nil)
        #expect(circuit.ended(.free, failed: true, subject: "q", at: second) == nil, "the old failures are forgotten")
    }

    @Test func whatBeganBeforeItOpenedDoesNotCloseIt() {
        var (circuit, _) = circuit(Array(repeating: true, count: 10))
        #expect(circuit.ended(.free, failed: false, subject: "slow", at: start + .seconds(2)) == nil)
        #expect(circuit.nextProbe != nil)
    }

    // MARK: The client

    private final class Remote: HTTPClient {
        let result = Mutex(HTTPResult.answer(HTTPAnswer(status: 200)))
        let calls = Mutex<[String]>([])
        func call(_ call: HTTPCall) async -> HTTPResult {
            calls.withLock { $0.append(call.url) }
            return result.withLock { $0 }
        }
    }

    private func call(_ url: String = "https://api.test/a", pool: String = "brand:salon", subject: String? = nil) -> HTTPCall {
        HTTPCall(method: "GET", url: url, pool: pool, subject: subject)
    }

    private func isRefused(_ result: HTTPResult) -> Bool {
        if case .failed(let failure) = result { failure.kind == .breakerOpen && !failure.mayHaveBeenSent } else { false }
    }

    @Test func aPoolAndHostThatFailIsNotCalledAndOthersAre() async {
        let (remote, clock) = (Remote(), ControlledClock())
        let breakers = CircuitBreakers(remote, clock: clock)
        let changes = Mutex<[Bool]>([])
        breakers.onChange { pool, isOpen in changes.withLock { if pool == "brand:salon" { $0.append(isOpen) } } }
        remote.result.withLock { $0 = .answer(HTTPAnswer(status: 503)) }
        for path in 0..<10 { _ = await breakers.call(call("https://api.test/\(path)")) }
        #expect(isRefused(await breakers.call(call("https://API.test/other?x=1"))))
        #expect(!isRefused(await breakers.call(call("https://other.test/a"))))
        #expect(!isRefused(await breakers.call(call(pool: "brand:jobs"))))
        #expect(breakers.nextProbe(of: "brand:salon") == clock.now + .seconds(5) && breakers.nextProbe(of: "brand:jobs") == nil)
        #expect(remote.calls.withLock { $0.count } == 12)
        remote.result.withLock { $0 = .answer(HTTPAnswer(status: 404)) }
        clock.advance(by: .seconds(5))
        #expect(!isRefused(await breakers.call(call())))
        #expect(breakers.nextProbe(of: "brand:salon") == nil)
        #expect(changes.withLock { $0 } == [true, false])
    }

    @Test(arguments: [429, 400, 404, 409, 422, 200]) func aBrandThatAnswersIsNotAway(status: Int) async {
        let remote = Remote()
        let breakers = CircuitBreakers(remote, clock: ControlledClock())
        remote.result.withLock { $0 = .answer(HTTPAnswer(status: status)) }
        for _ in 0..<50 { #expect(!isRefused(await breakers.call(call()))) }
    }

    @Test(arguments: [HTTPFailure.Kind.invalidRequest, .forbiddenAddress, .cancelled, .tooLarge, .secondPass])
    func whatSaysNothingAboutTheBrandDoesNotCount(kind: HTTPFailure.Kind) async {
        let remote = Remote()
        let breakers = CircuitBreakers(remote, clock: ControlledClock())
        remote.result.withLock { $0 = .failed(HTTPFailure(kind: kind, mayHaveBeenSent: false, detail: "")) }
        for _ in 0..<50 { #expect(!isRefused(await breakers.call(call()))) }
    }

    @Test(arguments: [HTTPFailure.Kind.resolve, .connect, .tls, .timeout, .reset, .protocolError])
    func whatNeverAnswersIsAway(kind: HTTPFailure.Kind) async {
        let remote = Remote()
        let breakers = CircuitBreakers(remote, clock: ControlledClock())
        remote.result.withLock { $0 = .failed(HTTPFailure(kind: kind, mayHaveBeenSent: true, detail: "")) }
        for _ in 0..<10 { _ = await breakers.call(call()) }
        #expect(isRefused(await breakers.call(call())))
    }

    @Test func attemptsAtOneActionAloneDoNotCutOffTheBrand() async {
        let remote = Remote()
        let breakers = CircuitBreakers(remote, clock: ControlledClock())
        remote.result.withLock { $0 = .answer(HTTPAnswer(status: 500)) }
        for _ in 0..<50 { #expect(!isRefused(await breakers.call(call(subject: "action 1")))) }
    }

    @Test func callsThatAreNotGuardedPass() async {
        let remote = Remote()
        let breakers = CircuitBreakers(remote, clock: ControlledClock()) { $0.pool.hasPrefix("brand:") }
        remote.result.withLock { $0 = .answer(HTTPAnswer(status: 500)) }
        for _ in 0..<50 { #expect(!isRefused(await breakers.call(call(pool: "llm:salon")))) }
    }
}
