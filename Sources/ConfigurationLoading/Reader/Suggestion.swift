/// Finds the name that was probably meant.
enum Suggestion {
    /// The nearest of `names`, when it is near enough to be a slip of the fingers.
    static func nearest(to text: String, in names: some Sequence<String>) -> String? {
        let limit = min(3, max(1, text.count / 3))
        let ranked = names.map { (name: $0, distance: distance(text.lowercased(), $0.lowercased())) }.filter { $0.distance <= limit }
        return ranked.min { ($0.distance, $0.name) < ($1.distance, $1.name) }?.name
    }

    /// `did you mean "params"?`, or else what there is to choose from.
    static func remedy(for text: String, in names: some Sequence<String>, noun: String) -> String {
        if let near = nearest(to: text, in: names) { return "did you mean \"\(near)\"?" }
        let sorted = Array(Set(names)).sorted()
        guard !sorted.isEmpty else { return "there is no \(noun) yet: define it first" }
        return "known: " + sorted.joined(separator: ", ")
    }

    /// Edit distance with swaps of neighbours as one step (optimal string alignment), because swapped letters are the commonest slip.
    static func distance(_ left: String, _ right: String) -> Int {
        let (a, b) = (Array(left), Array(right))
        var rows = [Array(0...b.count)]
        for i in stride(from: 1, through: a.count, by: 1) {
            var row = [i]
            for j in stride(from: 1, through: b.count, by: 1) {
                var best = min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { best = min(best, rows[i - 2][j - 2] + 1) }
                row.append(best)
            }
            rows.append(row)
        }
        return rows[a.count][b.count]
    }
}
