import Augment
import Base
import Images
import TensorCore
import TestSupport
import Testing

struct AxisCase: Sendable, CustomTestStringConvertible {
  var length: Int
  var side: Int
  var overlap: Double
  var shift = 0

  var testDescription: String { "\(length) by \(side), overlap \(overlap), shift \(shift)" }

  var axis: TileAxis {
    TileGrid(width: length, height: side, side: side, overlap: overlap, shift: shift).columns
  }

  static let all: [AxisCase] =
    [
      .init(length: 64, side: 64, overlap: 0.25), .init(length: 65, side: 64, overlap: 0.25),
      .init(length: 112, side: 64, overlap: 0.25), .init(length: 113, side: 64, overlap: 0.25),
      .init(length: 1000, side: 64, overlap: 0), .init(length: 1000, side: 64, overlap: 0.5),
      .init(length: 1000, side: 64, overlap: 0.75), .init(length: 1, side: 1, overlap: 0.5),
      .init(length: 1000, side: 64, overlap: 0.25, shift: 24), .init(length: 5, side: 3, overlap: 0.4),
    ]
    + randomSizes(count: 30, seed: 5, largest: [700, 90, 70]).map { sizes in
      AxisCase(length: sizes[1] + sizes[0], side: sizes[1], overlap: Double(sizes[2]) / 100)
    }
}

struct TileGridTests {
  @Test(arguments: AxisCase.all)
  func tilesCoverThePicture(_ c: AxisCase) {
    let (axis, common) = (c.axis, min(c.side - 1, Int((Double(c.side) * c.overlap).rounded())))
    #expect(axis.starts.first == 0 && axis.starts.last == c.length - c.side)
    for (a, b) in zip(axis.starts, axis.starts.dropFirst()) {
      // As many pixels in common as were asked for, and more where the picture ends.
      #expect(b > a && a + c.side - b >= common, "\(a), \(b)")
    }
    if c.shift == 0 {
      let step = c.side - common
      #expect(Array(axis.starts.dropLast()) == axis.starts.indices.dropLast().map { $0 * step })
    } else {
      #expect(axis.starts[1] == c.side - common - c.shift)
    }
  }

  /// Weights are above 0 everywhere, and those of two neighbours add up to 1 but at the ends of the picture.
  @Test(arguments: AxisCase.all)
  func weightsAddUp(_ c: AxisCase) {
    let axis = c.axis
    #expect(axis.window.count == c.side && axis.window.allSatisfy { $0 > 0 && $0 <= 1 })
    #expect(axis.window == axis.window.reversed())
    var sums = [Double](repeating: 0, count: c.length)
    for start in axis.starts { for x in 0..<c.side { sums[start + x] += Double(axis.window[x]) } }
    let worst = zip(sums, axis.sums).map { abs($0 - Double($1)) }.max()!
    #expect(worst < 1e-6)
    guard c.overlap <= 0.5, axis.starts.count > 2 else { return }
    let common = Int((Double(c.side) * c.overlap).rounded())
    // The first tiles have more in common where the others are shifted, the last where the picture ends.
    let (first, last) = (c.shift == 0 ? common : c.side, axis.starts[axis.starts.count - 1])
    for x in min(first, last)..<last {
      #expect(abs(sums[x] - 1) < 1e-6, "\(x)")
    }
  }

  /// Every pixel belongs to one tile, which shows it, and no other has its middle nearer.
  @Test(arguments: AxisCase.all)
  func cellsShareThePixels(_ c: AxisCase) {
    let axis = c.axis
    var next = 0
    for (index, start) in axis.starts.enumerated() {
      let cell = axis.cell(index)
      #expect(cell.lowerBound == next && !cell.isEmpty)
      next = cell.upperBound
      #expect(cell.lowerBound >= start && cell.upperBound <= start + c.side)
      func distance(_ tile: Int, _ x: Int) -> Int { abs(2 * (x - axis.starts[tile]) + 1 - c.side) }
      let nearest = cell.allSatisfy { x in
        let least: Int = axis.starts.indices.map { distance($0, x) }.min()!
        return distance(index, x) == least
      }
      #expect(nearest)
    }
    #expect(next == c.length)
  }

