import Augment
import Backbones
import Base
import Checkpoints
import DiffusionSegmentation
import Features
import Foundation
import Images
import PixelClassifier
import TensorCore
import TestSupport
import Testing

/// Pictures that are cut into tiles.
struct TiledSegmentationTests {
  let world: TinyWorld
  let checkpoint: String

  init() throws {
    world = try TinyWorld(pictures: 3, width: 90, height: 70)
    checkpoint = world.folder.path("colors.safetensors")
    var writer = SafetensorsWriter(metadata: ["dseg.image_size": "32"])
    writer.append(MeanColors.anchor, Tensor([1, 4, 16], shape: [3]))
    try writer.write(to: checkpoint)
  }

  /// Colours of single pixels: what a model says that sees nothing around them.
  private func colors() throws -> any ModelFeatures {
    try BackboneRegistry.withToy.features(of: Checkpoint(contentsOf: checkpoint), settings: ["scales": "1"])
  }

  private func train(_ fit: ImageFit, features: any PixelFeatures, pixels: Int = 4096) throws -> Segmenter {
    try Segmenter.train(
      on: world.labelled(), features: features,
      options: .init(members: 3, epochs: 15, maxEpochs: 15, fit: fit, pixelsPerPicture: pixels))
  }

  /// Where a model sees nothing around a pixel, tiles and the whole picture have the same labels.
  @Test(arguments: [0, 0.25, 0.5, 0.7], [(90, 70), (32, 32), (33, 100), (64, 31), (20, 90), (5, 7)])
  func tilesAreAsTheWhole(_ overlap: Double, size: (Int, Int)) throws {
    let features = try colors()
    var segmenter = try train(.tile(Tiling(overlap: overlap)), features: features)
    let image = TinyWorld.scene(5, width: max(size.0, 6), height: max(size.1, 6)).0
    let tiled = try segmenter.segment(image, withProbabilities: true)
    // As a single tile, whose side is a picture's.
    let whole = try segmenter.ensemble.predict(
      features.extract(image.tensor(normalization: features.input.normalization)), withProbabilities: true)
    #expect(tiled.labels.labels == whole.labels && Set(whole.labels).count == 2)
    let uncertainty = zip(tiled.uncertainty, whole.uncertainty).map { abs($0 - $1) }.max()!
    let probabilities = zip(tiled.probabilities!.elements, whole.probabilities!.elements).map { abs($0 - $1) }
    #expect(uncertainty < 1e-5 && probabilities.max()! < 1e-5)
    #expect(tiled.probabilities!.shape == [2, image.height, image.width])
    #expect(abs(tiled.imageUncertainty - whole.imageUncertainty) < 1e-5)
    // By averaged probabilities alike.
    segmenter.prediction = .init(testTime: .flip, combination: .mean)
    let flipped = try segmenter.segment(image).labels.labels
    let likeliest = (0..<whole.labels.count).map { pixel in
      whole.probabilities!.elements[whole.labels.count + pixel] > whole.probabilities!.elements[pixel] ? 1 : 0
    }
    let changed = zip(flipped, likeliest).count { Int($0) != $1 }
    #expect(changed <= whole.labels.count / 200)
  }

