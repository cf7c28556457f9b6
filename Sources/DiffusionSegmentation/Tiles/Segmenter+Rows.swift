import Augment
import Base
import Features
import Images
import TensorCore

/// What a segmenter says about some rows of a picture.
public struct SegmentedRows: Sendable {
  /// Which rows of the picture these are.
  public var rows: Range<Int>
  /// The winning class of each pixel, `[rows, width]`.
  public var labels: [UInt8]
  /// Disagreement of the members about each pixel in nats, `[rows, width]`.
  public var uncertainty: [Float]
  /// Averaged probabilities of each class, `[rows, width]` each; empty unless they were asked for.
  public var probabilities: [[Float]] = []
}

extension Segmenter {
  /// Rows that are handed over at a time where all are known before.
  private static var restoredRows: Int { 256 }

  /// Labels a picture that may be larger than memory, from the top to the bottom, in tiles.
  ///
  /// The labels are those of `segment` for the same picture. Where pictures are cut at their own size and labels are not
  /// changed in the end (`PredictionSettings.postProcessing`), no more than the rows of one row of tiles are in memory;
  /// else the labels and the uncertainty at the size at which the picture is cut.
  /// - Parameters:
  ///   - reader: the picture, from its first row on
  ///   - name: the picture's file, for messages and for what is random
  ///   - pixelSize: how large a pixel is, for tiles whose scale depends on it
  ///   - withProbabilities: whether the averaged probabilities are wanted too
  ///   - handler: called with all rows in their order
  /// - Returns: mean uncertainty of the most uncertain tenth of the pixels, at the size at which the picture is cut
  /// - Throws: `DataError` when the picture cannot be read, or is too large for what has to be in memory; of kind
  ///   `.unsupported` for a segmenter that does not cut pictures into tiles; what the handler throws.
  public func segment(
    _ reader: any RowReader, name: String, pixelSize: PixelSize? = nil, withProbabilities: Bool = false,
    handler: (SegmentedRows) throws(DataError) -> Void
  ) throws(DataError) -> Float {
    guard let tiling = fit.tiling else {
      throw DataError(
        .unsupported, file: name, item: "fit", expected: "tile, for a picture that is read in rows",
        found: "\(fit)")
    }
    let geometry = try fit.geometry(
      width: reader.width, height: reader.height, input: features.input, pixelSize: pixelSize, name: name)
    let isOwnSize = geometry.resizedWidth == reader.width && geometry.resizedHeight == reader.height
    let streams = isOwnSize && prediction.postProcessing == .none
    try checkMemory(of: geometry, streams: streams, withProbabilities: withProbabilities, name: name)
    var tally = UncertaintyTally(
      most: uncertaintyScale(members: ensemble.members.count, classes: classes.count))
    var whole = SegmentedRows(
      rows: 0..<geometry.contentHeight, labels: [], uncertainty: [],
      probabilities: withProbabilities ? Array(repeating: [], count: classes.count) : [])
    try segmentTiles(
      of: reader, geometry: geometry, grid: grid(tiling, geometry), name: name,
      withProbabilities: withProbabilities
    ) { (rows) throws(DataError) in
      let content = Self.content(of: rows, geometry)
      tally.add(content.uncertainty)
      if streams { return try handler(content) }
      whole.labels += content.labels
      whole.uncertainty += content.uncertainty
      for (label, plane) in content.probabilities.enumerated() { whole.probabilities[label] += plane }
    }
    guard !streams else { return tally.score }
    let mask = prediction.postProcessing.apply(
      to: LabelMask(width: geometry.contentWidth, height: geometry.contentHeight, labels: whole.labels))
    for first in stride(from: 0, to: reader.height, by: Self.restoredRows) {
      let rows = first..<min(reader.height, first + Self.restoredRows)
      try handler(
        SegmentedRows(
          rows: rows, labels: geometry.restore(mask, rows: rows, ignoreLabel: classes.ignoreLabel).labels,
          uncertainty: geometry.restore(whole.uncertainty, rows: rows, outside: 0),
          probabilities: whole.probabilities.map { geometry.restore($0, rows: rows, outside: 0) }))
    }
    return tally.score
  }

  /// What is not mirrored of some rows.
  private static func content(of rows: CanvasRows, _ geometry: FittedGeometry) -> SegmentedRows {
    let kept = rows.rows.clamped(to: 0..<geometry.contentHeight)
    let (width, content) = (geometry.networkWidth, geometry.contentWidth)
    func cut<Results: Collection>(_ results: Results) -> [Results.Element] where Results.Index == Int {
      if kept == rows.rows && content == width { return Array(results) }
      let start = results.startIndex
      return (0..<kept.count).flatMap { results[start + $0 * width..<start + $0 * width + content] }
    }
    let planes = rows.probabilities.map { planes in
      let (count, elements) = (rows.rows.count * width, planes.elements)
      return (0..<planes.shape[0]).map { cut(elements[$0 * count..<($0 + 1) * count]) }
    }
    return SegmentedRows(
      rows: kept, labels: cut(rows.labels), uncertainty: cut(rows.uncertainty), probabilities: planes ?? [])
  }

  private func checkMemory(
    of geometry: FittedGeometry, streams: Bool, withProbabilities: Bool, name: String
  ) throws(DataError) {
    let (width, side) = (Double(geometry.networkWidth), Double(features.input.size))
    // The canvas, a strip of the picture and its copies.
    let probabilities = withProbabilities ? 4 * Double(classes.count) : 0
    var bytes = width * side * (4 * Double(classes.count + 1) + 16 + 3 * probabilities)
    if !streams {
      guard isAcceptableSize(width: geometry.contentWidth, height: geometry.contentHeight) else {
        throw DataError(
          .unsupported, file: name, item: "size",
          expected:
            "at most \(Image.maximumPixelCount) pixels at the size at which it is cut, unless that is its own "
            + "and labels are not post-processed",
          found: "\(geometry.contentWidth) x \(geometry.contentHeight)")
      }
      bytes += (10 + probabilities) * Double(geometry.contentWidth) * Double(geometry.contentHeight)
    }
    try AvailableMemory.require(bytes, file: name, item: "memory of the labels of a picture in tiles")
    try features.checkMemory(
      height: features.input.size, width: features.input.size, precision: featurePrecision, name: name)
  }
}
