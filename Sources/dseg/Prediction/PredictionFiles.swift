import Annotations
import Base
import Checkpoints
import DiffusionSegmentation
import Images

/// The files that are written for a picture that is in memory.
struct PredictionFiles {
  /// Path without extension.
  var stem: String
  var segmenter: Segmenter
  var outputs: PredictionOutputs
  /// Path of the picture.
  var picture: String
  var pixelSize: PixelSize?

  private var classes: ClassList { segmenter.classes }

  func write(_ image: Image, _ result: Segmentation) throws(DataError) {
    try writeLabels(result.labels, outputs.formats)
    try image.overlay(mask: result.labels, palette: classes.palette, hidden: [classes.ignoreLabel]).write(
      to: "\(stem).overlay.png")
    let most = uncertaintyScale(members: segmenter.ensemble.members.count, classes: classes.count)
    try Image(heatmap: result.uncertainty, width: image.width, height: image.height, range: 0...most)
      .write(to: "\(stem).uncertainty.png")
    try writeProbabilities(result)
  }

  /// Labels in all forms that have a file a picture.
  func writeLabels(_ labels: LabelMask, _ formats: Set<LabelFormat>) throws(DataError) {
    let writer = LabelWriter(classes: classes)
    for format in [.npy, .labelme, .geojson] as [LabelFormat] where formats.contains(format) {
      try writer.write(labels, as: format, stem: stem, picture: picture)
    }
    if formats.contains(.png) {
      try labels.write(to: "\(stem).png", palette: classes.palette, pixelSize: pixelSize)
    }
  }

  private func writeProbabilities(_ result: Segmentation) throws(DataError) {
    guard let format = outputs.probabilities, let planes = result.probabilities else { return }
    let (width, height) = (result.labels.width, result.labels.height)
    let count = planes.shape[1] * planes.shape[2]
    let elements = planes.elements
    func plane(_ label: Int) -> [Float] {
      result.geometry.restore(Array(elements[label * count..<(label + 1) * count]), outside: 0)
    }
    switch format {
    case .tif:
      var file = try ProbabilityFile(
        path: PredictionOutputs.probabilityStack(stem), width: width, height: height, classes: classes,
        pixelSize: pixelSize)
      for label in 0..<classes.count { try file.append(plane(label), label: label) }
      try file.finish()
    case .png:
      for label in 0..<classes.count {
        try DeepGreyImage(width: width, height: height, pixels: ProbabilityFile.samples(plane(label)))
          .write(to: "\(stem).probability\(label).png", pixelSize: pixelSize)
      }
    }
  }
}

/// A TIFF file with a page for each class, named after it: 65535 for a probability of 1.
struct ProbabilityFile: ~Copyable {
  private var writer: TIFFWriter

  init(
    path: String, width: Int, height: Int, classes: ClassList, pixelSize: PixelSize?
  ) throws(DataError) {
    writer = try TIFFWriter(
      path: path, width: width, height: height, kind: .deepGrey, pages: classes.count, names: classes.names,
      pixelSize: pixelSize)
  }

  /// Takes the next rows of a class.
  mutating func append(_ plane: [Float], label: Int) throws(DataError) {
    try writer.append(Self.samples(plane), page: label)
  }

  consuming func finish() throws(DataError) { try writer.finish() }

  /// What is not a number, of features that are none, becomes 0.
  static func samples(_ plane: [Float]) -> [UInt16] {
    plane.map { $0 > 0 ? UInt16((65_535 * min($0, 1)).rounded()) : 0 }
  }
}