  @Test func rowsOfTilesFollowEachOther() {
    let grid = TileGrid(width: 100, height: 70, side: 32, overlap: 0.25)
    let tiles = grid.rows.starts.indices.flatMap { grid.tiles(inRow: $0) }
    #expect(tiles.count == grid.count && Set(tiles).count == grid.count)
    #expect(grid.columns.starts == [0, 24, 48, 68] && grid.rows.starts == [0, 24, 38])
    #expect(grid.tiles(inRow: 2) == [0, 24, 48, 68].map { Tile(x: $0, y: 38) })
  }
}

struct TilingTests {
  @Test(arguments: [
    Tiling(), Tiling(scale: .factor(0.5)), Tiling(scale: .pixelSize(0.65), overlap: 0.5), Tiling(overlap: 0),
    Tiling(scale: .factor(1.0 / 3)),
  ])
  func isReadAsWritten(_ tiling: Tiling) throws {
    #expect(try Tiling(tiling.description) == tiling)
    #expect(try ImageFit(ImageFit.tile(tiling).description) == .tile(tiling))
  }

  @Test(arguments: [ImageFit.pad, .crop])
  func otherFits(_ fit: ImageFit) throws {
    #expect(try ImageFit(fit.description) == fit && fit.tiling == nil)
  }

  @Test(arguments: [
    "", "tiles", "tile:", "tile:scale", "tile:scale=", "tile:scale=x", "tile:scale=nan", "tile:scale=0",
    "tile:scale=-1", "tile:scale=1e9", "tile:overlap=0.9", "tile:overlap=-0.1", "tile:scale=1,scale=2",
    "tile:scale=1,pixel-size=2", "tile:pixel-size=0", "tile:pixel-size=inf", "tile:width=3", "Pad", "pad:1",
  ])
  func otherTextsAreRefused(_ text: String) {
    let error = #expect(throws: DataError.self) { try ImageFit(text) }
    #expect(error?.kind == .invalidArgument)
  }

  @Test(arguments: [
    (Tiling.Scale.factor(0.5), nil, 200, 100, 64), (.factor(1), nil, 200, 100, 64),
    (.factor(3), nil, 7, 90, 64),
    (.pixelSize(2), 0.5, 200, 1000, 64), (.factor(1.0 / 1024), nil, 100, 100, 32),
  ])
  func canvasIsThePictureScaled(
    _ scale: Tiling.Scale, pixelSize: Double?, width: Int, height: Int, side: Int
  ) throws {
    let geometry = try ImageFit.tile(Tiling(scale: scale)).geometry(
      width: width, height: height, input: .init(size: side, normalization: .imageNet),
      pixelSize: pixelSize.map { PixelSize(x: $0, y: $0) })
    let factor = if case .factor(let factor) = scale { factor } else { 0.25 }
    func scaled(_ length: Int) -> Int { max(1, Int((Double(length) * factor).rounded())) }
    #expect(geometry.contentWidth == scaled(width) && geometry.contentHeight == scaled(height))
    #expect(geometry.networkWidth == max(side, scaled(width)))
    #expect(geometry.networkHeight == max(side, scaled(height)))
    #expect(geometry.resizedWidth == geometry.contentWidth && geometry.contentX == 0)
  }

  @Test(arguments: [
    (Tiling.Scale.pixelSize(1), nil, 100), (.pixelSize(1e-6), 1.0, 100), (.factor(64), nil, 1 << 15),
    (.factor(1), nil, 1 << 21),
  ])
  func whatCannotBeScaledIsRefused(_ scale: Tiling.Scale, pixelSize: Double?, width: Int) {
    let error = #expect(throws: DataError.self) {
      try ImageFit.tile(Tiling(scale: scale)).geometry(
        width: width, height: 10, input: .init(size: 32, normalization: .imageNet),
        pixelSize: pixelSize.map { PixelSize(x: $0, y: $0) },
        name: "a.tif")
    }
    #expect(error?.kind == .unsupported && error?.file == "a.tif")
  }
}
