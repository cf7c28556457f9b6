import Base
import Features
import Images
import TensorCore
import TestSupport
import Testing

@testable import Augment

/// Squares at random places of pictures, which are what tiles show.
struct PictureCropTests {
  private func picture(_ width: Int, _ height: Int) -> Image {
    var random = Philox(seed: UInt64(width * 1000 + height))
    return Image(
      width: width, height: height,
      pixels: (0..<3 * width * height).map { _ in UInt8(truncatingIfNeeded: random.next()) })
  }

  /// At every scale, from the picture at its own size, at the size at which it is cut, and from some of its rows.
  @Test(
    arguments: [Tiling.Scale.factor(1), .factor(0.5), .factor(0.37), .factor(1.6), .pixelSize(0.8)],
    [(40, 31), (31, 64), (100, 33)])
  func squaresArePixelsOfTiles(_ scale: Tiling.Scale, size: (Int, Int)) throws {
    let (image, side) = (picture(size.0, size.1), 8)
    let pixelSize = PixelSize(x: 0.5, y: 0.5)
    let geometry = try ImageFit.tile(Tiling(scale: scale)).geometry(
      width: size.0, height: size.1, input: InputSpecification(size: side, normalization: .ddpmTraining),
      pixelSize: pixelSize)
    let tiles = geometry.apply(image)
    let canvas = try #require(
      try PictureCrop.random(scale).canvas(
        width: size.0, height: size.1, side: side, pixelSize: pixelSize, name: "a.png"))
    #expect(canvas.width == tiles.width && canvas.height == tiles.height && !canvas.isEnlarged)
    #expect(canvas.isSmaller == (tiles.width < image.width))
    #expect(canvas.keptBytes == min(tiles.pixels.count, image.pixels.count))
    for number in 0..<20 {
      let tile = number == 0 ? canvas.middle : canvas.tile(Philox(seed: UInt64(number)))
      let expected = tiles.cropped(x: tile.x, y: tile.y, width: side, height: side)
      let way = canvas.geometry(of: tile)
      let rows = way.sourceRows
      let window = RowWindow(
        image: image.cropped(x: 0, y: rows.lowerBound, width: size.0, height: rows.count), rows: rows,
        height: size.1)
      #expect(canvas.square(tile, of: image) == expected)
      #expect(canvas.square(tile, of: canvas.apply(image)) == expected)
      #expect(way.apply(window) == expected)
    }
  }

  /// Every place with the same probability, the borders among them.
  @Test func placesAreEverywhere() throws {
    let canvas = try #require(
      try PictureCrop.random(.factor(1)).canvas(width: 20, height: 12, side: 8, name: "a.png"))
    var counts: [Tile: Int] = [:]
    for seed in 0..<6500 { counts[canvas.tile(Philox(seed: UInt64(seed))), default: 0] += 1 }
    #expect(counts.count == 13 * 5)
    #expect(counts.values.allSatisfy { (50...160).contains($0) }, "\(counts.values.sorted())")
  }

  /// Until the shorter side fits, so that there are places along the longer one.
  @Test(arguments: [(9, 30, 1.0), (30, 9, 0.25), (1, 2, 1), (16, 16, 0.9)])
  func smallPicturesAreEnlarged(_ width: Int, _ height: Int, _ factor: Double) throws {
    let side = 16
    let canvas = try #require(
      try PictureCrop.random(.factor(factor)).canvas(
        width: width, height: height, side: side, name: "a.png"))
    #expect(canvas.isEnlarged && min(canvas.width, canvas.height) == side)
    #expect(max(canvas.width, canvas.height) == side * max(width, height) / min(width, height))
    let image = picture(width, height)
    let tile = canvas.tile(Philox(seed: 1))
    let expected = image.resized(width: canvas.width, height: canvas.height, filter: .bilinear)
      .cropped(x: tile.x, y: tile.y, width: side, height: side)
    #expect(canvas.square(tile, of: image) == expected)
  }

  @Test func whatCannotBeCutIsRefused() throws {
    func error(_ scale: Tiling.Scale, _ width: Int, _ height: Int) -> DataError? {
      #expect(throws: DataError.self) {
        try PictureCrop.random(scale).canvas(width: width, height: height, side: 64, name: "a.png")
      }
    }
    #expect(error(.pixelSize(0.5), 100, 100)?.item == "pixel size")
    #expect(error(.factor(2), 1 << 20, 100)?.item == "size")
    #expect(error(.factor(1), 1, 1 << 15)?.found == "1 x 32768")
    for scale in [Tiling.Scale.factor(0), .factor(65), .pixelSize(-1), .factor(.nan)] {
      #expect(throws: DataError.self) { try PictureCrop.random(scale).validate() }
    }
    #expect(try PictureCrop.centre.canvas(width: 9, height: 9, side: 4, name: "a.png") == nil)
  }

  @Test(arguments: [PictureCrop.centre, .random(.factor(0.1)), .random(.pixelSize(0.65))])
  func recordsAreReadAgain(_ crop: PictureCrop) {
    #expect(PictureCrop { crop.record[$0] } == crop)
    for (key, value) in [("crop", "middle"), ("scale", "0"), ("pixel_size", "x"), ("crop", nil)] {
      var changed = crop.record
      changed[key] = value
      if value != nil, crop.record[key] == nil || crop.record[key] == "none" { continue }
      #expect(PictureCrop { changed[$0] } == nil, "\(key)")
    }
  }
}
