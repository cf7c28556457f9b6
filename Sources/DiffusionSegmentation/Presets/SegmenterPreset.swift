import Augment
import Base
import Features
import PixelClassifier
import TensorCore

/// A named way to train a segmenter and to predict with it: the experiments of the report, and what we recommend.
public struct SegmenterPreset: Sendable, Hashable, Identifiable {
  public var id: String
  /// What it is, in a few words.
  public var summary: String
  /// Changes to the pictures that it is trained on too.
  public var augmentation: AugmentationSchedule?
  /// Epochs before early stopping is armed.
  public var epochs: Int
  /// Decoupled weight decay (AdamW); nil for Adam without any.
  public var weightDecay: Double?
  public var dropout: Float
  public var schedule: LearningRateSchedule
  /// What is done to the vectors of pixels first.
  public var preparation: FeaturePreparation
  /// Noises that features are averaged over, of models that see pictures under one.
  public var noiseCount: Int
  /// Classifiers that vote.
  public var members: Int
  public var prediction: PredictionSettings

  public init(
    _ id: String, _ summary: String, augmentation: AugmentationSchedule? = nil, epochs: Int = 4,
    weightDecay: Double? = nil, dropout: Float = 0, schedule: LearningRateSchedule = .constant,
    preparation: FeaturePreparation = .none, noiseCount: Int = 1, members: Int = 10,
    prediction: PredictionSettings = .init()
  ) {
    (self.id, self.summary, self.augmentation, self.epochs) = (id, summary, augmentation, epochs)
    (self.weightDecay, self.dropout, self.schedule) = (weightDecay, dropout, schedule)
    (self.preparation, self.noiseCount, self.members) = (preparation, noiseCount, members)
    self.prediction = prediction
  }

  /// All presets: the reference's method, the report's experiments, and our own.
  public static let all: [SegmenterPreset] = [
    SegmenterPreset("init", "the reference's method"),
    SegmenterPreset("init-11", "the same for longer", epochs: 11),
    SegmenterPreset(
      "morphology", "init, and an opening of the label numbers",
      prediction: .init(postProcessing: .reportOpening)),
    SegmenterPreset("augs", "changed copies of the pictures", augmentation: AugmentationSchedule()),
    SegmenterPreset("augs-11", "the same for longer", augmentation: AugmentationSchedule(), epochs: 11),
    SegmenterPreset(
      "anti-overfit", "augs-11 with AdamW and dropout", augmentation: AugmentationSchedule(), epochs: 11,
      weightDecay: 1e-4,
      dropout: 0.4),
    SegmenterPreset(
      "final", "anti-overfit and test-time augmentation", augmentation: AugmentationSchedule(), epochs: 11,
      weightDecay: 1e-4,
      dropout: 0.4, prediction: .init(testTime: .report)),
    // Chosen by cross-validation on training pictures alone, see docs/presets.md.
    SegmenterPreset(
      "best", "ours: features averaged over a noise and its negative, mirror images at test time", epochs: 8,
      weightDecay: 0.1, schedule: .cosine, preparation: .standardized, noiseCount: 2,
      prediction: .init(testTime: .flip, combination: .mean)),
    SegmenterPreset(
      "quick", "ours: between init and best, in a fraction of the time, on principal components", epochs: 6,
      weightDecay: 0.1, schedule: .cosine, preparation: .principalComponents(128, whitened: false),
      prediction: .init(testTime: .flip, combination: .mean)),
  ]

  /// The preset of this name.
  /// - Throws: `DataError` that lists the names there are.
  public static func named(_ name: String) throws(DataError) -> SegmenterPreset {
    guard let preset = all.first(where: { $0.id == name }) else {
      throw DataError(
        .invalidArgument, file: "preset", expected: all.map(\.id).joined(separator: ", "), found: name)
    }
    return preset
  }

  /// The features that the preset wants, from the same activations.
  public func features(_ features: any PixelFeatures) -> any PixelFeatures {
    features.redrawn(seed: nil, draws: noiseCount)
  }

  /// Says which settings have no effect on some features.
  public func noteIneffective(for features: any PixelFeatures, notices: Notices) {
    guard noiseCount > 1 else { return }
    for model in features.models where !model.drawsNoise {
      notices.add(
        .ignored, file: model.origin.path, item: "noises \(noiseCount) of preset \(id)",
        "features of \(model.record.kind) draw no noise")
    }
  }

  /// Puts the preset's settings into options; batch, seed and the like stay as they are.
  public func apply(to options: inout SegmenterOptions) {
    options.members = members
    options.epochs = epochs
    options.augmentation = augmentation
    options.dropout = dropout
    options.schedule = schedule
    options.preparation = preparation
    options.optimizer.weightDecay = weightDecay ?? 0
    options.optimizer.decay = weightDecay == nil ? .inGradient : .decoupled
  }
}
