import Augment
import Backbones
import Base
import Checkpoints
import DiffusionSegmentation
import Features
import Foundation
import Images
import PixelClassifier
import Synchronization
import TensorCore
import TestSupport
import Testing

/// What of pictures that are cut into tiles is trained on.
struct TiledTrainingTests {
  let world: TinyWorld
  let folder: String

  init() throws {
    world = try TinyWorld(pictures: 1)
    folder = try world.folder.folder("large")
  }

  /// A picture whose colours are its places, and labels at some of them.
  private func write(_ name: String, labels: (Int, Int) -> UInt8) throws {
    let (width, height) = (100, 80)
    let places = (0..<width * height).map { ($0 % width, $0 / width) }
    try Image(
      width: width, height: height, pixels: places.flatMap { [UInt8($0.0), UInt8($0.1), 0] }
    ).write(to: "\(folder)/\(name).png")
    try NpyFile.write(
      NumericArray(places.map { labels($0.0, $0.1) }, shape: [height, width]), to: "\(folder)/\(name).npy")
  }

  private func source(
    pixels: Int, features: any PixelFeatures, scale: Double = 1, smallest: Int = 0
  ) throws -> TrainingFeatures {
    TrainingFeatures(
      labelled: try LabelledImages(directory: folder, classes: world.classes), features: features,
      options: .init(
        fit: .tile(Tiling(scale: .factor(scale))), smallestAnnotation: smallest, pixelsPerPicture: pixels))
  }

  /// Places that vectors tell of.
  private func places(_ picture: LabelledFeatures) -> [[Int]] {
    let vectors = picture.features.vectors(at: Array(picture.labels.indices)).elements
    return picture.labels.indices.map { index in (0..<2).map { Int(vectors[3 * index + $0].rounded()) } }
  }

  @Test(arguments: [5, 700, 100_000])
  func vectorsAreThoseOfTheirPixels(_ pixels: Int) throws {
    func label(_ x: Int, _ y: Int) -> UInt8 { x % 7 == 0 ? 255 : UInt8((x / 9 + y / 5) % 2) }
    try write("a", labels: label)
    let model = PlaceFeatures(world.checkpoint)
    let picture = try source(pixels: pixels, features: model).originals()[0]
    let labelled = (0..<8000).count { label($0 % 100, $0 / 100) != 255 }
    #expect(picture.labels.count == min(pixels, labelled))
    let places = places(picture)
    #expect(Set(places).count == places.count)
    for (place, found) in zip(places, picture.labels) { #expect(found == label(place[0], place[1])) }
    if pixels == 700 {
      // From everywhere, and the same again.
      for half in [places.count { $0[0] < 50 }, places.count { $0[1] < 40 }] {
        #expect((280...420).contains(half))
      }
      let again = try source(pixels: pixels, features: model).originals()[0]
      #expect(self.places(again) == places)
    }
  }

  /// Every pixel is seen in the tile whose middle is nearest, and tiles without labels are not seen.
  @Test func tilesWithoutLabelsAreNotComputed() throws {
    try write("a") { x, y in (60..<70).contains(x) && (3..<9).contains(y) ? 1 : 255 }
    try write("b") { _, _ in 255 }
    try write("c") { x, y in x == 11 && y == 12 ? 0 : 255 }
    let model = PlaceFeatures(world.checkpoint)
    let pictures = try source(pixels: 4096, features: model).originals()
    #expect(pictures.map(\.labels.count) == [60, 1, 1] && pictures[1].labels == [255])
    // Columns of tiles begin at 0, 24, 48 and 68; their middles meet at 28, 52 and 74.
    #expect(model.seen.withLock { $0 } == ["a.png@48,0", "c.png@0,0"])
    let dataset = try PixelDataset(pictures, classCount: 2, ignoreLabel: 255, smallestAnnotation: 0)
    #expect(dataset.count == 61)
  }

  /// A class with few pixels is ignored before pixels are drawn, not for having few among these.
  @Test func smallAnnotationsAreThoseOfThePicture() throws {
    try write("a") { x, y in y == 40 && x < 19 ? 0 : y > 60 && x < 50 ? 1 : 255 }
    #expect(
      Set(
        try source(pixels: 30, features: PlaceFeatures(world.checkpoint), smallest: 20).originals()[0].labels)
        == [1])
    try write("a") { x, y in y == 40 && x < 20 ? 0 : y > 60 && x < 50 ? 1 : 255 }
    let drawn = try source(pixels: 300, features: PlaceFeatures(world.checkpoint), smallest: 20).originals()[
      0]
    #expect(Set(drawn.labels) == [0, 1])
    // About 12 pixels of the first class are drawn, and learned from.
    try write("a") { x, y in y == 40 && x < 25 ? 0 : y == 70 ? 1 : 255 }
    let options = SegmenterOptions(
      members: 3, epochs: 40, maxEpochs: 40, batchSize: 16, fit: .tile(Tiling()), smallestAnnotation: 20,
      pixelsPerPicture: 60)
    let labelled = try LabelledImages(directory: folder, classes: world.classes)
    let segmenter = try Segmenter.train(
      on: labelled, features: PlaceFeatures(world.checkpoint), options: options)
    #expect(segmenter.census?.classes.map(\.used) == [25, 100])
    let found = try segmenter.segment(labelled.load(0).image).labels
    #expect(found[10, 40] == 0 && found[10, 70] == 1)
  }

