/// A table of a store, as the database itself tells it: so that what must hold of every table holds of those to come.
package struct StoreTable: Sendable {
    package struct Column: Sendable {
        package let name: String
        /// Raw bytes; anything else reads as text.
        package let isBytes: Bool

        package init(name: String, isBytes: Bool = false) {
            self.name = name
            self.isBytes = isBytes
        }

        /// A condition: the column holds the word.
        package func holds(_ word: String, _ dialect: Dialect) -> String {
            let literal = "'\(word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''"))'"
            if !dialect.isShared { return "instr(CAST(\(name) AS TEXT), \(literal)) > 0" }
            if isBytes { return "position(convert_to(\(literal), 'UTF8') IN \(name)) > 0" }
            return "strpos(CAST(\(name) AS TEXT), \(literal)) > 0"
        }
    }

    package let name: String
    package internal(set) var columns: [Column]

    package var hasBrand: Bool { columns.contains { $0.name == "brand_id" } }

    private static let inFile = SQL(
        """
        SELECT t.name, c.name, CASE WHEN c.type = 'BLOB' THEN 1 ELSE 0 END
        FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' ORDER BY t.name, c.cid
        """)
    private static let onServer = SQL(
        """
        SELECT CAST(c.relname AS TEXT), CAST(a.attname AS TEXT), CASE WHEN a.atttypid = CAST('bytea' AS regtype) THEN 1 ELSE 0 END
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relnamespace = CAST(current_schema() AS regnamespace) AND c.relkind IN ('r', 'p') ORDER BY c.relname, a.attnum
        """)

    /// Every table, by name. Throws `StorageError`.
    package static func all(_ connection: any Connection, _ dialect: Dialect) throws -> [StoreTable] {
        try connection.rows(dialect.isShared ? onServer : inFile, []).reduce(into: []) { tables, row in
            let name = try row.text(0)
            if tables.last?.name != name { tables.append(StoreTable(name: name, columns: [])) }
            tables[tables.count - 1].columns.append(Column(name: try row.text(1), isBytes: try row.flag(2)))
        }
    }
}
