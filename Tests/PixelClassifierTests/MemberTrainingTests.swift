import Features
import PixelClassifier
import TensorCore
import TestSupport
import Testing

@Suite("Steps of a training")
struct MemberTrainingTests {
  struct Size: CustomTestStringConvertible, Sendable {
    var batch: Int
    var features: Int
    var classes: Int
    var testDescription: String { "batch \(batch), \(features) features, \(classes) classes" }
  }

  /// The step by whole kernels, without tiles.
  ///
  /// - Parameter drop: what stands between a ReLU and the batch norm after it, and so in the backward pass
  private func plainStep(
    _ classifier: inout PixelMLP, moments: inout [AdamMoments], adam: Adam, x: Tensor, targets: [Int],
    drop: (_ layer: UInt64, Tensor) -> Tensor = { $1 }
  ) -> Float {
    let hidden1 = relu(classifier.linear0(x))
    let normed1 = batchNorm1dTraining(drop(0, hidden1), state: &classifier.norm2)
    let hidden2 = relu(classifier.linear3(normed1.y))
    let normed2 = batchNorm1dTraining(drop(1, hidden2), state: &classifier.norm5)
    let entropy = crossEntropy(classifier.linear6(normed2.y), targets: targets)
    let g6 = linearBackward(entropy.logitsGradient, x: normed2.y, weight: classifier.linear6.weight)
    let g5 = batchNorm1dBackward(g6.x, saved: normed2.saved, weight: classifier.norm5.weight)
    let g3 = linearBackward(
      reluBackward(drop(1, g5.x), output: hidden2), x: normed1.y, weight: classifier.linear3.weight)
    let g2 = batchNorm1dBackward(g3.x, saved: normed1.saved, weight: classifier.norm2.weight)
    let g0 = linearBackward(
      reluBackward(drop(0, g2.x), output: hidden1), x: x, weight: classifier.linear0.weight)
    let updates: [(WritableKeyPath<PixelMLP, Tensor>, Tensor)] = [
      (\.linear0.weight, g0.weight), (\.linear0.bias, g0.bias), (\.norm2.weight, g2.weight),
      (\.norm2.bias, g2.bias),
      (\.linear3.weight, g3.weight), (\.linear3.bias, g3.bias), (\.norm5.weight, g5.weight),
      (\.norm5.bias, g5.bias),
      (\.linear6.weight, g6.weight), (\.linear6.bias, g6.bias),
    ]
    for (index, (path, gradient)) in updates.enumerated() {
      if moments.count == index { moments.append(AdamMoments(shape: gradient.shape)) }
      adam.update(&classifier[keyPath: path], gradient: gradient, moments: &moments[index])
    }
    return entropy.loss
  }

  // One tile, several tiles, several blocks, a last tile that is not whole, and the wide layers.
  @Test(
    "is the step of the whole kernels, however the first layer is cut",
    arguments: [
      Size(batch: 64, features: 20, classes: 4), Size(batch: 64, features: 200, classes: 21),
      Size(batch: 33, features: 1003, classes: 3), Size(batch: 16, features: 800, classes: 34),
      Size(batch: 2, features: 385, classes: 2),
    ])
  func plain(size: Size) {
    // A large eps keeps the first steps from depending on the sign of tiny gradients.
    let adam = Adam(learningRate: 0.01, eps: 1e-2, weightDecay: 0.01, decay: .decoupled)
    var plain = PixelMLP(featureCount: size.features, classCount: size.classes, random: Philox(seed: 1))
    var training = MemberTraining(plain, batch: size.batch, optimizer: adam)
    var moments: [AdamMoments] = []
    var random = Philox(seed: 2)
    for _ in 0..<3 {
      let x = random.normal(shape: [size.batch, size.features])
      let targets = (0..<size.batch).map { $0 % size.classes }
      let expected = plainStep(&plain, moments: &moments, adam: adam, x: x, targets: targets)
      #expect(abs(training.trainingStep(x: x, targets: targets).loss - expected) < 1e-4)
    }
    let trained = training.classifier
    expectClose(trained.linear0.weight, NaiveTensor(plain.linear0.weight), absolute: 1e-4)
    expectClose(trained.linear0.bias, NaiveTensor(plain.linear0.bias), absolute: 1e-4)
    expectClose(trained.linear6.weight, NaiveTensor(plain.linear6.weight), absolute: 1e-4)
    #expect(trained.batchesTracked == 3)
  }

