import Base
import Features
import Foundation
import PixelClassifier
import TestSupport
import Testing

@Suite("Prediction of whole pictures")
struct PredictionTests {
  struct Picture: CustomTestStringConvertible, Sendable {
    var height: Int
    var width: Int
    var maps: [[Int]]
    var classes: Int
    var members: Int
    var testDescription: String { "\(height)×\(width) from \(maps), \(members) members, \(classes) classes" }
  }

  static let pictures = [
    Picture(height: 32, width: 32, maps: [[12, 4, 4], [9, 8, 8], [7, 16, 16]], classes: 6, members: 3),
    Picture(
      height: 37, width: 23, maps: [[5, 5, 3], [8, 19, 12], [3, 37, 23], [4, 1, 1]], classes: 30, members: 2),
    Picture(height: 3, width: 301, maps: [[6, 2, 40], [4, 3, 150]], classes: 2, members: 4),
    Picture(height: 1, width: 1, maps: [[4, 2, 2]], classes: 3, members: 1),
    Picture(height: 300, width: 2, maps: [[4, 75, 1]], classes: 5, members: 10),
  ]

  private func ensemble(_ picture: Picture, features: FeatureMaps) throws -> PixelEnsemble {
    try PixelEnsemble(
      (0..<picture.members).map {
        randomClassifier(features: features.channels, classes: picture.classes, seed: UInt64($0))
      })
  }

  @Test(
    "labels are those of classifying every pixel's vector", arguments: pictures, FeaturePrecision.allCases)
  func sameAsPixelByPixel(picture: Picture, precision: FeaturePrecision) throws {
    let features = randomFeatures(
      height: picture.height, width: picture.width, maps: picture.maps, seed: 9, precision: precision)
    let ensemble = try ensemble(picture, features: features)
    let logits = ensemble.logits(features.vectors(at: Array(0..<features.pixelCount)))
    let slow = PixelPrediction(
      logits: logits, height: picture.height, width: picture.width, withProbabilities: true)
    let fast = try ensemble.predict(features, withProbabilities: true)
    // Two logits can be closer to each other than rounding.
    let flips = zip(fast.labels, slow.labels).count { $0 != $1 }
    #expect(flips <= features.pixelCount / 1000)
    expectClose(fast.probabilities!, NaiveTensor(slow.probabilities!), absolute: 1e-4)
    let difference = zip(fast.uncertainty, slow.uncertainty).map { abs($0 - $1) }.max()!
    #expect(difference < 1e-4)
    #expect(try ensemble.predict(features).probabilities == nil)
  }

  @Test("a picture that is worked through in bands comes out the same")
  func bands() throws {
    // 2 · 128 sums for each of 400 · 400 pixels are more than one band holds.
    let features = randomFeatures(height: 400, width: 400, maps: [[2, 400, 400], [2, 50, 50]], seed: 10)
    let picture = Picture(height: 400, width: 400, maps: [], classes: 3, members: 2)
    let ensemble = try ensemble(picture, features: features)
    let fast = try ensemble.predict(features)
    let rows = [0, 1, 199, 200, 317, 318, 319, 320, 399]
    let pixels = rows.flatMap { row in (0..<400).map { row * 400 + $0 } }
    let slow = PixelPrediction(
      logits: ensemble.logits(features.vectors(at: pixels)), height: rows.count, width: 400)
    let difference = zip(pixels, slow.uncertainty).map { abs(fast.uncertainty[$0] - $1) }.max()!
    #expect(difference < 1e-4)
    #expect(Set(slow.uncertainty.map { ($0 * 1e3).rounded() }).count > 20, "too even to tell rows apart")
  }

  @Test("the same bits with any number of threads")
  func threads() throws {
    let picture = Self.pictures[1]
    let features = randomFeatures(height: picture.height, width: picture.width, maps: picture.maps, seed: 11)
    let ensemble = try ensemble(picture, features: features)
    let results = try withThreadCounts([1, 2, 3, 5]) {
      let result = try ensemble.predict(features, withProbabilities: true)
      return (result.labels, result.uncertainty, result.probabilities!)
    }
    #expect(results.allSatisfy { $0.0 == results[0].0 && $0.1 == results[0].1 && $0.2 == results[0].2 })
  }

  @Test("features of another length are refused")
  func refused() throws {
    let ensemble = try PixelEnsemble([randomClassifier(features: 7, classes: 3, seed: 0)])
    let error = #expect(throws: DataError.self) {
      try ensemble.predict(randomFeatures(height: 4, width: 4, maps: [[4, 2, 2]]))
    }
    #expect(error?.kind == .invalidArgument && error?.found == "8")
  }

  @Test("agrees with the reference on its own classifiers")
  func reference() throws {
    let ensemble = try PixelEnsemble(contentsOf: (0..<3).map { Golden.path("seg_models/model_\($0).pth") })
    let logits = ensemble.logits(try Golden.tensor("pipeline_predict_part/in/features"))
    let prediction = PixelPrediction(logits: logits, height: 10, width: 12)
    #expect(prediction.labels == (try Golden.labels("pipeline_predict_part/out/labels")))
    let expected = try Golden.tensor("pipeline_predict_part/out/uncertainty").elements[0]
    #expect(abs(prediction.imageUncertainty - expected) <= 4.59e-7)
  }
}
