import DiffusionSegmentation
import Foundation

/// A way to tell the parts of a creature apart: vectors for the pixels, and classifiers that are trained on them.
/// The classifiers are the same for all; the vectors differ.
package struct Contender: Sendable {
  /// As the table calls it.
  package let name: String
  /// What the vectors are, in a few words.
  package let summary: String
  private let features: @Sendable (SyntheticScene) throws(DataError) -> FeatureMaps

  /// Activations of a diffusion model.
  package static func diffusion(_ features: DiffusionFeatures) -> Contender {
    let steps = features.steps.map { "\($0)" }.joined(separator: ", ")
    let blocks = features.blocks.map { "\($0)" }.joined(separator: ", ")
    return Contender(
      name: "diffusion features",
      summary: "\(features.channels) activations of the U-Net: steps \(steps), decoder blocks \(blocks)"
    ) { (scene) throws(DataError) in
      try features.extract(scene.image.tensor(normalization: .ddpm))
    }
  }

  /// The two that know nothing but the picture.
  package static let baselines = [
    Contender(name: "RGB and position", summary: "5 numbers: the pixel's colour and place") {
      ColorFeatures.colorAndPosition.maps(of: $0.image)
    },
    Contender(name: "patch and position", summary: patchSummary) { ColorFeatures.patches.maps(of: $0.image) },
  ]
  private static let patchSummary =
    "164 numbers: colours blurred at four scales, local contrast at three, all colours of the 7×7 patch, the place"

  private init(
    name: String, summary: String,
    features: @escaping @Sendable (SyntheticScene) throws(DataError) -> FeatureMaps
  ) {
    self.name = name
    self.summary = summary
    self.features = features
  }
}

extension Contender {
  /// What came of a contender.
  package struct Outcome: Sendable {
    package var ensemble: PixelEnsemble
    /// One a test scene.
    package var predictions: [PixelPrediction]
    /// One a test scene.
    package var matrices: [ConfusionMatrix]
    /// Time that the training took, features included.
    package var trainingSeconds: Double
    /// Time that features and labels of a test scene took.
    package var secondsAScene: Double
  }

  /// Trains on some scenes and labels others.
  package func run(
    training: [SyntheticScene], test: [SyntheticScene], options: SegmenterOptions,
    progress: @escaping @Sendable (SegmenterProgress) -> Void = { _ in }
  ) throws(DataError) -> Outcome {
    let classes = SyntheticScenes.classes
    let start = ContinuousClock.now
    var labelled: [LabelledFeatures] = []
    for (index, scene) in training.enumerated() {
      labelled.append(
        LabelledFeatures(
          name: "training scene \(index)", features: try features(scene), labels: scene.mask.labels))
      progress(.features(done: index + 1, of: training.count))
    }
    let ensemble = try options.trainEnsemble(on: labelled, classes: classes) {
      progress(.training($0, members: options.members))
    }
    let trained = ContinuousClock.now
    var (predictions, matrices) = ([PixelPrediction](), [ConfusionMatrix]())
    for scene in test {
      let prediction = try ensemble.predict(try features(scene))
      var matrix = ConfusionMatrix(classCount: classes.count, ignoreLabel: classes.ignoreLabel)
      matrix.add(truth: scene.mask.labels, prediction: prediction.labels)
      predictions.append(prediction)
      matrices.append(matrix)
    }
    return Outcome(
      ensemble: ensemble, predictions: predictions, matrices: matrices,
      trainingSeconds: (trained - start) / .seconds(1),
      secondsAScene: (ContinuousClock.now - trained) / .seconds(1) / Double(test.count))
  }
}
