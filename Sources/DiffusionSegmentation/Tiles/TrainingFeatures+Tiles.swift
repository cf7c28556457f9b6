import Augment
import Base
import Features
import Images
import PixelClassifier
import TensorCore

// n: pixels that are drawn   D: features of a pixel

extension TrainingFeatures {
  /// The vectors of labelled pixels of a picture that is cut into tiles, as a picture of one row; a pixel to ignore where
  /// none is labelled. Tiles without such pixels are not computed.
  /// - Parameters:
  ///   - item: a picture and its labels
  ///   - tiling: how it is cut
  ///   - random: draws the pixels where there are more than are wanted
  func tiledFeatures(
    of item: LabelledImage, tiling: Tiling, random: Philox
  ) throws(DataError) -> LabelledFeatures {
    let classes = labelled.classes
    let geometry = try features.geometry(
      for: item.image, fit: .tile(tiling), precision: precision, pixelSize: item.pixelSize, name: item.path)
    let labels = droppingSmallAnnotations(
      geometry.apply(item.mask, ignoreLabel: classes.ignoreLabel, by: maskResampling).labels,
      classCount: classes.count, ignoreLabel: classes.ignoreLabel, minimum: smallestAnnotation)
    var pixels = labels.indices.filter { labels[$0] != classes.ignoreLabel }.map { Int32($0) }
    if pixels.count > pixelsPerPicture {
      var random = random
      random.shuffle(&pixels)
      pixels = pixels.prefix(pixelsPerPicture).sorted()
    }
    let grid = TileGrid(
      width: geometry.networkWidth, height: geometry.networkHeight, side: features.input.size,
      overlap: tiling.overlap)
    let canvas = pixels.isEmpty ? nil : geometry.apply(item.image)
    var vectors = Tensor(zeros: [1, 1, max(pixels.count, 1), features.channels])
    for (tile, places) in drawn(pixels, of: grid) {
      try Cancellation.check()
      let image = canvas!.cropped(x: tile.x, y: tile.y, width: grid.rows.side, height: grid.rows.side)
      let maps = try features.extract(
        image.tensor(normalization: features.input.normalization),
        FeatureContext(name: Segmenter.name(of: tile, in: item.path, grid), precision: precision))
      let rows = maps.vectors(
        at: places.map { place in
          let pixel = Int(pixels[place])
          let (y, x) = (pixel / geometry.networkWidth - tile.y, pixel % geometry.networkWidth - tile.x)
          return y * grid.rows.side + x
        })
      let count = features.channels
      vectors.withMutablePointer { vectors in
        withPointers(rows) { rows in
          for (index, place) in places.enumerated() {
            (vectors + place * count).update(from: rows + index * count, count: count)
          }
        }
      }
    }
    let map = FeatureMap(FeatureKey("pixels", order: 0), activation: vectors, precision: precision)
    return LabelledFeatures(
      name: item.path, features: FeatureMaps(maps: [map], height: 1, width: max(pixels.count, 1)),
      labels: pixels.isEmpty ? [classes.ignoreLabel] : pixels.map { labels[Int($0)] })
  }

  /// Tiles in whose cells pixels lie, with the places of these among the pixels.
  private func drawn(_ pixels: [Int32], of grid: TileGrid) -> [(tile: Tile, places: [Int])] {
    func cells(_ axis: TileAxis) -> [Int] {
      axis.starts.indices.flatMap { index in axis.cell(index).map { _ in index } }
    }
    let (columns, rows) = (cells(grid.columns), cells(grid.rows))
    var places: [Int: [Int]] = [:]
    for (place, pixel) in pixels.enumerated() {
      let (y, x) = (Int(pixel) / grid.columns.length, Int(pixel) % grid.columns.length)
      places[rows[y] * grid.columns.starts.count + columns[x], default: []].append(place)
    }
    return places.sorted { $0.key < $1.key }.map { number, places in
      (
        grid.tiles(inRow: number / grid.columns.starts.count)[number % grid.columns.starts.count], places
      )
    }
  }
}
