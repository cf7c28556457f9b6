import Augment
import PixelClassifier
import TensorCore

/// How a segmenter is trained. The defaults are those of the reference.
public struct SegmenterOptions: Sendable, Equatable {
  /// Classifiers that vote.
  public var members: Int
  /// Full passes over the labelled pixels before early stopping is armed.
  public var epochs: Int
  /// Most passes.
  public var maxEpochs: Int
  /// Pixels in a batch.
  public var batchSize: Int
  public var optimizer: Adam
  /// Seed of initial weights and of the order of pixels.
  public var seed: UInt64
  /// How pictures that are not square, or of another size, are brought to the network.
  public var fit: ImageFit
  /// A class with fewer pixels than this in a picture is ignored there.
  public var smallestAnnotation: Int

  public init(
    members: Int = 10, epochs: Int = 4, maxEpochs: Int = 100, batchSize: Int = 64, optimizer: Adam = Adam(),
    seed: UInt64 = 0, fit: ImageFit = .pad, smallestAnnotation: Int = 20
  ) {
    self.members = members
    self.epochs = epochs
    self.maxEpochs = maxEpochs
    self.batchSize = batchSize
    self.optimizer = optimizer
    self.seed = seed
    self.fit = fit
    self.smallestAnnotation = smallestAnnotation
  }
}

extension SegmenterOptions {
  /// Trains the classifiers on the vectors of labelled pixels, wherever these vectors come from.
  /// - Throws: `DataError` when labels do not fit, there are too few, or a loss is no longer finite.
  package func trainEnsemble(
    on pictures: [LabelledFeatures], classes: ClassList,
    progress: @escaping ClassifierTrainer.ProgressHandler
  ) throws(DataError) -> PixelEnsemble {
    let dataset = try PixelDataset(
      pictures, classCount: classes.count, ignoreLabel: classes.ignoreLabel,
      smallestAnnotation: smallestAnnotation)
    let trainer = ClassifierTrainer(
      batchSize: batchSize, optimizer: optimizer, maxEpochs: maxEpochs,
      earlyStopping: EarlyStopping(firstCountedEpoch: epochs))
    return try trainer.trainEnsemble(
      memberCount: members, on: dataset, random: Philox(seed: seed), progress: progress)
  }
}

/// What a training is doing.
public enum SegmenterProgress: Sendable {
  /// The features of this many pictures are extracted.
  case features(done: Int, of: Int)
  /// A member finished an iteration. Members are trained at the same time.
  case training(TrainingProgress, members: Int)
}
