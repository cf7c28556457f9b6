import Base
import Features
import PixelClassifier
import Synchronization
import TensorCore
import TestSupport
import Testing

@Suite("Training of classifiers")
struct TrainingTests {
  private func dataset() throws -> PixelDataset {
    try PixelDataset(separablePictures(), classCount: 3, ignoreLabel: 255)
  }

  private func bits(_ ensemble: PixelEnsemble) -> [[UInt32]] {
    ensemble.members.flatMap { member in
      [
        member.linear0.weight, member.linear0.bias, member.norm2.weight, member.norm2.runningVariance,
        member.linear3.weight, member.norm5.bias, member.linear6.weight, member.linear6.bias,
      ].map { $0.elements.map(\.bitPattern) }
    }
  }

  @Test("learns classes that the features tell apart")
  func learns() throws {
    let dataset = try dataset()
    let trainer = ClassifierTrainer(maxEpochs: 20)
    let member = try trainer.trainMember(0, on: dataset, random: Philox(seed: 1))
    let logits = member.logits(dataset.features(ofRows: Array(0..<dataset.count)))
    let right = (0..<dataset.count).count { row in
      let values = (0..<3).map { logits[row, $0] }
      return values.firstIndex(of: values.max()!) == Int(dataset.targets[row])
    }
    #expect(Double(right) / Double(dataset.count) > 0.98)
    #expect(member.batchesTracked == 20 * (dataset.count / 64))
  }

  @Test("the same bits with any number of threads", arguments: [1, 3])
  func threads(members: Int) throws {
    let dataset = try dataset()
    let trainer = ClassifierTrainer(maxEpochs: 3)
    let results = try withThreadCounts([1, 2, 3, 5]) {
      bits(try trainer.trainEnsemble(memberCount: members, on: dataset, random: Philox(seed: 2)))
    }
    #expect(results.allSatisfy { $0 == results[0] })
  }

  @Test("a wide first layer of several blocks gives the same bits with any number of threads")
  func wideThreads() throws {
    // 2 · 500 features: three blocks of the first layer.
    let pictures = [
      LabelledFeatures(
        name: "wide", features: randomFeatures(height: 16, width: 16, maps: [[500, 4, 4]], precision: .half),
        labels: (0..<256).map { UInt8($0 / 64) })
    ]
    let dataset = try PixelDataset(pictures, classCount: 4, ignoreLabel: 255)
    let trainer = ClassifierTrainer(maxEpochs: 2)
    let results = try withThreadCounts([1, 2, 3, 5]) {
      bits(try trainer.trainEnsemble(memberCount: 1, on: dataset, random: Philox(seed: 3)))
    }
    #expect(results.allSatisfy { $0 == results[0] })
  }

  @Test("members differ from each other, and a member does not depend on the others")
  func members() throws {
    let dataset = try dataset()
    let trainer = ClassifierTrainer(maxEpochs: 1)
    let ensemble = try trainer.trainEnsemble(memberCount: 3, on: dataset, random: Philox(seed: 4))
    #expect(ensemble.members[0].linear0.weight != ensemble.members[1].linear0.weight)
    let alone = try trainer.trainMember(2, on: dataset, random: Philox(seed: 4))
    #expect(alone.linear0.weight == ensemble.members[2].linear0.weight)
    #expect(alone.linear6.bias == ensemble.members[2].linear6.bias)
  }

  @Test("progress counts every iteration of every member, never two at once")
  func progress() throws {
    let dataset = try dataset()
    let perEpoch = dataset.count / 64
    let log = Mutex<[TrainingProgress]>([])
    let inside = Atomic<Int>(0)
    _ = try ClassifierTrainer(maxEpochs: 2).trainEnsemble(
      memberCount: 3, on: dataset, random: Philox(seed: 5)
    ) {
      #expect(inside.add(1, ordering: .relaxed).newValue == 1)
      log.withLock { [step = $0] in $0.append(step) }
      _ = inside.subtract(1, ordering: .relaxed)
    }
    for member in 0..<3 {
      let steps = log.withLock { $0 }.filter { $0.member == member }
      #expect(steps.map(\.iteration) == Array(1...2 * perEpoch))
      #expect(steps.map(\.epoch) == (0..<2 * perEpoch).map { $0 / perEpoch })
      #expect(steps.allSatisfy { $0.iterationsPerEpoch == perEpoch && $0.loss.isFinite })
      #expect(steps.allSatisfy { (0...1).contains($0.accuracy) })
    }
  }

  @Test("stops early when the loss no longer falls")
  func stopsEarly() throws {
    let dataset = try dataset()
    let count = Mutex(0)
    _ = try ClassifierTrainer(
      optimizer: Adam(learningRate: 0), maxEpochs: 50,
      earlyStopping: EarlyStopping(patience: 3, firstCountedEpoch: 1)
    ).trainMember(0, on: dataset, random: Philox(seed: 6)) { _ in count.withLock { $0 += 1 } }
    #expect(count.withLock { $0 } < 4 * (dataset.count / 64))
  }