  /// Changed copies are cut at the size at which pictures are, once.
  @Test func copiesAreScaledOnce() throws {
    try write("a") { x, _ in x < 50 ? 0 : 1 }
    let model = PlaceFeatures(world.checkpoint)
    let source = try source(pixels: 50, features: model, scale: 0.5)
    _ = try source.originals()
    model.seen.withLock { $0 = [] }
    let copies = try source.copies(
      AugmentationSchedule(factor: 3, preset: .flip, probability: 1), seed: 1, epoch: 0)
    #expect(copies.count == 2 && copies.allSatisfy { $0.labels.count == 50 })
    // 50 by 40 pixels: tiles at 0 and 18, and at 0 and 8.
    let names = model.seen.withLock { $0 }
    #expect(
      Set(names).isSubset(of: ["a.png@0,0", "a.png@18,0", "a.png@0,8", "a.png@18,8"]) && names.count > 4)
    #expect(places(copies[0]) != places(copies[1]))
  }
}

/// Colours as they are, and a list of the tiles that were seen.
private struct PlaceFeatures: ModelFeatures {
  final class Seen: Sendable {
    let names = Mutex<[String]>([])
    func withLock<Result: Sendable>(_ body: (inout sending [String]) -> sending Result) -> Result {
      names.withLock(body)
    }
  }

  let seen = Seen()

  init(_ path: String) { origin = ModelOrigin(path: path) }

  var input: InputSpecification {
    InputSpecification(
      size: 32, normalization: .statistics(mean: [0, 0, 0], deviation: [1 / 255, 1 / 255, 1 / 255]))
  }
  var layout: [FeatureSlot] { [FeatureSlot(FeatureKey("color", order: 0), channels: 3, stride: 1)] }
  let origin: ModelOrigin
  var record: FeatureRecord { FeatureRecord(kind: "places", options: [:], selection: [:]) }

  func validate() throws(DataError) {}

  func extract(_ picture: Tensor, _ context: FeatureContext) throws(DataError) -> FeatureMaps {
    seen.withLock { $0.append((context.name as NSString).lastPathComponent) }
    let (height, width) = (picture.shape[1], picture.shape[2])
    let map = FeatureMap(
      layout[0].key,
      activation: transposed(picture.reshaped([3, height * width])).reshaped([1, height, width, 3]),
      precision: context.precision)
    return FeatureMaps(maps: [map], height: height, width: width)
  }
}
