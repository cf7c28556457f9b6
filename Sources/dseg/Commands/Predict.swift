import Annotations
import ArgumentParser
import Base
import DiffusionSegmentation
import Foundation
import Images

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Label pictures.",
    discussion: """
      Writes for each picture: <stem>.npy (labels, uint8), <stem>.png (labels as an indexed picture), \
      <stem>.overlay.png and <stem>.uncertainty.png, all at the picture's own size. With --format also <stem>.json \
      (labelme), <stem>.geojson (QuPath), or one annotations.json for all (COCO), to be corrected there and read again.

      Example:
        dseg predict --segmenter horses.safetensors --output masks photos/
      """)

  @OptionGroup var input: SegmenterInput
  @Option(help: "Folder to write to; made if it is not there.")
  var output: String
  @Option(
    help: "Labels to write: npy, png, coco, labelme, geojson; may be given several times. (default: npy, png)"
  )
  var format: [LabelFormat] = []
  @OptionGroup var common: CommonOptions
  @Argument(help: "Pictures, or folders of them.")
  var images: [String]

  func run() throws {
    try common.apply()
    let pictures = try PictureFiles.expand(images, notices: .ofThisRun)
    guard !format.contains(.voc) else {
      throw DataError(
        .invalidArgument, file: "--format", expected: "npy, png, coco, labelme or geojson",
        found: "voc, a folder (dseg dataset convert)")
    }
    let formats = format.isEmpty ? [.npy, .png] : Set(format)
    let stems = pictures.map { (output as NSString).appendingPathComponent($0.name) }
    try OutputGuard.check(
      outputs: stems.flatMap { PredictionFiles.names(stem: $0, formats) }
        + (formats.contains(.coco) ? [annotations] : []),
      inputs: OutputGuard.picturesAndMasks(pictures.map(\.path)) + [input.segmenter]
        + input.network.paths(first: input.checkpoint))
    let segmenter = try input.load(seed: common.seed)
    try createFolder(output)
    Interruption.watch()
    let bar = ProgressBar("pictures")
    var (done, failed) = ([PictureFigures](), [Failure]())
    let writer = LabelWriter(classes: segmenter.classes)
    var annotated: [AnnotatedPicture] = []
    for (index, (picture, stem)) in zip(pictures, stems).enumerated() {
      try Interruption.check(index, of: pictures.count, "pictures", in: output)
      let start = ContinuousClock.now
      if let (image, result) = try segmentation(of: picture, by: segmenter, failed: &failed) {
        try createFolder((stem as NSString).deletingLastPathComponent)
        try PredictionFiles(
          stem: stem, classes: segmenter.classes, members: segmenter.ensemble.members.count, formats: formats,
          picture: picture.path
        ).write(image, result)
        if formats.contains(.coco) {
          let name = picture.name + "." + (picture.path as NSString).pathExtension
          annotated.append(try writer.shapes(result.labels, name: name))
        }
        done.append(
          PictureFigures(
            image: picture.path, labels: PredictionFiles.names(stem: stem, formats)[0],
            uncertainty: result.imageUncertainty,
            seconds: (ContinuousClock.now - start) / .seconds(1)))
      }
      bar.update(Double(index + 1) / Double(pictures.count), "\(index + 1) of \(pictures.count)")
    }
    bar.finish()
    if formats.contains(.coco) { try writer.writeCOCO(annotated, to: annotations) }
    if common.json {
      try Terminal.printJSON(Figures(pictures: done, failed: failed))
    } else {
      let seconds = done.reduce(0) { $0 + $1.seconds } / Double(max(done.count, 1))
      try Terminal.output(
        "\(output): \(done.count) pictures, \(String(format: "%.2f", seconds)) s each"
          + (failed.isEmpty ? "" : "; \(failed.count) left out"))
    }
    try endWithFailures(failed.count)
  }

  /// The COCO file of all pictures.
  private var annotations: String { (output as NSString).appendingPathComponent("annotations.json") }

  /// Nil for a picture that cannot be used: a folder of thousands does not end at it.
  private func segmentation(
    of picture: PictureFile, by segmenter: Segmenter, failed: inout [Failure]
  ) throws(DataError) -> (Image, Segmentation)? {
    try going(on: picture.path, failed: &failed) { () throws(DataError) in
      let image = try Image(
        contentsOf: picture.path, orientation: segmenter.orientation, notices: .ofThisRun)
      return (image, try segmenter.segment(image, name: picture.path))
    }
  }

  struct Figures: Encodable {
    var pictures: [PictureFigures]
    var failed: [Failure]
  }

  struct PictureFigures: Encodable {
    var image: String
    var labels: String
    var uncertainty: Float
    var seconds: Double
  }
}

/// The files that are written for a picture.
struct PredictionFiles {
  /// Path without extension.
  var stem: String
  var classes: ClassList
  var members: Int
  var formats: Set<LabelFormat>
  /// Path of the picture.
  var picture: String

  /// Labels first.
  static func names(stem: String, _ formats: Set<LabelFormat>) -> [String] {
    let endings: [(LabelFormat, String)] = [
      (.npy, "npy"), (.png, "png"), (.labelme, "json"), (.geojson, "geojson"),
    ]
    return endings.filter { formats.contains($0.0) }.map { "\(stem).\($0.1)" }
      + ["\(stem).overlay.png", "\(stem).uncertainty.png"]
  }

  func write(_ image: Image, _ result: Segmentation) throws(DataError) {
    let labels = result.labels
    let writer = LabelWriter(classes: classes)
    for format in [.npy, .labelme, .geojson] as [LabelFormat] where formats.contains(format) {
      try writer.write(labels, as: format, stem: stem, picture: picture)
    }
    if formats.contains(.png) { try labels.write(to: "\(stem).png", palette: classes.palette) }
    try image.overlay(mask: labels, palette: classes.palette, hidden: [classes.ignoreLabel]).write(
      to: "\(stem).overlay.png")
    let most = uncertaintyScale(members: members, classes: classes.count)
    try Image(heatmap: result.uncertainty, width: image.width, height: image.height, range: 0...most)
      .write(to: "\(stem).uncertainty.png")
  }
}