  /// A network with a wide view, by hand: the weighted votes of the tiles.
  @Test func votesAreBlended() throws {
    let segmenter = try train(.tile(Tiling()), features: world.features())
    let image = TinyWorld.scene(6, width: 50, height: 41).0
    let result = try segmenter.segment(image, withProbabilities: true)
    let grid = TileGrid(width: 50, height: 41, side: 32, overlap: 0.25)
    var sums = [[Double]](repeating: [Double](repeating: 0, count: 50 * 41), count: 6)
    for row in grid.rows.starts.indices {
      for tile in grid.tiles(inRow: row) {
        let maps = try segmenter.features.extract(
          image.cropped(x: tile.x, y: tile.y, width: 32, height: 32).tensor(
            normalization: segmenter.features.input.normalization),
          FeatureContext(name: "a@\(tile.x),\(tile.y)"))
        let prediction = try segmenter.ensemble.predict(maps, withProbabilities: true, withVotes: true)
        let planes = prediction.votes!.elements + prediction.probabilities!.elements + prediction.uncertainty
        for y in 0..<32 {
          for x in 0..<32 {
            let (target, weight) = (
              (tile.y + y) * 50 + tile.x + x, Double(grid.rows.window[y]) * Double(grid.columns.window[x])
            )
            for plane in 0..<5 { sums[plane][target] += weight * Double(planes[plane * 1024 + y * 32 + x]) }
            sums[5][target] += weight
          }
        }
      }
    }
    let found = result.probabilities!.elements
    for pixel in 0..<50 * 41 {
      let lead = abs(sums[0][pixel] - sums[1][pixel]) / sums[5][pixel]
      let winner: UInt8 = sums[1][pixel] > sums[0][pixel] ? 1 : 0
      if lead > 1e-5 { #expect(result.labels.labels[pixel] == winner) }
      for k in 0..<2 {
        let probability = sums[2 + k][pixel] / sums[5][pixel]
        let difference = abs(Double(found[k * 2050 + pixel]) - probability)
        #expect(difference < 1e-5)
      }
      let difference = abs(Double(result.uncertainty[pixel]) - sums[4][pixel] / sums[5][pixel])
      #expect(difference < 1e-5)
    }
  }

  @Test func threadsChangeNothing() throws {
    let results = try withThreadCounts([1, 2, 5]) {
      let segmenter = try train(.tile(Tiling(scale: .factor(0.8))), features: world.features(), pixels: 500)
      return try segmenter.segment(TinyWorld.scene(6, width: 90, height: 50).0)
    }
    #expect(results[1].labels == results[0].labels && results[1].uncertainty == results[0].uncertainty)
    #expect(results[2].labels == results[0].labels && results[2].uncertainty == results[0].uncertainty)
  }

  /// Labels have the picture's size, at any scale.
  @Test(arguments: [0.3, 0.5, 1, 1.7], TestTimeSet?.allKinds)
  func labelsHaveThePicturesSize(_ scale: Double, set: TestTimeSet?) throws {
    var segmenter = try train(.tile(Tiling(scale: .factor(scale))), features: colors())
    segmenter.prediction = .init(testTime: set)
    let (image, truth) = TinyWorld.scene(4, width: 75, height: 51)
    let result = try segmenter.segment(image, name: "some/where.png")
    #expect(result.labels.width == 75 && result.labels.height == 51)
    #expect(result.labelsAtModelSize.width == Int((75 * scale).rounded()))
    let right = zip(result.labels.labels, truth.labels).count { $0 == $1 }
    // The report's versions have holes and other colours.
    let share = set == .report ? 0.8 : 0.9
    #expect(Double(right) > share * Double(truth.labels.count), "\(right) of \(truth.labels.count)")
  }

  @Test func isReadBackAndEvaluated() throws {
    let segmenter = try train(
      .tile(Tiling(scale: .factor(0.75), overlap: 0.5)), features: colors(), pixels: 300)
    let path = world.folder.path("segmenter.safetensors")
    try segmenter.write(to: path)
    let read = try Segmenter(contentsOf: path, registry: .withToy)
    #expect(read.fit == segmenter.fit && read.training == segmenter.training)
    #expect(read.training?.pixelsPerPicture == 300)
    let evaluation = try read.evaluate(on: world.labelled())
    #expect(evaluation.confusion.meanIoU(.ledm) > 0.9)
    // At the size at which pictures are cut.
    let pixels = evaluation.confusion.cells.reduce(0, +)
    #expect(pixels == 3 * 68 * 53)
  }
}

extension TestTimeSet? {
  /// None, and a vote with changed tiles.
  static var allKinds: [TestTimeSet?] { [nil, .flip, .report] }
}
