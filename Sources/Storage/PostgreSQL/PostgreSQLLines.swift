internal import Conversation

/// A unit of work on its way to a connection.
struct PostgreSQLUnit {
    /// Units of one line run one after the other.
    enum Line: Hashable {
        case scope(Scope)
        case own(Int)
    }

    var line: Line
    var scope: Scope
    /// Runs the unit and keeps its result; throws what the unit threw.
    var work: (PostgreSQLConnection) throws -> Void
    /// Nil when the effects are durable.
    var finish: ((any Error)?) -> Void
    /// When it came, by the monotonic clock.
    var came = MonotonicTime.milliseconds
    /// How often its connection broke before it had any effect.
    var returns = 0
}

/// Units in the order in which they came, line by line. A line that somebody works on is not given to others.
struct PostgreSQLLines {
    private var waiting: [PostgreSQLUnit.Line: [PostgreSQLUnit]] = [:]
    /// Lines with units that nobody works on.
    private var ready: [PostgreSQLUnit.Line] = []
    private var busy: Set<PostgreSQLUnit.Line> = []

    var hasReady: Bool { !ready.isEmpty }
    var isEmpty: Bool { waiting.isEmpty }

    mutating func add(_ unit: PostgreSQLUnit) {
        if waiting[unit.line, default: []].isEmpty, !busy.contains(unit.line) { ready.append(unit.line) }
        waiting[unit.line, default: []].append(unit)
    }

    /// For units of a line that the caller works on.
    mutating func putBack(_ unit: PostgreSQLUnit) { waiting[unit.line, default: []].insert(unit, at: 0) }

    /// A fair part of the lines, for one of as many hands. Nil when there is nothing to do.
    mutating func take(limit: Int, hands: Int) -> [PostgreSQLUnit]? {
        guard !ready.isEmpty else { return nil }
        let share = (ready.count + hands - 1) / max(hands, 1)
        var group: [PostgreSQLUnit] = []
        var taken = 0
        while taken < share, group.count < limit, taken < ready.count {
            let line = ready[taken]
            busy.insert(line)
            group += units(of: line, limit: limit - group.count)
            taken += 1
        }
        ready.removeFirst(taken)
        return group
    }

    mutating func more(for lines: Set<PostgreSQLUnit.Line>, limit: Int) -> [PostgreSQLUnit] {
        var group: [PostgreSQLUnit] = []
        for line in lines where group.count < limit { group += units(of: line, limit: limit - group.count) }
        return group
    }

    private mutating func units(of line: PostgreSQLUnit.Line, limit: Int) -> [PostgreSQLUnit] {
        guard let all = waiting[line] else { return [] }
        waiting[line] = all.count > limit ? Array(all.dropFirst(limit)) : nil
        return Array(all.prefix(limit))
    }

    mutating func release(_ group: [PostgreSQLUnit]) {
        for unit in group where busy.remove(unit.line) != nil {
            if waiting[unit.line]?.isEmpty == false { ready.append(unit.line) }
        }
    }

    /// Takes out what came before that moment.
    mutating func overdue(before moment: Int64) -> [PostgreSQLUnit] {
        var found: [PostgreSQLUnit] = []
        for (line, units) in waiting where units.contains(where: { $0.came < moment }) {
            found += units.filter { $0.came < moment }
            let left = units.filter { $0.came >= moment }
            waiting[line] = left.isEmpty ? nil : left
            if left.isEmpty { ready.removeAll { $0 == line } }
        }
        return found
    }

    mutating func takeAll() -> [PostgreSQLUnit] {
        let all = waiting.values.flatMap { $0 }
        (waiting, ready) = ([:], [])
        return all
    }
}
