import Base
import DiffusionSegmentation
import Features
import PixelClassifier
import Synchronization
import TensorCore

/// Training of pixel classifiers, 64 pixels an iteration, on the pixels of one picture.
public struct ClassifierTraining: Sendable {
  public let dataset: PixelDataset
  private let random: Philox

  public static let batchSize = 64

  /// - Parameters:
  ///   - features: of the picture
  ///   - labels: one a pixel; 255 for those that are left out
  public init(
    features: FeatureMaps, labels: [UInt8], classes: Int, seed: UInt64 = 1
  ) throws(DataError) {
    dataset = try PixelDataset(
      [LabelledFeatures(name: "picture", features: features, labels: labels)], classCount: classes,
      ignoreLabel: 255, smallestAnnotation: 0)
    random = Philox(seed: seed)
  }

  /// 8448 random features a pixel, 21 classes, some labelled pixels: `iterations` batches an epoch.
  public init(iterations: Int, seed: UInt64 = 1) throws(DataError) {
    let features = randomFeatures(seed: seed)
    var random = Philox(seed: seed).split(3)
    var labels = [UInt8](repeating: 255, count: features.pixelCount)
    for pixel in random.shuffled(Array(labels.indices)).prefix(iterations * Self.batchSize) {
      labels[pixel] = UInt8(random.integer(below: 21))
    }
    try self.init(features: features, labels: labels, classes: 21, seed: seed)
  }

  /// Iterations of an epoch.
  public var iterations: Int { dataset.count / Self.batchSize }

  /// Weights that a member starts from.
  public func initialClassifier(member: Int = 0) -> PixelMLP {
    PixelMLP(
      featureCount: dataset.featureCount, classCount: dataset.classCount,
      random: random.split(UInt64(member)).split(0))
  }

  /// One member, with the loss of each iteration and the moment at which it was done.
  public func trainMember(
    epochs: Int
  ) throws(DataError) -> (classifier: PixelMLP, losses: [Float], ends: [ContinuousClock.Instant]) {
    let record = Mutex((losses: [Float](), ends: [ContinuousClock.Instant]()))
    let classifier = try trainer(epochs: epochs).trainMember(0, on: dataset, random: random) { progress in
      record.withLock {
        $0.losses.append(progress.loss)
        $0.ends.append(.now)
      }
    }
    let (losses, ends) = record.withLock { $0 }
    return (classifier, losses, ends)
  }

  /// Several members, an epoch of each.
  public func trainMembers(_ count: Int) throws(DataError) -> PixelEnsemble {
    try trainer(epochs: 1).trainEnsemble(memberCount: count, on: dataset, random: random)
  }

  /// Runs all epochs: it never stops early.
  private func trainer(epochs: Int) -> ClassifierTrainer {
    ClassifierTrainer(
      batchSize: Self.batchSize, maxEpochs: epochs,
      earlyStopping: EarlyStopping(firstCountedEpoch: epochs))
  }
}
