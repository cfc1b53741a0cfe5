/// How alike two words are.
package enum EditDistance {
    /// Levenshtein distance over characters: insertions, deletions and replacements.
    package static func distance(_ left: some StringProtocol, _ right: some StringProtocol) -> Int {
        distance(Array(left), Array(right))
    }

    /// `1` for equal texts, `0` for entirely different ones: 1 − distance ÷ length of the longer. Two empty texts are equal.
    /// Texts beyond 256 characters are compared by equality alone, because the work grows with the product of the lengths.
    package static func similarity(_ left: some StringProtocol, _ right: some StringProtocol) -> Double {
        if left == right { return 1 }
        guard left.utf8.count <= 1024, right.utf8.count <= 1024 else { return 0 }
        let (first, second) = (Array(left), Array(right))
        guard first.count <= 256, second.count <= 256 else { return 0 }
        let longer = max(first.count, second.count)
        return longer == 0 ? 1 : 1 - Double(distance(first, second)) / Double(longer)
    }

    private static func distance(_ left: [Character], _ right: [Character]) -> Int {
        if left.isEmpty || right.isEmpty { return max(left.count, right.count) }
        var row = Array(0...right.count)
        for (index, character) in left.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in right.indices {
                let replaced = diagonal + (right[column] == character ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(replaced, diagonal + 1, row[column] + 1)
            }
        }
        return row[right.count]
    }
}
