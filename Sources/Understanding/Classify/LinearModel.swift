internal import Foundation

/// A sparse vector: indexes into the vocabulary with values, of length one.
struct SparseVector: Sendable {
    var indexes: [Int32]
    var values: [Float]
}

/// Multinomial logistic regression over TF-IDF features, with the training examples kept for measuring likeness. Training is deterministic.
struct LinearModel: Sendable {
    struct Example: Sendable {
        var features: Features
        var label: Int
        var weight: Float = 1
    }

    struct Prediction: Sendable {
        /// By label; they add up to one.
        var probabilities: [Float]
        /// By label: cosine with the most similar example, `0...1`.
        var likeness: [Float]
        /// How much of the words that carry meaning was seen in training, `0...1`; 1 when there are none.
        var known: Float
    }

    private let labels: Int
    private let vocabulary: [UInt64: Int32]
    private let rarity: [Float]
    private var weights: [Float]
    private var bias: [Float]
    /// Hash of a word with one letter left out → the features of the word that was probably meant.
    private let slips: [UInt64: (word: UInt64, concept: UInt64?)]
    private let postings: [[(example: Int32, value: Float)]]
    private let exampleLabels: [Int]

    init(_ examples: [Example], labels: Int) {
        self.labels = labels
        var vocabulary: [UInt64: Int32] = [:]
        var frequency: [Float] = []
        for example in examples {
            for key in Set(example.features.all.map(\.key)).sorted() {
                if let index = vocabulary[key] {
                    frequency[Int(index)] += 1
                } else {
                    vocabulary[key] = Int32(frequency.count)
                    frequency.append(1)
                }
            }
        }
        let total = Float(examples.count)
        let rarity = frequency.map { logf((total + 1) / ($0 + 1)) * 0.5 + 1 }
        self.vocabulary = vocabulary
        self.rarity = rarity
        weights = Array(repeating: 0, count: frequency.count * labels)
        bias = Array(repeating: 0, count: labels)
        exampleLabels = examples.map(\.label)
        slips = Self.slips(examples)
        let vectors = examples.map { Self.vector($0.features, vocabulary: vocabulary, rarity: rarity) }
        var postings = [[(example: Int32, value: Float)]](repeating: [], count: frequency.count)
        for (example, vector) in vectors.enumerated() {
            for (index, value) in zip(vector.indexes, vector.values) { postings[Int(index)].append((Int32(example), value)) }
        }
        self.postings = postings
        train(vectors, examples)
    }

    func predict(_ given: Features) -> Prediction {
        let features = corrected(given)
        let vector = Self.vector(features, vocabulary: vocabulary, rarity: rarity)
        var likeness = [Float](repeating: 0, count: exampleLabels.count)
        for (index, value) in zip(vector.indexes, vector.values) {
            for posting in postings[Int(index)] { likeness[Int(posting.example)] += value * posting.value }
        }
        var best = [Float](repeating: 0, count: labels)
        for (example, value) in likeness.enumerated() where value > best[exampleLabels[example]] { best[exampleLabels[example]] = value }
        return Prediction(probabilities: Self.softmax(scores(vector)), likeness: best, known: known(features))
    }

    private func known(_ features: Features) -> Float {
        guard !features.content.isEmpty else { return 1 }
        let seen = features.content.count(where: isKnown)
        return Float(seen) / Float(features.content.count)
    }

    /// Words one slip away from a known one count as that word.
    private func corrected(_ features: Features) -> Features {
        var result = features
        for (index, content) in features.content.enumerated() where !isKnown(content) && content.letters.count >= 5 {
            let keys = [Hash.of(content.letters, kind: 4)] + Features.shortened(content.letters)
            guard let meant = keys.lazy.compactMap({ slips[$0] }).first else { continue }
            result.all.append(.init(key: meant.word, weight: 0.8))
            if let concept = meant.concept { result.all.append(.init(key: concept, weight: 0.8)) }
            result.content[index].word = meant.word
            result.content[index].concept = meant.concept
        }
        return result
    }

    private func isKnown(_ content: Features.Content) -> Bool {
        vocabulary[content.word] != nil || content.concept.map { vocabulary[$0] != nil } ?? false
    }

    private static func slips(_ examples: [Example]) -> [UInt64: (word: UInt64, concept: UInt64?)] {
        var result: [UInt64: (word: UInt64, concept: UInt64?)] = [:]
        let learned = examples.flatMap(\.features.content)
        for content in learned + Features.conceptWords where content.letters.count >= 5 {
            for key in [Hash.of(content.letters, kind: 4)] + Features.shortened(content.letters) where result[key] == nil {
                result[key] = (content.word, content.concept)
            }
        }
        return result
    }

    /// Stochastic gradient descent on the log loss, with labels that have few examples weighted up.
    private mutating func train(_ vectors: [SparseVector], _ examples: [Example]) {
        var counts = [Float](repeating: 0, count: labels)
        for example in examples { counts[example.label] += 1 }
        let mean = Float(examples.count) / Float(max(1, labels))
        let balance = counts.map { min(3, max(0.6, sqrtf(mean / max(1, $0)))) }
        var order = Array(vectors.indices)
        var random: UInt64 = 0x2545_F491_4F6C_DD1D
        let epochs = 24
        for epoch in 0..<epochs {
            for index in order.indices.reversed().dropLast() {
                random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                order.swapAt(index, Int((random >> 33) % UInt64(index + 1)))
            }
            let rate = 3.0 / (1 + Float(epoch) * 0.25)
            for index in order {
                let label = examples[index].label
                step(vectors[index], label: label, rate: rate * balance[label] * examples[index].weight)
            }
        }
    }

    private mutating func step(_ vector: SparseVector, label: Int, rate: Float) {
        var gradient = Self.softmax(scores(vector))
        // A little smoothing keeps confidence honest on few examples.
        let target: Float = 0.97
        let rest = (1 - target) / Float(max(1, labels - 1))
        for index in 0..<labels { gradient[index] -= index == label ? target : rest }
        for (position, value) in zip(vector.indexes, vector.values) {
            let base = Int(position) * labels
            let scaled = rate * value
            for index in 0..<labels { weights[base + index] -= scaled * gradient[index] }
        }
        for index in 0..<labels { bias[index] -= rate * 0.05 * gradient[index] }
    }

    private func scores(_ vector: SparseVector) -> [Float] {
        var scores = bias
        for (position, value) in zip(vector.indexes, vector.values) {
            let base = Int(position) * labels
            for index in 0..<labels { scores[index] += weights[base + index] * value }
        }
        return scores
    }

    private static func softmax(_ scores: [Float]) -> [Float] {
        let top = scores.max() ?? 0
        let powers = scores.map { expf($0 - top) }
        let sum = powers.reduce(0, +)
        return powers.map { $0 / sum }
    }

    private static func vector(_ features: Features, vocabulary: [UInt64: Int32], rarity: [Float]) -> SparseVector {
        var values: [Int32: Float] = [:]
        var norm: Float = 0
        for feature in features.all {
            // What was never seen still takes its share of the length: a text half unknown is half as sure.
            guard let index = vocabulary[feature.key] else {
                norm += feature.weight * feature.weight
                continue
            }
            values[index] = max(values[index] ?? 0, feature.weight * rarity[Int(index)])
        }
        // Summed in order: floating point depends on it, and the same text must always come out the same.
        let sorted = values.sorted { $0.key < $1.key }
        for (_, value) in sorted { norm += value * value }
        let scale = norm > 0 ? 1 / sqrtf(norm) : 0
        return SparseVector(indexes: sorted.map(\.key), values: sorted.map { $0.value * scale })
    }
}
