import Base
import DiffusionSegmentation
import Foundation
import Images

/// The files that are written for a picture that is too large to be in memory in all its forms: labels and uncertainty as
/// TIFF pictures of its size, and a small picture of the labels.
struct LargePrediction {
  /// Path without extension.
  var stem: String
  var segmenter: Segmenter

  /// Pictures with more pixels are written so: 14 bytes a pixel would be needed at once for the files of others.
  static let leastPixels = 1 << 26
  /// Longest side of the small picture.
  private static let previewSide = 2048

  static func names(stem: String) -> [String] {
    ["\(stem).tif", "\(stem).overlay.png", "\(stem).uncertainty.tif"]
  }

  /// Segments the picture and writes the files.
  /// - Returns: how uncertain it is as a whole
  func write(_ stream: PictureStream, name: String) throws(DataError) -> Float {
    let names = Self.names(stem: stem)
    let (width, height) = (stream.width, stream.height)
    let palette = segmenter.classes.palette
    let most = uncertaintyScale(members: segmenter.ensemble.members.count, classes: segmenter.classes.count)
    var labels = try TIFFWriter(
      path: names[0], width: width, height: height, kind: .labels(palette), pixelSize: stream.pixelSize)
    var uncertainty = try TIFFWriter(
      path: names[2], width: width, height: height, kind: .grey, pixelSize: stream.pixelSize)
    let step = (max(width, height) + Self.previewSide - 1) / Self.previewSide
    let reader = SampledRows(stream, step: step)
    var sampled: [UInt8] = []
    let score = try segmenter.segment(reader, name: name, pixelSize: stream.pixelSize) {
      (rows) throws(DataError) in
      try labels.append(rows.labels)
      // What is not a number, of features that are none, is black.
      try uncertainty.append(
        rows.uncertainty.map { $0 > 0 ? UInt8(min(255 * $0 / most, 255).rounded()) : 0 })
      for row in rows.rows where row % step == step / 2 {
        let start = (row - rows.rows.lowerBound) * width
        sampled += stride(from: step / 2, to: width, by: step).map { rows.labels[start + $0] }
      }
    }
    try labels.finish()
    try uncertainty.finish()
    if let preview = reader.preview {
      let mask = LabelMask(width: preview.width, height: preview.height, labels: sampled)
      try preview.overlay(mask: mask, palette: palette, hidden: [segmenter.classes.ignoreLabel]).write(
        to: names[1])
    }
    Notices.ofThisRun.add(
      .changed, file: name,
      "\(width) x \(height) pixels are written as TIFF files, uncertainty as a 255th of \(most) nats; the overlay shows "
        + "every \(step)th")
    return score
  }
}

/// Passes rows on, and keeps of every `step` rows one, and of its pixels one of every `step`.
private final class SampledRows: RowReader {
  private let stream: PictureStream
  private let step: Int
  private var row = 0
  private var pixels: [UInt8] = []
  private var rows = 0

  init(_ stream: PictureStream, step: Int) { (self.stream, self.step) = (stream, step) }

  var width: Int { stream.width }
  var height: Int { stream.height }

  /// The pixels that were kept; nil for none.
  var preview: Image? {
    rows > 0 ? Image(width: pixels.count / 3 / rows, height: rows, pixels: pixels) : nil
  }

  func read(rows count: Int) throws(DataError) -> Image? {
    guard let part = try stream.read(rows: count) else { return nil }
    for line in 0..<part.height where (row + line) % step == step / 2 {
      for x in stride(from: step / 2, to: width, by: step) {
        let start = 3 * (line * width + x)
        pixels += part.pixels[start..<start + 3]
      }
      rows += 1
    }
    row += part.height
    return part
  }
}