  @Test("too few pixels, a batch of one and no epochs are refused")
  func refused() throws {
    let dataset = try dataset()
    let error = #expect(throws: DataError.self) {
      try ClassifierTrainer(batchSize: dataset.count + 1).trainEnsemble(on: dataset, random: Philox(seed: 0))
    }
    #expect(
      error?.kind == .invalidArgument && error?.expected.contains("at least \(dataset.count + 1)") == true)
    for trainer in [ClassifierTrainer(batchSize: 1), ClassifierTrainer(maxEpochs: 0)] {
      #expect(throws: DataError.self) { try trainer.trainMember(0, on: dataset, random: Philox(seed: 0)) }
    }
    #expect(throws: DataError.self) {
      try ClassifierTrainer().trainEnsemble(memberCount: 0, on: dataset, random: Philox(seed: 0))
    }
  }

  @Test("a batch of all pixels works, and so does one of two")
  func batchSizes() throws {
    let dataset = try dataset()
    for size in [2, dataset.count] {
      let member = try ClassifierTrainer(batchSize: size, maxEpochs: 1).trainMember(
        0, on: dataset, random: Philox(seed: 7))
      #expect(member.batchesTracked == dataset.count / size)
    }
  }

  @Test("features that are not finite end in an error, not in a broken classifier")
  func diverges() {
    var activation = Tensor(repeating: 1, shape: [2, 12, 12])
    activation[1, 5, 5] = .nan
    let picture = LabelledFeatures(
      name: "broken",
      features: FeatureMaps(
        maps: [FeatureMap(FeatureKey("step0/block0", order: 0), activation: channelsLast(activation))],
        height: 12, width: 12),
      labels: (0..<144).map { UInt8($0 % 2) })
    let error = #expect(throws: DataError.self) {
      let dataset = try PixelDataset([picture], classCount: 2, ignoreLabel: 255)
      _ = try ClassifierTrainer(batchSize: 144, maxEpochs: 2).trainEnsemble(
        memberCount: 2, on: dataset, random: Philox(seed: 8))
    }
    #expect(error?.expected == "a finite loss" && error?.item == "member 0, iteration 1")
  }

  @Test(
    "trains as the reference trains, from the same weights on the same batches", arguments: ["adam", "adamw"])
  func reference(optimizer: String) throws {
    let id = "classifier_train_\(optimizer)"
    func weight(_ name: String) throws -> Tensor { try Golden.tensor("\(id)/in/w.layers.\(name)") }
    func layer(_ index: Int) throws -> LinearParameters {
      LinearParameters(weight: try weight("\(index).weight"), bias: try weight("\(index).bias"))
    }
    func norm(_ index: Int) throws -> BatchNorm1dState {
      BatchNorm1dState(
        weight: try weight("\(index).weight"), bias: try weight("\(index).bias"),
        runningMean: try weight("\(index).running_mean"), runningVariance: try weight("\(index).running_var"))
    }
    let initial = PixelMLP(
      linear0: try layer(0), norm2: try norm(2), linear3: try layer(3), norm5: try norm(5),
      linear6: try layer(6))
    let (x, y) = (try Golden.tensor("\(id)/in/x"), try Golden.ints("\(id)/in/y"))
    let batches = try Golden.ints("\(id)/in/batch_index")
    var training = MemberTraining(
      initial, batch: 64,
      optimizer: optimizer == "adam" ? Adam() : Adam(weightDecay: 1e-4, decay: .decoupled))
    let outcomes = (0..<200).map { iteration in
      let rows = batches[iteration * 64..<(iteration + 1) * 64]
      return training.trainingStep(x: stack(rows.map { x.slice($0) }), targets: rows.map { y[$0] })
    }
    func expect(_ found: [Float], _ output: String, absolute: Double) throws {
      let expected = NaiveTensor(try Golden.tensor("\(id)/out/\(output)"))
      expectClose(Tensor(found, shape: expected.shape), expected, absolute: absolute)
    }
    // Later on a ReLU input within rounding of zero may make correct implementations drift apart.
    try expect(outcomes.prefix(40).map(\.loss), "losses_first_40", absolute: 1e-4)
    try expect(outcomes.map(\.loss), "losses", absolute: 0.05)
    try expect(outcomes.map { $0.accuracy * 100 }, "accuracy_percent", absolute: 4.6975)
    let trained = training.classifier
    try expect(trained.norm2.runningMean.elements, "bn1_running_mean_after", absolute: 0.05)
    try expect(trained.norm2.runningVariance.elements, "bn1_running_var_after", absolute: 0.05)
    try expect(trained.norm5.runningVariance.elements, "bn2_running_var_after", absolute: 0.05)
    let probe = stack((0..<64).map { x.slice($0) })
    try expect(trained.logits(probe).elements, "probe_logits_after", absolute: 1)
    #expect(trained.batchesTracked == 200)
  }
}
