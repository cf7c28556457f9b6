import Annotations
import ArgumentParser
import Base
import DiffusionSegmentation
import Foundation
import Images

struct Measure: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Count and measure the objects of masks, or of pictures with a segmenter.",
    discussion: """
      An object is a connected area of a class. Area and lengths are in pixels, and with --pixel-size also in its unit. \
      Centroids have the centre of the left top pixel at (0, 0), perimeters are those of scikit-image. The summary of \
      each picture, number of objects and share of the area by class, goes to standard error, or into the JSON.

      Examples:
        dseg measure --classes classes.json masks > objects.csv
        dseg measure --segmenter cells.safetensors --outlines outlines photos/
      """)

  @Option(help: "A segmenter, which labels the pictures first; without one, masks are given.")
  var segmenter: String?
  @Option(
    help: ArgumentHelp(
      "The segmenter's pretrained model, if it is no longer where it was; --also for others that it has.",
      valueName: "[name=]file"))
  var checkpoint: String?
  @OptionGroup var network: JoinedModels
  @Option(help: ArgumentHelp("Classes of masks.", valueName: "number|classes.json"))
  var classes: String?
  @Flag(
    help:
      "Take every pixel of coloured masks for the class whose colour is nearest, and say how many were not exact."
  )
  var nearestColors = false
  @Option(help: "Label of what is no object.")
  var background: UInt8 = 0
  @Option(help: "Leave out objects of fewer pixels.")
  var minimumArea = 1
  @Flag(help: "Fill holes in objects first.")
  var fillHoles = false
  @Option(help: "Which pixels are neighbours: 4 or 8.")
  var connectivity = 8
  @Option(help: "Side of a pixel, in any unit. (default: micrometres, where a TIFF file tells it)")
  var pixelSize: Double?
  @Option(help: "Folder for pictures of the outlines with the numbers of the objects.")
  var outlines: String?
  @OptionGroup var common: CommonOptions
  @Argument(
    help: "Masks (.npy, .png, .tif) or folders of them, such as dseg predict's; with --segmenter pictures.")
  var inputs: [String]

  func run() throws {
    try common.apply()
    let neighbours = try checked()
    let pictures =
      try segmenter == nil ? MaskFiles.expand(inputs) : PictureFiles.expand(inputs, notices: .ofThisRun)
    if let outlines {
      try OutputGuard.check(
        outputs: pictures.map { outline($0, in: outlines) },
        inputs: pictures.map { $0.path } + [segmenter]
          + network.paths(first: checkpoint))
      try createFolder(outlines)
    }
    let source = try source()
    let skipped: Set<UInt8> = [background, source.classes.ignoreLabel]
    var (objects, summaries, failed) = ([ObjectFigures](), [PictureSummary](), [Failure]())
    for picture in pictures {
      try Cancellation.check()
      guard
        let (image, mask, uncertainty) = try going(
          on: picture.title, failed: &failed, { () throws(DataError) in try source.load(picture) })
      else { continue }
      let size = pixelSize ?? Self.pixelSize(of: picture)
      var cleaned = fillHoles ? mask.fillingHoles(background: background, connectivity: neighbours) : mask
      if minimumArea > 1 {
        cleaned = cleaned.removingObjects(
          below: minimumArea, background: background, keeping: skipped, connectivity: neighbours)
      }
      let found = cleaned.objects(skipping: skipped, connectivity: neighbours, uncertainty: uncertainty)
      objects += found.map {
        ObjectFigures($0, picture: picture.title, classes: source.classes, pixelSize: size)
      }
      summaries.append(PictureSummary(picture.title, cleaned, found, source.classes, skipping: skipped))
      if let outlines {
        let path = outline(picture, in: outlines)
        try createFolder((path as NSString).deletingLastPathComponent)
        try (image ?? Self.dark(cleaned, source.classes.palette))
          .outlined(found, mask: cleaned, palette: source.classes.palette, skipping: skipped).write(to: path)
      }
    }
    if common.json {
      try Terminal.printJSON(Figures(objects: objects, pictures: summaries, failed: failed))
    } else {
      try Terminal.output(
        ObjectFigures.csv(objects, hasPixelSize: objects.contains { $0.areaInUnits != nil }))
      for summary in summaries { Terminal.message(summary.text) }
    }
    try endWithFailures(failed.count)
  }

  /// What the picture's file tells; arrays tell nothing. Of pixels that are not square the side of a square of their area.
  private static func pixelSize(of picture: PictureFile) -> Double? {
    guard let told = (try? Image.pixelSize(ofFile: picture.path, page: picture.page ?? 0)) ?? nil else {
      return nil
    }
    guard abs(told.x / told.y - 1) > 0.01 else { return told.x }
    Notices.ofThisRun.add(
      .suspicious, file: picture.title,
      "its pixels of \(told.x) x \(told.y) µm are not square: lengths are those of squares of their area")
    return (told.x * told.y).squareRoot()
  }

  /// A mask in dark colours, on which outlines show.
  private static func dark(_ mask: LabelMask, _ palette: Palette) -> Image {
    let picture = Image(mask: mask, palette: palette)
    return Image(width: picture.width, height: picture.height, pixels: picture.pixels.map { $0 / 3 })
  }

  private func checked() throws(DataError) -> Connectivity {
    guard let neighbours = Connectivity(rawValue: connectivity) else {
      throw DataError(.invalidArgument, file: "--connectivity", expected: "4 or 8", found: "\(connectivity)")
    }
    guard minimumArea >= 1 else {
      throw DataError(
        .invalidArgument, file: "--minimum-area", expected: "at least 1", found: "\(minimumArea)")
    }
    if let pixelSize, !(pixelSize > 0 && pixelSize.isFinite) {
      throw DataError(.invalidArgument, file: "--pixel-size", expected: "more than 0", found: "\(pixelSize)")
    }
    return neighbours
  }

  private func source() throws(DataError) -> MeasuredSource {
    if nearestColors, segmenter != nil || classes == nil {
      throw DataError(
        .invalidArgument, file: "--nearest-colors",
        expected: "masks and --classes with the colours of the classes",
        found: segmenter == nil ? "no classes" : "--segmenter")
    }
    if let segmenter {
      let file = try SegmenterFile(contentsOf: segmenter)
      var model = try Segmenter(
        file, models: network.changes(to: file, first: checkpoint, others: [:]), notices: .ofThisRun)
      if let seed = common.seed { model.prediction.seed = seed }
      return MeasuredSource(classes: model.classes, model: model, colors: nil)
    }
    guard checkpoint == nil, network.isEmpty else {
      throw DataError(
        .invalidArgument, file: checkpoint == nil ? "flags of the model" : "--checkpoint",
        expected: "--segmenter, whose model they are about", found: "masks alone")
    }
    let list = try classes.map { (text) throws(DataError) in try TrainingPlan.classes(text, ignoreLabel: nil)
    }
    return MeasuredSource(
      classes: list ?? ClassList(count: 255), model: nil, colors: nearestColors ? InexactColors() : nil)
  }

  private func outline(_ picture: PictureFile, in folder: String) -> String {
    (folder as NSString).appendingPathComponent(picture.name + ".outlines.png")
  }

  struct Figures: Encodable {
    var objects: [ObjectFigures]
    var pictures: [PictureSummary]
    var failed: [Failure]
  }
}

/// Masks, from files or from a segmenter.
private struct MeasuredSource {
  let classes: ClassList
  let model: Segmenter?
  /// For masks of other colours than the classes'.
  let colors: InexactColors?

  func load(
    _ picture: PictureFile
  ) throws(DataError) -> (image: Image?, mask: LabelMask, uncertainty: [Float]?) {
    guard let model else {
      let mask = try LabelMask(
        contentsOf: picture.path, page: picture.page, classes: classes, inexactColors: colors,
        notices: .ofThisRun)
      return (nil, mask, nil)
    }
    let image = try picture.image(reading: model.reading, notices: .ofThisRun)
    let result = try model.segment(
      image, name: picture.title, pixelSize: Image.pixelSize(ofFile: picture.path, page: picture.page ?? 0))
    return (image, result.labels, result.uncertainty)
  }
}
