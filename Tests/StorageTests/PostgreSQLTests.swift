import Conversation
import Foundation
import TestKit
import Testing

@testable import Storage

struct PostgreSQLTests {
    @Test(arguments: DatabaseContract.all) func postgresqlKeepsTheContract(part: DatabaseContract.Part) async throws {
        try await DatabaseContract("PostgreSQL", has: [.brandsAreApart, .failuresCondemn, .manyWriters]) {
            try await TestDatabase.make(.postgresql)
        }.check(
            part)
    }
}
