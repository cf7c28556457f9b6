import Base
import DiffusionSegmentation
import Foundation
import Images

/// The files that are written for a picture that is too large to be in memory in all its forms: labels and uncertainty as
/// TIFF pictures of its size, and a small picture of the labels. Labels in other forms are made of a mask in memory.
struct LargePrediction {
  var files: PredictionFiles

  /// Pictures with more pixels are written so: 14 bytes a pixel would be needed at once for the files of others.
  static let leastPixels = 1 << 26
  /// Longest side of the small picture.
  private static let previewSide = 2048

  private var segmenter: Segmenter { files.segmenter }
  private var outputs: PredictionOutputs { files.outputs }

  /// Segments the picture and writes the files.
  /// - Returns: how uncertain it is as a whole, and its labels where they were asked for in a form that needs them
  func write(_ stream: PictureStream, name: String) throws(DataError) -> (score: Float, mask: LabelMask?) {
    let names = outputs.largeNames(stem: files.stem)
    let (width, height) = (stream.width, stream.height)
    let keepsMask = try keepsMask(width: width, height: height, name: name)
    let palette = segmenter.classes.palette
    let most = uncertaintyScale(members: segmenter.ensemble.members.count, classes: segmenter.classes.count)
    var labels = try TIFFWriter(
      path: names[0], width: width, height: height, kind: .labels(palette), pixelSize: stream.pixelSize)
    var uncertainty = try TIFFWriter(
      path: names[2], width: width, height: height, kind: .grey, pixelSize: stream.pixelSize)
    var probabilities: ProbabilityFile?
    if let format = outputs.probabilities {
      if format == .png {
        Notices.ofThisRun.add(
          .changed, file: name, item: "--probabilities png",
          "the probabilities of so large a picture are written as TIFF")
      }
      probabilities = try ProbabilityFile(
        path: PredictionOutputs.probabilityStack(files.stem), width: width, height: height,
        classes: segmenter.classes, pixelSize: stream.pixelSize)
    }
    let step = (max(width, height) + Self.previewSide - 1) / Self.previewSide
    let reader = SampledRows(stream, step: step)
    var (sampled, kept) = ([UInt8](), [UInt8]())
    let score = try segmenter.segment(
      reader, name: name, pixelSize: stream.pixelSize, withProbabilities: outputs.probabilities != nil
    ) { (rows) throws(DataError) in
      try labels.append(rows.labels)
      if keepsMask { kept += rows.labels }
      for (label, plane) in rows.probabilities.enumerated() {
        try probabilities?.append(plane, label: label)
      }
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
    try probabilities?.finish()
    if let preview = reader.preview {
      let mask = LabelMask(width: preview.width, height: preview.height, labels: sampled)
      try preview.overlay(mask: mask, palette: palette, hidden: [segmenter.classes.ignoreLabel]).write(
        to: names[1])
    }
    Notices.ofThisRun.add(
      .changed, file: name,
      "\(width) x \(height) pixels are written as TIFF files, uncertainty as a 255th of \(most) nats; the overlay shows "
        + "every \(step)th")
    guard keepsMask else { return (score, nil) }
    let mask = LabelMask(width: width, height: height, labels: kept)
    var files = files
    files.pixelSize = stream.pixelSize
    try files.writeLabels(mask, Set(outputs.format))
    return (score, mask)
  }

  /// Whether labels were asked for in a form that is made of all of them at once.
  /// - Throws: `DataError` when there is no memory for that.
  private func keepsMask(width: Int, height: Int, name: String) throws(DataError) -> Bool {
    guard !outputs.format.isEmpty else { return false }
    guard width * height <= Image.maximumPixelCount else {
      Notices.ofThisRun.add(
        .leftOut, file: name, item: "--format",
        "labels of more than \(Image.maximumPixelCount) pixels are written as TIFF alone")
      return false
    }
    // The labels twice, the numbers of connected areas, and which of their edges are done.
    try AvailableMemory.require(
      7 * Double(width) * Double(height), file: name, item: "memory of labels in the forms of --format")
    return true
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

  /// - Throws: `DataError` of kind `.cancelled` after a signal too: a picture may take hours, and is none in parts.
  func read(rows count: Int) throws(DataError) -> Image? {
    if Interruption.isRequested { throw DataError(.cancelled, file: "", found: "interrupted") }
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
