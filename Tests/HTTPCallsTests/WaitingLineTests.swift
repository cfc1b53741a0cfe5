import Testing

@testable import HTTPCalls

struct WaitingLineTests {
    private func line(limit: Int, hostLimit: Int, _ arrivals: [(Int, String)]) -> WaitingLine<Int> {
        var line = WaitingLine<Int>(limit: limit, hostLimit: hostLimit)
        for (element, host) in arrivals { line.arrive(element, host: host) }
        return line
    }

    @Test func firstComeFirstServedAcrossHosts() {
        var line = line(limit: 10, hostLimit: 10, [(1, "b"), (2, "a"), (3, "b"), (4, "c"), (5, "a")])
        #expect((0..<6).map { _ in line.next() } == [1, 2, 3, 4, 5, nil])
        #expect(line.running == 5)
    }

    @Test func poolLimitHoldsUntilOneLeaves() {
        var line = line(limit: 2, hostLimit: 10, [(1, "a"), (2, "b"), (3, "a")])
        #expect([line.next(), line.next(), line.next()] == [1, 2, nil])
        line.leave(host: "b")
        #expect([line.next(), line.next()] == [3, nil])
    }

    @Test func fullHostHoldsUpItsOwnCallersOnly() {
        var line = line(limit: 10, hostLimit: 1, [(1, "a"), (2, "a"), (3, "b")])
        #expect([line.next(), line.next(), line.next()] == [1, 3, nil])
        line.leave(host: "a")
        #expect(line.next() == 2)
    }

    @Test func limitBelowOneStillLetsOneGo() {
        var line = line(limit: 0, hostLimit: -1, [(1, "a"), (2, "a")])
        #expect([line.next(), line.next()] == [1, nil])
    }

    @Test func removedOnesAreNotServedAndOrderStays() {
        var line = line(limit: 1, hostLimit: 1, (1...100).map { ($0, "a") })
        #expect(line.next() == 1)
        #expect(line.removeWaiting { $0.isMultiple(of: 2) }.count == 50)
        var served: [Int] = []
        for _ in 0..<60 {
            line.leave(host: "a")
            guard let next = line.next() else { break }
            served.append(next)
        }
        #expect(served == (2...100).filter { !$0.isMultiple(of: 2) })
        #expect(line.isIdle)
    }

    @Test func lineThatServedManyKeepsNothing() {
        var line = line(limit: 1, hostLimit: 1, [])
        for round in 0..<1000 {
            line.arrive(round, host: "host \(round % 10)")
            #expect(line.next() == round)
            line.leave(host: "host \(round % 10)")
        }
        #expect(line.isIdle)
        #expect(line.waiting.isEmpty)
    }
}
