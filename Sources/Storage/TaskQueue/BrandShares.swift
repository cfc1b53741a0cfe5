internal import Conversation

/// Divides room among brands by weight (stride scheduling): who has had the least for its weight goes first. A brand that had no work
/// for a while begins where the others stand, so that nobody saves up.
struct BrandShares {
    private var passes: [BrandID: Double] = [:]
    /// Where the brand stood that was served last.
    private var floor = 0.0
    private let weight: @Sendable (BrandID) -> Int

    init(weight: @escaping @Sendable (BrandID) -> Int) { self.weight = weight }

    /// What each brand gets of `room`, in the order in which they come; brands that get nothing are left out.
    func divide(_ room: Int, among wants: [(brand: BrandID, lanes: Int)]) -> [(BrandID, Int)] {
        var (room, waiting) = (
            room, wants.filter { $0.lanes > 0 }.sorted { $0.brand < $1.brand }.map { ($0.brand, $0.lanes, pass($0.brand)) }
        )
        var order: [BrandID] = []
        var shares: [BrandID: Int] = [:]
        // Large rooms go in pieces, so that this costs little and still comes out even.
        let piece = max(1, room / max(1, waiting.count * 8))
        while room > 0, let next = waiting.indices.min(by: { waiting[$0].2 < waiting[$1].2 }) {
            let brand = waiting[next].0
            let given = min(piece, room, waiting[next].1)
            if shares[brand] == nil { order.append(brand) }
            shares[brand, default: 0] += given
            room -= given
            waiting[next].1 -= given
            waiting[next].2 += Double(given) / Double(stride(brand))
            if waiting[next].1 == 0 { waiting.remove(at: next) }
        }
        return order.map { ($0, shares[$0, default: 0]) }
    }

    /// Notes what a brand took.
    mutating func charge(_ brand: BrandID, lanes: Int) {
        let start = pass(brand)
        floor = max(floor, start)
        passes[brand] = start + Double(lanes) / Double(stride(brand))
    }

    private func pass(_ brand: BrandID) -> Double { max(passes[brand] ?? floor, floor - 1) }
    private func stride(_ brand: BrandID) -> Int { max(1, weight(brand)) }
}