  @Test("drops hidden units after each ReLU, others in every step", arguments: [Float(0.4), 0.9])
  func dropout(probability: Float) {
    let adam = Adam(learningRate: 0.01, eps: 1e-2, weightDecay: 0.01, decay: .decoupled)
    var plain = PixelMLP(featureCount: 40, classCount: 3, random: Philox(seed: 1))
    let masks = Philox(seed: 7)
    var training = MemberTraining(plain, batch: 24, optimizer: adam, dropout: probability, random: masks)
    var moments: [AdamMoments] = []
    var random = Philox(seed: 2)
    for step in 0..<4 as Range<UInt64> {
      let x = random.normal(shape: [24, 40])
      let targets = (0..<24).map { $0 % 3 }
      let expected = plainStep(&plain, moments: &moments, adam: adam, x: x, targets: targets) {
        layer, hidden in
        TensorCore.dropout(hidden, probability: probability, random: masks.split(step).split(layer))
      }
      #expect(abs(training.trainingStep(x: x, targets: targets).loss - expected) < 1e-4)
    }
    expectClose(training.classifier.linear0.weight, NaiveTensor(plain.linear0.weight), absolute: 1e-4)
    expectClose(training.classifier.linear3.weight, NaiveTensor(plain.linear3.weight), absolute: 1e-4)
    expectClose(training.classifier.norm5.runningMean, NaiveTensor(plain.norm5.runningMean), absolute: 1e-4)
  }

  @Test("running the next batch forward while the weight is updated changes no bit")
  func overlap() throws {
    let picture = LabelledFeatures(
      name: "a", features: randomFeatures(height: 12, width: 12, maps: [[250, 3, 3]]),
      labels: (0..<144).map { UInt8($0 / 48) })
    let dataset = try PixelDataset([picture], classCount: 3, ignoreLabel: 255)
    let random = Philox(seed: 3)
    let trained = try ClassifierTrainer(batchSize: 30, maxEpochs: 2).trainMember(
      4, on: dataset, random: random)

    let own = random.split(4)
    var training = MemberTraining(
      PixelMLP(featureCount: 500, classCount: 3, random: own.split(0)), batch: 30, optimizer: Adam())
    var batches = BatchSequence(batchSize: 30, random: own.split(1))
    for _ in 0..<2 * (dataset.count / 30) {
      let batch = batches.next(from: dataset)
      _ = training.trainingStep(
        x: dataset.features(ofRows: batch.rows.map { Int($0) }), targets: batch.targets)
    }
    #expect(training.classifier.linear0 == trained.linear0)
    #expect(training.classifier.linear6 == trained.linear6)
    #expect(training.classifier.norm5.runningVariance == trained.norm5.runningVariance)
  }
}

@Suite("Batches of a training")
struct BatchSequenceTests {
  /// Pixels whose only feature is their number.
  private func numbered(_ count: Int) throws -> PixelDataset {
    let map = FeatureMap(
      FeatureKey("step0/block0", order: 0),
      activation: Tensor((0..<count).map(Float.init), shape: [1, 1, count, 1]))
    return try PixelDataset(
      [
        LabelledFeatures(
          name: "a", features: FeatureMaps(maps: [map], height: 1, width: count),
          labels: (0..<count).map { UInt8($0 % 7) })
      ], classCount: 7, ignoreLabel: 255, smallestAnnotation: 0)
  }

  private func epochs(_ count: Int, batchSize: Int, epochs: Int, seed: UInt64 = 5) throws -> [[Int]] {
    let dataset = try numbered(count)
    var batches = BatchSequence(batchSize: batchSize, random: Philox(seed: seed))
    return (0..<epochs).map { _ in
      (0..<count / batchSize).flatMap { _ in
        let batch = batches.next(from: dataset)
        let numbers = batch.rows.map { Int($0) }
        #expect(numbers.count == batchSize && batch.targets == numbers.map { $0 % 7 })
        return numbers
      }
    }
  }

  @Test(
    "an epoch takes whole batches of different rows and drops the rest",
    arguments: [(100, 10), (103, 10), (7, 7)])
  func wholeBatches(count: Int, batchSize: Int) throws {
    for rows in try epochs(count, batchSize: batchSize, epochs: 3) {
      #expect(rows.count == count / batchSize * batchSize && Set(rows).count == rows.count)
    }
  }

  @Test("every epoch has an order of its own, which the generator fixes")
  func orders() throws {
    let first = try epochs(100, batchSize: 10, epochs: 3)
    #expect(Set(first).count == 3)
    #expect(first[0] != Array(0..<100) && first[0] != Array((0..<100).reversed()))
    #expect(try epochs(100, batchSize: 10, epochs: 3) == first)
    #expect(try epochs(100, batchSize: 10, epochs: 3, seed: 6) != first)
  }

  @Test("every row comes first equally often")
  func fairness() throws {
    let firsts = try epochs(10, batchSize: 10, epochs: 5000).map { $0[0] }
    let counts = (0..<10).map { row in firsts.count { $0 == row } }
    // Expected 500 with a deviation of 21.
    #expect(counts.allSatisfy { abs($0 - 500) < 110 })
  }

  @Test("another dataset starts an order of its own, the same one goes on")
  func datasets() throws {
    let (large, small) = (try numbered(40), try numbered(30))
    var batches = BatchSequence(batchSize: 10, random: Philox(seed: 9))
    let first = (0..<2).flatMap { _ in batches.next(from: large).rows }
    let other = (0..<3).flatMap { _ in batches.next(from: small).rows }
    #expect(Set(first).count == 20 && Set(other) == Set(0..<30))
    let whole = (0..<3).flatMap { _ in batches.next(from: small).rows }
    #expect(Set(whole) == Set(0..<30) && whole != other)
  }
}
