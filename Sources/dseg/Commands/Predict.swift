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
      <stem>.overlay.png and <stem>.uncertainty.png, all at the picture's own size. Pages of a TIFF file are pictures \
      of their own, stack/p001 and so on. With --format also <stem>.json (labelme), <stem>.geojson (QuPath), or one \
      annotations.json for all (COCO), to be corrected there and read again.

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
      outputs: stems.flatMap {
        Set(PredictionFiles.names(stem: $0, formats) + LargePrediction.names(stem: $0)).sorted()
      } + (formats.contains(.coco) ? [annotations] : []),
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
      let written = try going(on: picture.title, failed: &failed) { () throws(DataError) in
        try write(picture, by: segmenter, to: stem, formats)
      }
      if let written {
        if formats.contains(.coco), let mask = written.mask {
          let name = picture.name + "." + (picture.path as NSString).pathExtension
          annotated.append(try writer.shapes(mask, name: name))
        }
        done.append(
          PictureFigures(
            image: picture.path, page: picture.page, labels: written.labels, uncertainty: written.uncertainty,
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

  /// What was written for a picture; the mask only where it was in memory.
  private typealias Written = (labels: String, mask: LabelMask?, uncertainty: Float)

  /// Segments a picture and writes its files. A folder of thousands does not end at one that cannot be used.
  private func write(
    _ picture: PictureFile, by segmenter: Segmenter, to stem: String, _ formats: Set<LabelFormat>
  ) throws(DataError) -> Written {
    let folder = (stem as NSString).deletingLastPathComponent
    if segmenter.fit.tiling != nil, try isLarge(picture) {
      if !format.isEmpty {
        Notices.ofThisRun.add(
          .ignored, file: picture.title, item: "--format",
          "the labels of so large a picture are written as TIFF")
      }
      let stream = try PictureStream(
        contentsOf: picture.path, page: picture.page, reading: segmenter.reading, notices: .ofThisRun)
      try createFolder(folder)
      let large = LargePrediction(stem: stem, segmenter: segmenter)
      return (LargePrediction.names(stem: stem)[0], nil, try large.write(stream, name: picture.title))
    }
    let image = try picture.image(reading: segmenter.reading, notices: .ofThisRun)
    let result = try segmenter.segment(
      image, name: picture.title,
      pixelSize: Image.pixelSize(ofFile: picture.path, page: picture.page ?? 0))
    try createFolder(folder)
    try PredictionFiles(
      stem: stem, classes: segmenter.classes, members: segmenter.ensemble.members.count, formats: formats,
      picture: picture.path
    ).write(image, result)
    return (PredictionFiles.names(stem: stem, formats)[0], result.labels, result.imageUncertainty)
  }

  private func isLarge(_ picture: PictureFile) throws(DataError) -> Bool {
    let size = try Image.size(ofFile: picture.path, page: picture.page ?? 0)
    return size.width * size.height > LargePrediction.leastPixels
  }

  struct Figures: Encodable {
    var pictures: [PictureFigures]
    var failed: [Failure]
  }

  struct PictureFigures: Encodable {
    var image: String
    /// Of a file with several, counted from 0.
    var page: Int?
    var labels: String
    var uncertainty: Float
    var seconds: Double
  }
}
