import ArgumentParser
import Base
import Checkpoints
import DiffusionSegmentation
import Foundation
import Images

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Label pictures.",
    discussion: """
      Writes for each picture: <stem>.npy (labels, uint8), <stem>.png (labels as an indexed picture), \
      <stem>.overlay.png and <stem>.uncertainty.png, all at the picture's own size. Pages of a TIFF file are pictures \
      of their own, stack/p001 and so on.

      Example:
        dseg predict --segmenter horses.safetensors --output masks photos/
      """)

  @OptionGroup var input: SegmenterInput
  @Option(help: "Folder to write to; made if it is not there.")
  var output: String
  @OptionGroup var common: CommonOptions
  @Argument(help: "Pictures, or folders of them.")
  var images: [String]

  func run() throws {
    try common.apply()
    let pictures = try PictureFiles.expand(images, notices: .ofThisRun)
    let stems = pictures.map { (output as NSString).appendingPathComponent($0.name) }
    try OutputGuard.check(
      outputs: stems.flatMap(PredictionFiles.names),
      inputs: OutputGuard.picturesAndMasks(pictures.map(\.path)) + [input.segmenter]
        + input.network.paths(first: input.checkpoint))
    let segmenter = try input.load(seed: common.seed)
    try createFolder(output)
    Interruption.watch()
    let bar = ProgressBar("pictures")
    var (done, failed) = ([PictureFigures](), [Failure]())
    for (index, (picture, stem)) in zip(pictures, stems).enumerated() {
      try Interruption.check(index, of: pictures.count, "pictures", in: output)
      let start = ContinuousClock.now
      if let (image, result) = try segmentation(of: picture, by: segmenter, failed: &failed) {
        try createFolder((stem as NSString).deletingLastPathComponent)
        try PredictionFiles(
          stem: stem, classes: segmenter.classes, members: segmenter.ensemble.members.count
        ).write(image, result)
        done.append(
          PictureFigures(
            image: picture.path, page: picture.page, labels: "\(stem).npy",
            uncertainty: result.imageUncertainty,
            seconds: (ContinuousClock.now - start) / .seconds(1)))
      }
      bar.update(Double(index + 1) / Double(pictures.count), "\(index + 1) of \(pictures.count)")
    }
    bar.finish()
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

  /// Nil for a picture that cannot be used: a folder of thousands does not end at it.
  private func segmentation(
    of picture: PictureFile, by segmenter: Segmenter, failed: inout [Failure]
  ) throws(DataError) -> (Image, Segmentation)? {
    try going(on: picture.title, failed: &failed) { () throws(DataError) in
      let image = try picture.image(reading: segmenter.reading, notices: .ofThisRun)
      return (image, try segmenter.segment(image, name: picture.title))
    }
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

/// The files that are written for a picture.
struct PredictionFiles {
  /// Path without extension.
  var stem: String
  var classes: ClassList
  var members: Int

  static func names(stem: String) -> [String] {
    ["\(stem).npy", "\(stem).png", "\(stem).overlay.png", "\(stem).uncertainty.png"]
  }

  func write(_ image: Image, _ result: Segmentation) throws(DataError) {
    let names = PredictionFiles.names(stem: stem)
    let labels = result.labels
    try NpyFile.write(NumericArray(labels.labels, shape: [labels.height, labels.width]), to: names[0])
    try labels.write(to: names[1], palette: classes.palette)
    try image.overlay(mask: labels, palette: classes.palette, hidden: [classes.ignoreLabel]).write(
      to: names[2])
    let most = uncertaintyScale(members: members, classes: classes.count)
    try Image(heatmap: result.uncertainty, width: image.width, height: image.height, range: 0...most)
      .write(to: names[3])
  }
}
