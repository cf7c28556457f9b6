import Augment
import Base
import Features
import Images
import PixelClassifier
import TensorCore

/// How a segmenter is trained. The defaults are those of the reference.
public struct SegmenterOptions: Sendable, Equatable {
  /// Classifiers that vote.
  public var members: Int
  /// Full passes over the labelled pixels before early stopping is armed. With growth, as many iterations as passes
  /// over all pixels of the original pictures have.
  public var epochs: Int
  /// Most passes.
  public var maxEpochs: Int
  /// Pixels in a batch.
  public var batchSize: Int
  public var optimizer: Adam
  public var schedule: LearningRateSchedule
  /// Probability with which a hidden unit is dropped, after each ReLU.
  public var dropout: Float
  /// Changed copies of the pictures to train on too; nil for the pictures alone.
  public var augmentation: AugmentationSchedule?
  /// What is done to the vectors of pixels first.
  public var preparation: FeaturePreparation
  /// Seed of initial weights and of the order of pixels.
  public var seed: UInt64
  /// How pictures that are not square, or of another size, are brought to the network.
  public var fit: ImageFit
  /// How labels are brought to the network's resolution.
  public var maskResampling: MaskResampling
  /// How features are kept: `.half` takes half the memory.
  public var featurePrecision: FeaturePrecision
  /// A class with fewer pixels than this in a picture is ignored there.
  public var smallestAnnotation: Int
  /// Most labelled pixels of a picture that is cut into tiles to train on, drawn at random; of others all are.
  public var pixelsPerPicture: Int

  public init(
    members: Int = 10, epochs: Int = 4, maxEpochs: Int = 100, batchSize: Int = 64, optimizer: Adam = Adam(),
    schedule: LearningRateSchedule = .constant, dropout: Float = 0, augmentation: AugmentationSchedule? = nil,
    preparation: FeaturePreparation = .none, seed: UInt64 = 0, fit: ImageFit = .pad,
    maskResampling: MaskResampling = .nearest, featurePrecision: FeaturePrecision = .float,
    smallestAnnotation: Int = 20, pixelsPerPicture: Int = 4096
  ) {
    self.members = members
    self.epochs = epochs
    self.maxEpochs = maxEpochs
    self.batchSize = batchSize
    self.optimizer = optimizer
    self.schedule = schedule
    self.dropout = dropout
    self.augmentation = augmentation
    self.preparation = preparation
    self.seed = seed
    self.fit = fit
    self.maskResampling = maskResampling
    self.featurePrecision = featurePrecision
    self.smallestAnnotation = smallestAnnotation
    self.pixelsPerPicture = pixelsPerPicture
  }
}

extension SegmenterOptions {
  /// Trains the classifiers on the vectors of labelled pixels, wherever these vectors come from, without growth.
  /// - Throws: `DataError` when labels do not fit, there are too few, or a loss is no longer finite.
  package func trainEnsemble(
    on pictures: [LabelledFeatures], classes: ClassList,
    progress: @escaping ClassifierTrainer.ProgressHandler
  ) throws(DataError) -> PixelEnsemble {
    let dataset = try dataset(pictures, classes: classes)
    let projection = try projection(of: dataset)
    let ensemble = try trainer(iterationsPerEpoch: nil).trainEnsemble(
      memberCount: members, on: projection.map(dataset.projected(by:)) ?? dataset, random: Philox(seed: seed),
      progress: progress)
    return try ensemble.absorbing(projection)
  }

  /// What prepares the vectors; nil for vectors as they are.
  func projection(of dataset: PixelDataset) throws(DataError) -> FeatureProjection? {
    try FeatureProjection(preparation, of: dataset, random: Philox(seed: seed).split(.projection))
  }

  func dataset(_ pictures: [LabelledFeatures], classes: ClassList) throws(DataError) -> PixelDataset {
    try PixelDataset(
      pictures, classCount: classes.count, ignoreLabel: classes.ignoreLabel,
      // Of pictures that are cut into tiles, before pixels are drawn.
      smallestAnnotation: fit.tiling == nil ? smallestAnnotation : 0)
  }

  func trainer(iterationsPerEpoch: Int?) -> ClassifierTrainer {
    ClassifierTrainer(
      batchSize: batchSize, optimizer: optimizer, schedule: schedule, dropout: dropout,
      // A learning rate that falls to 0 leaves nothing to wait for.
      maxEpochs: schedule == .cosine ? max(epochs, 1) : maxEpochs, iterationsPerEpoch: iterationsPerEpoch,
      earlyStopping: EarlyStopping(firstCountedEpoch: epochs))
  }
}

/// What a training is doing.
public enum SegmenterProgress: Sendable {
  /// The features of this many pictures are extracted, changed copies included.
  case features(done: Int, of: Int)
  /// A member finished an iteration. Members are trained at the same time.
  case training(TrainingProgress, members: Int)
}

extension PixelEnsemble {
  /// The ensemble for vectors as they are, of one for prepared ones.
  func absorbing(_ projection: FeatureProjection?) throws(DataError) -> PixelEnsemble {
    guard let projection else { return self }
    return try PixelEnsemble(members.map { $0.absorbing(projection) })
  }
}
