import Base
import DiffusionSegmentation
import Features
import Foundation
import Images
import PixelClassifier
import SyntheticScenes

/// A way to tell the parts of a creature apart: vectors for the pixels, and classifiers that are trained on them.
/// The classifiers are the same for all; the vectors differ.
package struct Contender: Sendable {
  /// As the table calls it.
  package let name: String
  /// What the vectors are, in a few words.
  package let summary: String
  private let features: @Sendable (SyntheticScene) throws(DataError) -> FeatureMaps
  /// What the classifiers say of a scene.
  private let label: @Sendable (PixelEnsemble, SyntheticScene) throws(DataError) -> ScenePrediction

  /// Activations of a diffusion model.
  /// - Parameter prediction: how labels come from what the classifiers say
  package static func diffusion(
    _ features: any PixelFeatures, prediction: PredictionSettings = .init()
  ) -> Contender {
    let selection = features.models[0].record.selection
    func list(_ key: String) -> String { (selection[key] ?? "").replacing(",", with: ", ") }
    let versions = prediction.testTime == .flip ? ", and the mirror image's" : ""
    return Contender(
      name: "diffusion features",
      summary:
        "\(features.channels) activations of the U-Net: steps \(list("steps")), decoder blocks \(list("blocks"))\(versions)",
      features: { (scene) throws(DataError) in
        try features.extract(
          scene.image.tensor(normalization: features.input.normalization), FeatureContext())
      },
      label: { (ensemble, scene) throws(DataError) in
        let segmentation = try Segmenter(
          ensemble: ensemble, classes: SyntheticScenes.classes, features: features, prediction: prediction
        ).segment(scene.image)
        return ScenePrediction(labels: segmentation.labels, uncertainty: segmentation.uncertainty)
      })
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

  /// Labels come from the features alone.
  private init(
    name: String, summary: String,
    features: @escaping @Sendable (SyntheticScene) throws(DataError) -> FeatureMaps
  ) {
    self.init(name: name, summary: summary, features: features) { (ensemble, scene) throws(DataError) in
      let prediction = try ensemble.predict(try features(scene))
      return ScenePrediction(labels: LabelMask(prediction), uncertainty: prediction.uncertainty)
    }
  }

  private init(
    name: String, summary: String,
    features: @escaping @Sendable (SyntheticScene) throws(DataError) -> FeatureMaps,
    label: @escaping @Sendable (PixelEnsemble, SyntheticScene) throws(DataError) -> ScenePrediction
  ) {
    self.name = name
    self.summary = summary
    self.features = features
    self.label = label
  }
}

/// What is said of a scene.
package struct ScenePrediction: Sendable {
  package var labels: LabelMask
  /// Disagreement of the classifiers about each pixel, in nats.
  package var uncertainty: [Float]
}

extension Contender {
  /// Result of a contender.
  package struct Outcome: Sendable {
    package var ensemble: PixelEnsemble
    /// One a test scene.
    package var predictions: [ScenePrediction]
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
    progress: @escaping Segmenter.ProgressHandler = { _ in }
  ) throws(DataError) -> Outcome {
    let classes = SyntheticScenes.classes
    let start = ContinuousClock.now
    var labelled: [LabelledFeatures] = []
    for (index, scene) in training.enumerated() {
      labelled.append(
        LabelledFeatures(
          name: "training scene \(index)", features: try features(scene), labels: scene.mask.labels))
      try Cancellation.check()
      try progress(.features(done: index + 1, of: training.count))
    }
    let ensemble = try options.trainEnsemble(on: labelled, classes: classes) {
      (step) throws(DataError) in try progress(.training(step, members: options.members))
    }
    let trained = ContinuousClock.now
    var (predictions, matrices) = ([ScenePrediction](), [ConfusionMatrix]())
    for scene in test {
      let prediction = try label(ensemble, scene)
      var matrix = ConfusionMatrix(classCount: classes.count, ignoreLabel: classes.ignoreLabel)
      matrix.add(truth: scene.mask.labels, prediction: prediction.labels.labels)
      predictions.append(prediction)
      matrices.append(matrix)
    }
    return Outcome(
      ensemble: ensemble, predictions: predictions, matrices: matrices,
      trainingSeconds: (trained - start) / .seconds(1),
      secondsAScene: (ContinuousClock.now - trained) / .seconds(1) / Double(test.count))
  }
}
