import Demo
import DiffusionSegmentation
import Synchronization
import TestSupport
import Testing

struct ContenderTests {
  private static func scenes(_ numbers: Range<Int>) -> [SyntheticScene] {
    numbers.map { SyntheticScenes(seed: 7, imageSize: 32).scene($0) }
  }
  private static let options = SegmenterOptions(members: 2, epochs: 0, maxEpochs: 1)

  @Test func baselinesSeeWhatTheirNamesSay() throws {
    let lengths = try Contender.baselines.map {
      let outcome = try $0.run(training: Self.scenes(0..<1), test: Self.scenes(1..<2), options: Self.options)
      return "\($0.name): \(outcome.ensemble.featureCount)"
    }
    #expect(lengths == ["patch and position: 164", "RGB and position: 5"])
  }

  /// Counts, uncertainty and pictures of the evaluation are those of the predictions.
  @Test func evaluationIsThatOfThePredictions() throws {
    let test = Self.scenes(2..<5)
    let counts = Mutex([String]())
    let outcome = try Contender.baselines[1].run(
      training: Self.scenes(0..<2), test: test, options: Self.options
    ) { progress in
      if case .features(let done, let all) = progress { counts.withLock { $0.append("\(done) of \(all)") } }
    }
    #expect(counts.withLock { $0 } == ["1 of 2", "2 of 2"])

    var confusion = ConfusionMatrix(classCount: 8, ignoreLabel: SyntheticScenes.classes.ignoreLabel)
    for (scene, prediction) in zip(test, outcome.predictions) {
      confusion.add(truth: scene.mask.labels, prediction: prediction.labels)
    }
    #expect(outcome.evaluation.confusion == confusion && outcome.evaluation.images == 3)
    let mean = outcome.predictions.reduce(0) { $0 + Double($1.imageUncertainty) } / 3
    #expect(abs(outcome.evaluation.meanUncertainty - mean) < 1e-12)
  }
}
