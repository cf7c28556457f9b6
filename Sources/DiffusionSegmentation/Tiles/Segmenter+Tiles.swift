import Augment
import Base
import Features
import Foundation
import Images
import PixelClassifier
import TensorCore

extension Segmenter {
  /// The tiles that a picture is cut into.
  /// - Parameters:
  ///   - geometry: of the picture, for the size at which it is cut
  ///   - shift: pixels by which the inner tiles lie further to the left and above
  func grid(_ tiling: Tiling, _ geometry: FittedGeometry, shift: Int = 0) -> TileGrid {
    TileGrid(
      width: geometry.networkWidth, height: geometry.networkHeight, side: features.input.size,
      overlap: tiling.overlap, shift: shift)
  }

  /// Cuts a picture into tiles, from the top to the bottom.
  /// - Parameters:
  ///   - reader: the picture
  ///   - geometry: for the size at which it is cut
  ///   - grid: the tiles
  ///   - name: the picture's file; noise and random changes of a tile depend on it and on the tile's place
  ///   - handler: called with each row of tiles and its number
  /// - Throws: `DataError` when the picture cannot be read; what the handler throws.
  func forEachTile(
    of reader: any RowReader, geometry: FittedGeometry, grid: TileGrid, name: String,
    handler: (_ row: Int, [ModelView]) throws(DataError) -> Void
  ) throws(DataError) {
    let side = grid.rows.side
    let ofTile = try ImageFit.pad.geometry(width: side, height: side, input: features.input, name: name)
    var source = ScaledRows(reader, width: geometry.resizedWidth, height: geometry.resizedHeight)
    for (index, start) in grid.rows.starts.enumerated() {
      let strip = try source.read(start..<min(start + side, geometry.contentHeight)).mirrored(
        toWidth: geometry.networkWidth, height: side)
      let views = grid.tiles(inRow: index).map { tile in
        ModelView(
          image: strip.cropped(x: tile.x, y: 0, width: side, height: side), geometry: ofTile,
          name: Self.name(of: tile, in: name, grid), tile: tile)
      }
      try handler(index, views)
    }
  }

  /// Labels a picture tile by tile, from the top to the bottom.
  /// - Parameters:
  ///   - reader: the picture
  ///   - geometry: for the size at which it is cut
  ///   - grid: the tiles
  ///   - name: the picture's file
  ///   - withProbabilities: whether the averaged probabilities are wanted too
  ///   - handler: called with the rows that are complete
  /// - Throws: `DataError` when the picture cannot be read; what the handler throws.
  func segmentTiles(
    of reader: any RowReader, geometry: FittedGeometry, grid: TileGrid, name: String, withProbabilities: Bool,
    handler: (CanvasRows) throws(DataError) -> Void
  ) throws(DataError) {
    var canvas = TileCanvas(grid, classes: classes.count, hasProbabilities: withProbabilities)
    try forEachTile(of: reader, geometry: geometry, grid: grid, name: name) {
      (row, views) throws(DataError) in
      for view in views {
        try Cancellation.check()
        let opinion = try opinion(on: viewed(view), withProbabilities: withProbabilities, withVotes: true)
        canvas.add(opinion, at: view.tile)
      }
      try handler(canvas.finish(row: row))
    }
  }

  /// What a tile is called where every picture has its own noise. A picture that is one tile keeps its name.
  static func name(of tile: Tile, in picture: String, _ grid: TileGrid) -> String {
    grid.count == 1 ? picture : "\(picture)@\(tile.x),\(tile.y)"
  }

  /// Labels a picture in memory tile by tile.
  /// - Parameter shift: pixels by which the inner tiles lie further to the left and above
  package func segmentTiles(
    of image: Image, tiling: Tiling, name: String, pixelSize: PixelSize? = nil,
    withProbabilities: Bool = false, shift: Int = 0
  ) throws(DataError) -> Segmentation {
    let geometry = try features.geometry(
      for: image, fit: fit, precision: featurePrecision, pixelSize: pixelSize, name: name)
    var rows: [CanvasRows] = []
    try segmentTiles(
      of: ImageRows(image), geometry: geometry, grid: grid(tiling, geometry, shift: shift), name: name,
      withProbabilities: withProbabilities
    ) { rows.append($0) }
    return finish(
      joined(rows, geometry), withProbabilities: withProbabilities, geometry: geometry)
  }

  /// Labels a picture whose tiles' features are known.
  /// - Precondition: the tiles are those of the grid, in its order.
  func blend(
    _ parts: [ViewedPart], grid: TileGrid, geometry: FittedGeometry
  ) throws(DataError) -> Segmentation {
    var canvas = TileCanvas(grid, classes: classes.count, hasProbabilities: false)
    var rows: [CanvasRows] = []
    for (index, part) in parts.enumerated() {
      canvas.add(try opinion(on: part, withVotes: true), at: part.view.tile)
      let isLast = index + 1 == parts.count || parts[index + 1].view.tile.y > part.view.tile.y
      if isLast { rows.append(canvas.finish(row: rows.count)) }
    }
    return finish(joined(rows, geometry), geometry: geometry)
  }

  /// The rows of a picture above each other, without what was mirrored.
  private func joined(_ rows: [CanvasRows], _ geometry: FittedGeometry) -> Opinion {
    let parts = rows.compactMap(\.probabilities)
    return Opinion(
      labels: LabelMask(
        width: geometry.contentWidth, height: geometry.contentHeight,
        labels: geometry.cropToContent(rows.flatMap(\.labels))),
      uncertainty: geometry.cropToContent(rows.flatMap(\.uncertainty)),
      probabilities: parts.isEmpty ? nil : geometry.cropToContent(joinedRows(parts)))
  }

  /// `[K, rows, W]` above each other.
  private func joinedRows(_ parts: [Tensor]) -> Tensor {
    let (classes, width) = (parts[0].shape[0], parts[0].shape[2])
    let height = parts.reduce(0) { $0 + $1.shape[1] }
    return Tensor(shape: [classes, height, width]) { output in
      var row = 0
      for part in parts {
        let count = part.shape[1] * width
        withPointers(part) { part in
          for k in 0..<classes {
            (output + (k * height + row) * width).update(from: part + k * count, count: count)
          }
        }
        row += part.shape[1]
      }
    }
  }
}
