import Augment
import Base
import DiffusionSegmentation
import Foundation
import Images
import PixelClassifier
import TensorCore
import TestSupport
import Testing

/// Pictures that are segmented in rows, and how pictures are brought to the model unless somebody says.
struct SegmentedRowsTests {
  let world: TinyWorld

  init() throws { world = try TinyWorld() }

  /// The same as of the picture in memory, at its own size and others, with and without a last step.
  @Test(
    arguments: [(1.0, "none"), (1, "majority:2"), (0.6, "none"), (0.6, "majority:2"), (1.4, "none")],
    [(90, 70), (20, 75), (75, 20), (300, 40)])
  func rowsAreThoseOfThePicture(_ way: (scale: Double, last: String), size: (Int, Int)) throws {
    var segmenter = try world.train(fit: .tile(Tiling(scale: .factor(way.scale))))
    segmenter.prediction.postProcessing = try PostProcessing(way.last)
    let image = TinyWorld.scene(4, width: size.0, height: size.1).0
    let whole = try segmenter.segment(image, name: "a.png", withProbabilities: true)
    var (labels, uncertainty, next) = ([UInt8](), [Float](), 0)
    var probabilities = [[Float]](repeating: [], count: 2)
    let score = try segmenter.segment(ImageRows(image), name: "a.png", withProbabilities: true) { rows in
      for (label, plane) in rows.probabilities.enumerated() { probabilities[label] += plane }
      #expect(rows.rows.lowerBound == next && rows.labels.count == rows.rows.count * size.0)
      next = rows.rows.upperBound
      labels += rows.labels
      uncertainty += rows.uncertainty
    }
    #expect(next == size.1 && labels == whole.labels.labels && uncertainty == whole.uncertainty)
    #expect(abs(score - whole.imageUncertainty) < 1e-4)
    #expect(Set(labels).count == 2 && whole.imageUncertainty > 0)
    let planes = try #require(whole.probabilities)
    let count = planes.count / 2
    for label in 0..<2 {
      let plane = Array(planes.elements[label * count..<(label + 1) * count])
      let isSame = probabilities[label] == whole.geometry.restore(plane, outside: 0)
      #expect(isSame && probabilities[label].contains { $0 > 0.01 && $0 < 0.99 }, "class \(label)")
    }
  }

  @Test func probabilitiesAreGivenOnlyIfAskedFor() throws {
    let segmenter = try world.train(fit: .tile(Tiling()))
    _ = try segmenter.segment(ImageRows(Image(width: 70, height: 70)), name: "a.png") { rows in
      #expect(rows.probabilities.isEmpty)
    }
  }

  @Test(arguments: [0, 1, 9, 10, 11, 25, 1000])
  func scoreIsThatOfTheReference(_ count: Int) {
    var random = Philox(seed: 3)
    let values = (0..<count).map { _ in Float(random.uniformDouble()) * 0.7 }
    var tally = UncertaintyTally(most: 0.7)
    for value in values { tally.add([value]) }
    #expect(abs(tally.score - imageUncertaintyScore(values)) < 1e-4)
  }

  @Test func otherFitsAreRefused() throws {
    let segmenter = try world.train()
    let error = #expect(throws: DataError.self) {
      try segmenter.segment(ImageRows(Image(width: 40, height: 40)), name: "a.tif") { _ in }
    }
    #expect(error?.kind == .unsupported && error?.item == "fit" && error?.found == "pad")
  }

  /// The width of a pixel tells the scale.
  @Test func scaleFollowsFromThePixelSize() throws {
    let segmenter = try world.train(fit: .tile(Tiling(scale: .pixelSize(0.5))), pixelSize: 0.25)
    let image = TinyWorld.scene(4, width: 64, height: 80).0
    let result = try segmenter.segment(image, pixelSize: PixelSize(x: 0.25, y: 0.25))
    #expect(result.labelsAtModelSize.width == 32 && result.labelsAtModelSize.height == 40)
    let error = #expect(throws: DataError.self) { try segmenter.segment(image, name: "b.png") }
    #expect(error?.kind == .unsupported && error?.item == "pixel size" && error?.file == "b.png")
  }

  /// Tiles where all pictures are more than twice as large as the models.
  @Test(arguments: [
    ([(65, 65), (200, 70)], true), ([(65, 65), (200, 64)], false), ([(64, 64)], false), ([(300, 300)], true),
  ])
  func largePicturesAreCut(sizes: [(Int, Int)], isCut: Bool) throws {
    let folder = try world.folder.folder("large")
    for (index, size) in sizes.enumerated() {
      let (image, mask) = TinyWorld.scene(index, width: size.0, height: size.1)
      try image.write(to: "\(folder)/\(index).png")
      try mask.write(to: "\(folder)/\(index).mask.png")
    }
    let labelled = try LabelledImages(directory: folder, classes: world.classes)
    let notices = Notices()
    let input = try world.features().input
    #expect((labelled.suggestedFit(for: [input], notices: notices).tiling != nil) == isCut)
    #expect(notices.all.map(\.kind) == (isCut ? [.guessed] : []))
  }
}
