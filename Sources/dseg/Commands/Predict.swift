import ArgumentParser
import DiffusionSegmentation
import Foundation

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Label pictures.",
    discussion: """
      Writes for each picture: <stem>.npy (labels, uint8), <stem>.png (labels as an indexed picture), \
      <stem>.overlay.png and <stem>.uncertainty.png, all at the picture's own size.

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
    let paths = try PictureFiles.expand(images)
    let stems = try uniqueStems(of: paths)
    let written = stems.flatMap {
      PredictionFiles.names(stem: (output as NSString).appendingPathComponent($0))
    }
    try OutputGuard.check(
      outputs: written, inputs: OutputGuard.picturesAndMasks(paths) + [input.segmenter, input.checkpoint])
    let segmenter = try input.load(seed: common.seed)
    try createFolder(output)
    let bar = ProgressBar("pictures")
    var figures: [PictureFigures] = []
    for (index, path) in paths.enumerated() {
      let start = ContinuousClock.now
      let image = try Image(contentsOf: path)
      let result = try segmenter.segment(image, name: path)
      let stem = (output as NSString).appendingPathComponent(stems[index])
      try PredictionFiles(stem: stem, classes: segmenter.classes, members: segmenter.ensemble.members.count)
        .write(image, result)
      figures.append(
        PictureFigures(
          image: path, labels: "\(stem).npy", uncertainty: result.imageUncertainty,
          seconds: (ContinuousClock.now - start) / .seconds(1)))
      bar.update(Double(index + 1) / Double(paths.count), "\(index + 1) of \(paths.count)")
    }
    bar.finish()
    if common.json {
      try Terminal.printJSON(Figures(pictures: figures))
    } else {
      let seconds = figures.reduce(0) { $0 + $1.seconds } / Double(figures.count)
      try Terminal.output("\(output): \(figures.count) pictures, \(String(format: "%.2f", seconds)) s each")
    }
  }

  struct Figures: Encodable {
    var pictures: [PictureFigures]
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
