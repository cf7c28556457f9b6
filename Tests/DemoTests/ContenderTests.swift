import Demo
import DiffusionSegmentation
import Images
import PixelClassifier
import Synchronization
import SyntheticScenes
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
    #expect(lengths == ["RGB and position: 5", "patch and position: 164"])
  }

  /// The counts are those of the predictions.
  @Test func countsAreThoseOfThePredictions() throws {
    let test = Self.scenes(2..<5)
    let counts = Mutex([String]())
    let outcome = try Contender.baselines[0].run(
      training: Self.scenes(0..<2), test: test, options: Self.options
    ) { progress in
      if case .features(let done, let all) = progress { counts.withLock { $0.append("\(done) of \(all)") } }
    }
    #expect(counts.withLock { $0 } == ["1 of 2", "2 of 2"])

    #expect(outcome.matrices.count == 3 && outcome.predictions.count == 3)
    for ((scene, prediction), matrix) in zip(zip(test, outcome.predictions), outcome.matrices) {
      var expected = ConfusionMatrix(classCount: 8, ignoreLabel: SyntheticScenes.classes.ignoreLabel)
      expected.add(truth: scene.mask.labels, prediction: prediction.labels.labels)
      #expect(matrix == expected)
    }
  }
}
