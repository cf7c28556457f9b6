import Augment
import Base
import Features
import Foundation
import Images
import PixelClassifier
import TensorCore

extension SegmenterRecord.Prediction {
  init(_ settings: PredictionSettings) {
    testTime = settings.testTime?.rawValue
    combination = settings.combination.rawValue
    postProcessing = settings.postProcessing.description
    seed = settings.seed
  }

  /// - Throws: `DataError` for a name that this version does not know.
  func settings(file: String) throws(DataError) -> PredictionSettings {
    PredictionSettings(
      testTime: try testTime.map { (name) throws(DataError) in try known(name, "testTime", file) },
      combination: try known(combination, "combination", file),
      postProcessing: try PostProcessing(postProcessing), seed: seed)
  }
}

extension SegmenterRecord.Training {
  init(_ options: SegmenterOptions) {
    epochs = options.epochs
    maxEpochs = options.maxEpochs
    batchSize = options.batchSize
    learningRate = options.optimizer.learningRate
    weightDecay = options.optimizer.weightDecay
    decoupledDecay = options.optimizer.decay == .decoupled
    schedule = options.schedule.rawValue
    dropout = options.dropout
    growth = options.augmentation.map {
      SegmenterRecord.Growth(
        factor: $0.factor, preset: $0.preset.rawValue, probability: $0.probability, isRedrawn: $0.isRedrawn)
    }
    preparation = options.preparation == .none ? nil : options.preparation.description
    seed = options.seed
    smallestAnnotation = options.smallestAnnotation
    pixelsPerPicture = options.fit.tiling == nil ? nil : options.pixelsPerPicture
  }

  /// - Throws: `DataError` for a name that this version does not know.
  func options(
    members: Int, fit: ImageFit, maskResampling: MaskResampling, featurePrecision: FeaturePrecision,
    file: String
  ) throws(DataError) -> SegmenterOptions {
    SegmenterOptions(
      members: members, epochs: epochs, maxEpochs: maxEpochs, batchSize: batchSize,
      optimizer: Adam(
        learningRate: learningRate, weightDecay: weightDecay, decay: decoupledDecay ? .decoupled : .inGradient
      ),
      schedule: try known(schedule, "schedule", file), dropout: dropout,
      augmentation: try growth.map { (growth) throws(DataError) in
        AugmentationSchedule(
          factor: growth.factor, preset: try known(growth.preset, "preset", file),
          probability: growth.probability,
          isRedrawn: growth.isRedrawn)
      },
      preparation: try preparation.map { (text) throws(DataError) in try FeaturePreparation(text) } ?? .none,
      seed: seed, fit: fit,
      maskResampling: maskResampling, featurePrecision: featurePrecision,
      smallestAnnotation: smallestAnnotation,
      pixelsPerPicture: pixelsPerPicture ?? SegmenterOptions().pixelsPerPicture)
  }
}

/// The value of a name in a file.
/// - Throws: `DataError` that lists the names there are.
func known<Name: RawRepresentable<String> & CaseIterable>(
  _ name: String, _ item: String, _ file: String
) throws(DataError) -> Name {
  guard let value = Name(rawValue: name) else {
    throw DataError(
      .malformed, file: file, item: item, expected: Name.allCases.map(\.rawValue).joined(separator: ", "),
      found: name)
  }
  return value
}
