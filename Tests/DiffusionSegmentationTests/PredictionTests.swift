import Augment
import Base
import DiffusionSegmentation
import Foundation
import TestSupport
import Testing

/// Test-time augmentation and what is done to labels in the end.
struct PredictionTests {
  let world: TinyWorld
  let plain: Segmenter
  let image = TinyWorld.scene(7, width: 32, height: 32).0

  init() throws {
    world = try TinyWorld()
    plain = try world.train()
  }

  private func with(_ prediction: PredictionSettings) -> Segmenter {
    var segmenter = plain
    segmenter.prediction = prediction
    return segmenter
  }

  /// Two voters who disagree: the picture itself comes first.
  @Test func aVoteWithTheMirroredPictureAloneChangesNothing() throws {
    #expect(try with(.init(testTime: .flip)).segment(image).labels == plain.segment(image).labels)
  }

  /// The mean over a picture and its mirror image, by hand.
  @Test func probabilitiesAreAveragedWhereTheyBelong() throws {
    let a = try #require(try plain.segment(image, withProbabilities: true).probabilities)
    let b = try #require(try plain.segment(image.mirrored(), withProbabilities: true).probabilities)
    let result = try with(.init(testTime: .flip, combination: .mean)).segment(image, withProbabilities: true)
    let mean = try #require(result.probabilities)
    for label in 0..<2 {
      for y in 0..<32 {
        for x in 0..<32 {
          #expect(abs(mean[label, y, x] - (a[label, y, x] + b[label, y, 31 - x]) / 2) < 1e-6)
          if label == 1 { #expect(result.labels[x, y] == (mean[1, y, x] > mean[0, y, x] ? 1 : 0)) }
        }
      }
    }
  }

  /// Classes of a pair change places on the way back.
  @Test func pairsChangePlaces() throws {
    var paired = with(.init(testTime: .flip, combination: .mean))
    paired.classes = ClassList(
      names: plain.classes.names, palette: plain.classes.palette, flipPairs: ClassPairs([(0, 1)]))
    let a = try #require(try plain.segment(image, withProbabilities: true).probabilities)
    let b = try #require(try plain.segment(image.mirrored(), withProbabilities: true).probabilities)
    let mean = try #require(try paired.segment(image, withProbabilities: true).probabilities)
    #expect(abs(mean[0, 3, 5] - (a[0, 3, 5] + b[1, 3, 26]) / 2) < 1e-6)
  }

  /// A picture of another size than the network's, and one that is cut.
  @Test(arguments: TestTimeSet.allCases, ImageFit.everyKind)
  func versionsOfAnySize(_ set: TestTimeSet, fit: ImageFit) throws {
    var segmenter = with(.init(testTime: set))
    segmenter.fit = fit
    let image = TinyWorld.scene(3, width: 50, height: 41).0
    let result = try segmenter.segment(image, name: "some/where.png")
    #expect(result.labels.width == 50 && result.labels.height == 41)
    // The vote comes out the same again, from any folder, and never without a label where the picture is seen.
    #expect(try segmenter.segment(image, name: "where.png").labels == result.labels)
    #expect(result.labelsAtModelSize.labels.allSatisfy { $0 < 2 })
  }

  /// The votes of the report's set, by hand.
  @Test func votesOfTheReport() throws {
    let segmenter = with(.init(testTime: .report, seed: 4))
    let replays = TestTimeSet.report.replays(
      AugmentationContext(width: 32, height: 32), seed: 4, name: "a.png")
    let masks = try replays.map { view in
      try view.replay.invert(plain.segment(view.replay.apply(to: image)).labels)
    }
    let expected = orderedVote([try plain.segment(image).labels] + masks)
    #expect(try segmenter.segment(image, name: "a.png").labels == expected)
    #expect(Set(masks.map(\.labels)).count > 1)
  }

  @Test func postProcessingComesLast() throws {
    let result = try plain.segment(image)
    for post in [PostProcessing.reportOpening, .majority(radius: 2), .islands(area: 2000)] {
      #expect(
        try with(.init(postProcessing: post)).segment(image).labelsAtModelSize
          == post.apply(to: result.labelsAtModelSize)
      )
    }
  }

  @Test(arguments: [
    PostProcessing.none, .reportOpening, .majority(radius: 3), .islands(area: 20),
    .morphology(try! LabelMorphology(.closing, .rect, size: 5, iterations: 2)),
  ])
  func postProcessingIsReadAsItIsWritten(_ post: PostProcessing) throws {
    #expect(try PostProcessing(post.description) == post)
  }

  @Test(arguments: [
    "", "nothing", "majority", "majority:-1", "islands:x", "opening:disc:3", "opening:cross:2", "a:b:c:d",
  ])
  func otherPostProcessingIsRefused(_ text: String) {
    let error = #expect(throws: DataError.self) { try PostProcessing(text) }
    #expect(error?.kind == .invalidArgument)
  }

  @Test func settingsStayInTheFile() throws {
    var segmenter = with(
      .init(testTime: .reportCode, combination: .mean, postProcessing: .islands(area: 3), seed: 9))
    segmenter.classes = ClassList(
      names: plain.classes.names, palette: plain.classes.palette, flipPairs: ClassPairs([(0, 1)]))
    segmenter.training?.augmentation = AugmentationSchedule(
      factor: 3, preset: .mild, probability: 0.7, isRedrawn: true)
    segmenter.training?.dropout = 0.3
    segmenter.training?.preparation = .principalComponents(7, whitened: true)
    segmenter.training?.schedule = .cosine
    let path = world.folder.path("s.safetensors")
    try segmenter.write(to: path)
    let read = try Segmenter(contentsOf: path)
    #expect(read.prediction == segmenter.prediction && read.training == segmenter.training)
    #expect(read.classes == segmenter.classes)
    #expect(try read.segment(image).labels == segmenter.segment(image).labels)
  }
}
