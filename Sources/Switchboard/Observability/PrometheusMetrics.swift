import CoreMetrics
import Synchronization

/// Keeps counters, gauges and timers in memory and writes them in Prometheus' text format. Timers become histograms in seconds.
final class PrometheusMetrics: MetricsFactory {
    private let registry = Mutex<[String: any Instrument]>([:])

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        instrument(label, dimensions) { Total($0, $1) }
    }
    func makeFloatingPointCounter(label: String, dimensions: [(String, String)]) -> any FloatingPointCounterHandler {
        instrument(label, dimensions) { Total($0, $1) }
    }
    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler { instrument(label, dimensions) { Level($0, $1) } }
    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        instrument(label, dimensions) { Spread($0, $1) }
    }
    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler { instrument(label, dimensions) { Spread($0, $1) } }

    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    func destroyMeter(_ handler: any MeterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}

    /// Everything measured so far, grouped by name.
    var text: String {
        let all = registry.withLock { Array($0.values) }
        return Dictionary(grouping: all, by: \.name).sorted { $0.key < $1.key }.map { name, instruments in
            let kind = instruments.first?.kind ?? "untyped"
            return "# TYPE \(name) \(kind)\n" + instruments.sorted { $0.labels < $1.labels }.map(\.lines).joined()
        }.joined()
    }

    private func instrument<Kind: Instrument>(_ label: String, _ dimensions: [(String, String)], _ make: (String, String) -> Kind) -> Kind {
        let name = label.map { $0.isLetter || $0.isNumber || $0 == "_" ? String($0) : "_" }.joined()
        let labels = dimensions.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",")
        return registry.withLock { registry in
            let key = "\(Kind.self) \(name){\(labels)}"
            if let known = registry[key] as? Kind { return known }
            let new = make(name, labels)
            registry[key] = new
            return new
        }
    }

    private static func escaped(_ text: String) -> String {
        text.map { $0 == "\"" ? "\\\"" : $0 == "\\" ? "\\\\" : $0 == "\n" ? "\\n" : String($0) }.joined()
    }
}

private protocol Instrument: AnyObject, Sendable {
    var name: String { get }
    var labels: String { get }
    var kind: String { get }
    var lines: String { get }
}

private final class Total: Instrument, CounterHandler, FloatingPointCounterHandler {
    let name: String
    let labels: String
    let kind = "counter"
    private let value = Mutex(0.0)

    init(_ name: String, _ labels: String) { (self.name, self.labels) = (name, labels) }
    func increment(by amount: Int64) { value.withLock { $0 += Double(amount) } }
    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func reset() { value.withLock { $0 = 0 } }
    var lines: String { "\(name){\(labels)} \(value.withLock { $0 })\n" }
}

private final class Level: Instrument, MeterHandler {
    let name: String
    let labels: String
    let kind = "gauge"
    private let value = Mutex(0.0)

    init(_ name: String, _ labels: String) { (self.name, self.labels) = (name, labels) }
    func set(_ value: Int64) { self.value.withLock { $0 = Double(value) } }
    func set(_ value: Double) { self.value.withLock { $0 = value } }
    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func decrement(by amount: Double) { value.withLock { $0 -= amount } }
    var lines: String { "\(name){\(labels)} \(value.withLock { $0 })\n" }
}

private final class Spread: Instrument, TimerHandler, RecorderHandler {
    private struct State {
        var counts = [Int](repeating: 0, count: Spread.bounds.count + 1)
        var sum = 0.0
    }

    static let bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
    let name: String
    let labels: String
    let kind = "histogram"
    private let state = Mutex(State())

    init(_ name: String, _ labels: String) { (self.name, self.labels) = (name, labels) }
    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
    func record(_ value: Int64) { record(Double(value)) }
    func record(_ value: Double) {
        let place = Self.bounds.firstIndex { value <= $0 } ?? Self.bounds.count
        state.withLock { state in
            state.counts[place] += 1
            state.sum += value
        }
    }

    var lines: String {
        let now = state.withLock { $0 }
        let prefix = labels.isEmpty ? "" : labels + ","
        var text = ""
        var total = 0
        for (index, count) in now.counts.enumerated() {
            total += count
            let bound = index < Self.bounds.count ? "\(Self.bounds[index])" : "+Inf"
            text += "\(name)_bucket{\(prefix)le=\"\(bound)\"} \(total)\n"
        }
        return text + "\(name)_sum{\(labels)} \(now.sum)\n\(name)_count{\(labels)} \(total)\n"
    }
}
