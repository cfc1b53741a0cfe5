internal import Conversation
import Foundation

/// Group commit: whatever has gathered is one transaction. A unit that fails is undone alone.
enum PostgreSQLWriting {
    /// A collision with another node passes: so often a unit is run again by itself.
    private static let tries = 5
    /// Milliseconds after which a group takes nobody in any more: the first in it waits for the last.
    private static let openFor: Int64 = 5

    static func perform(_ connection: PostgreSQLConnection, _ pool: PostgreSQLPool, _ first: [PostgreSQLUnit]) {
        var group = first
        do {
            try together(&group, connection, pool)
            for unit in group { unit.finish(nil) }
        } catch {
            // Asked for before the undoing, which clears it.
            let state = connection.failureState
            if connection.isBroken { return broke(connection, pool, group, error) }
            connection.rollBack()
            if group.count > 1 { return oneByOne(group, connection, pool) }
            if PostgreSQLFailure.deservesAnotherTry(state) { return again(group[0], connection, pool, error) }
            group[0].finish(error)
        }
    }

    /// First without savepoints; when a unit fails, `oneByOne` does it once more with them. Whoever comes meanwhile joins.
    private static func together(_ group: inout [PostgreSQLUnit], _ connection: PostgreSQLConnection, _ pool: PostgreSQLPool) throws {
        let start = MonotonicTime.milliseconds
        try connection.begin(writing: true)
        var next = 0
        while next < group.count {
            try connection.enter(group[next].scope)
            try group[next].work(connection)
            if let objection = connection.objection { throw objection }
            next += 1
            if next == group.count, MonotonicTime.milliseconds - start < openFor { group += pool.latecomers(group) }
        }
        CrashPoint.insertedNotCommitted.pass()
        try connection.commitTransaction()
    }

    private static func oneByOne(_ group: [PostgreSQLUnit], _ connection: PostgreSQLConnection, _ pool: PostgreSQLPool) {
        var failures = [(any Error)?](repeating: nil, count: group.count)
        var collided: Set<Int> = []
        do {
            try connection.begin(writing: true)
            for (index, unit) in group.enumerated() {
                try connection.beginSavepoint()
                do {
                    try connection.enter(unit.scope)
                    try unit.work(connection)
                    try connection.settle()
                    try connection.releaseSavepoint()
                } catch {
                    failures[index] = error
                    if PostgreSQLFailure.deservesAnotherTry(connection.failureState) { collided.insert(index) }
                    try connection.undoToSavepoint()
                }
            }
            try connection.commitTransaction()
        } catch {
            let state = connection.failureState
            if connection.isBroken {
                // What a unit itself threw stands; the others had no effect, or nobody knows.
                for (unit, failure) in zip(group, failures) { if let failure { unit.finish(failure) } }
                return broke(connection, pool, zip(group, failures).filter { $1 == nil }.map(\.0), error)
            }
            connection.rollBack()
            for index in group.indices where failures[index] == nil {
                failures[index] = error
                if PostgreSQLFailure.deservesAnotherTry(state) { collided.insert(index) }
            }
        }
        for (index, unit) in group.enumerated() where !collided.contains(index) { unit.finish(failures[index]) }
        for index in collided.sorted() {
            again(group[index], connection, pool, failures[index] ?? StorageError.unavailable("a collision"))
        }
    }

    /// Alone, after a pause of chance, a bounded number of times.
    private static func again(_ unit: PostgreSQLUnit, _ connection: PostgreSQLConnection, _ pool: PostgreSQLPool, _ first: any Error) {
        var last = first
        for attempt in 1..<tries {
            // It broke under somebody else, perhaps in that one's commit: of this unit nothing is under way.
            if connection.isBroken { return pool.giveBack([unit], last) }
            // Mostly the other one is through by now.
            if attempt > 1 { Thread.sleep(forTimeInterval: Double.random(in: 0.001...0.01) * Double(attempt)) }
            do {
                try connection.begin(writing: true)
                try connection.enter(unit.scope)
                try unit.work(connection)
                if let objection = connection.objection { throw objection }
                try connection.commitTransaction()
                return unit.finish(nil)
            } catch {
                last = error
                let state = connection.failureState
                if connection.isBroken { return broke(connection, pool, [unit], error) }
                connection.rollBack()
                // A row that is still in the way is most likely no collision.
                let isOver = !PostgreSQLFailure.deservesAnotherTry(state) || (state == "23505" && attempt >= 3)
                if isOver { return unit.finish(error) }
            }
        }
        unit.finish(last)
    }

    /// The connection is gone. Before the commit went out nothing had an effect, so the units run again on another connection.
    private static func broke(_ connection: PostgreSQLConnection, _ pool: PostgreSQLPool, _ units: [PostgreSQLUnit], _ error: any Error) {
        guard connection.isCommitting else { return pool.giveBack(units, error) }
        for unit in units { unit.finish(error) }
    }
}

/// One unit, one snapshot.
enum PostgreSQLReading {
    static func perform(_ connection: PostgreSQLConnection, _ pool: PostgreSQLPool, _ group: [PostgreSQLUnit]) {
        for unit in group {
            do {
                try connection.begin(writing: false)
                try connection.enter(unit.scope)
                try unit.work(connection)
                try connection.settle()
                unit.finish(nil)
            } catch {
                if connection.isBroken {
                    pool.giveBack([unit], error)
                } else {
                    unit.finish(error)
                }
            }
            // A snapshot has nothing to lose: how it ends makes no difference to anybody.
            if !connection.isBroken { connection.rollBack() }
        }
    }
}
