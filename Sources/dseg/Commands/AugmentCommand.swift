import ArgumentParser
import Augment
import Base
import Checkpoints
import DiffusionSegmentation
import Foundation
import Images

struct AugmentCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "augment",
    abstract: "See, or write, the changed copies that a training would use.",
    discussion: """
      Draws the copies of a training with the same seed. --preview shows the first pictures and their copies on one \
      sheet; with --classes the labels lie over them, and black is what nobody knows.

      Example:
        dseg augment --images horse_21/train --classes 21 --augmentations report --preview copies.png
        dseg augment --images horse_21/train --classes 21 --growth 5 --output grown/
      """)

  @Option(help: "Folder of pictures.")
  var images: String
  @Option(
    help: ArgumentHelp(
      "Number of classes, or a list of them; needs labels.", valueName: "number|classes.json"))
  var classes: String?
  @OptionGroup var reading: PictureOptions
  @OptionGroup var labels: LabelOptions
  @Option(help: "How copies are changed: report, report-literal, mild or flip.")
  var augmentations: AugmentationPreset = .report
  @Option(help: "Probability of each change.")
  var augmentProbability = AugmentationPreset.reportProbability
  @Option(help: "How many times as many pictures there are with the copies.")
  var growth = 5
  @Option(help: "Shorter side that pictures are brought to first, in pixels; their own unless given.")
  var imageSize: Int?
  @Option(help: "Pictures on the sheet.")
  var count = 8
  @Option(help: "The sheet to write.")
  var preview: String?
  @Option(help: "Folder to write all copies to, with their labels.")
  var output: String?
  @OptionGroup var common: CommonOptions

  func validate() throws {
    if preview == nil && output == nil { throw ValidationError("Missing --preview or --output.") }
    if output != nil && classes == nil { throw ValidationError("--output needs --classes.") }
    if !(1...1000).contains(count) { throw ValidationError("--count must be 1 to 1000.") }
    if let imageSize, !(1...1 << 14).contains(imageSize) {
      throw ValidationError("--image-size must be 1 to \(1 << 14).")
    }
  }

  func run() throws {
    try common.apply()
    let schedule = AugmentationSchedule(
      factor: growth, preset: augmentations, probability: augmentProbability)
    try schedule.validate()
    try preview.map { (path) throws(DataError) in try OutputGuard.Content.picture.checkEnding(of: path) }
    let source = try AugmentSource(
      images: images, classes: classes, imageSize: imageSize, reading: reading.reading, labels: labels
    )
    var failed: [Failure] = []
    if let preview {
      try OutputGuard.check(outputs: [preview], inputs: OutputGuard.picturesAndMasks(source.paths))
      try OutputGuard.checkWritable(preview, as: .picture)
      try sheet(source, schedule, failed: &failed).write(to: preview)
    }
    let written = try output.map { try write(source, schedule, to: $0, failed: &failed) } ?? 0
    source.reportInexactColors()
    let places = [preview, output].compactMap { $0 }.joined(separator: ", ")
    if common.json {
      try Terminal.printJSON(Figures(pictures: source.paths.count, failed: failed, copies: written))
    } else {
      try Terminal.output(
        "\(places): \(source.paths.count) pictures" + (written > 0 ? ", \(written) copies" : "")
          + (failed.isEmpty ? "" : "; \(failed.count) left out"))
    }
    try endWithFailures(failed.count)
  }

  private func sheet(
    _ source: AugmentSource, _ schedule: AugmentationSchedule, failed: inout [Failure]
  ) throws(DataError) -> Image {
    let copies = schedule.factor - 1
    var sheet = ContactSheet(
      columns: 1 + copies, columnTitles: ["picture"] + (1...copies).map { "copy \($0)" }, margin: 6,
      zoom: source.zoom)
    for index in 0..<min(count, source.paths.count) {
      guard let item = try source.load(index, failed: &failed) else { continue }
      sheet.append(source.shown(item))
      for copy in 0..<copies {
        sheet.append(source.shown(try augmented(item, source, schedule, copy, index)))
      }
    }
    return try sheet.image()
  }

  private func augmented(
    _ item: LabelledImage, _ source: AugmentSource, _ schedule: AugmentationSchedule, _ copy: Int,
    _ index: Int
  ) throws(DataError) -> LabelledImage {
    try schedule.augmented(
      item, copy: copy, index: index, classes: source.classes,
      random: AugmentationSchedule.random(seed: common.seed ?? 0))
  }

  /// All copies, as `<stem>_<copy>.png` and `.npy`.
  private func write(
    _ source: AugmentSource, _ schedule: AugmentationSchedule, to folder: String, failed: inout [Failure]
  ) throws -> Int {
    let copies = 0..<schedule.factor - 1
    let names = source.pictures.map { picture in copies.map { "\(folder)/\(picture.name)_\($0)" } }
    try OutputGuard.check(
      outputs: names.flatMap { $0.flatMap { ["\($0).png", "\($0).npy"] } },
      inputs: OutputGuard.picturesAndMasks(source.paths))
    try createFolder(folder)
    Interruption.watch()
    let bar = ProgressBar("copies")
    var written = 0
    for index in source.paths.indices {
      try Interruption.check(
        index * copies.count, of: source.paths.count * copies.count, "copies", in: folder)
      guard let item = try source.load(index, failed: &failed) else { continue }
      written += copies.count
      try createFolder((names[index][0] as NSString).deletingLastPathComponent)
      for copy in copies {
        let result = try augmented(item, source, schedule, copy, index)
        // The picture last: one without labels would be half of a pair.
        try NpyFile.write(
          NumericArray(result.mask.labels, shape: [result.mask.height, result.mask.width]),
          to: "\(names[index][copy]).npy")
        try result.image.write(to: "\(names[index][copy]).png")
      }
      bar.update(
        Double(index + 1) / Double(source.paths.count), "\(index + 1) of \(source.paths.count) pictures")
    }
    bar.finish()
    return written
  }

  struct Figures: Encodable {
    var pictures: Int
    var failed: [Failure]
    var copies: Int
  }
}

/// Pictures with their labels, or with none.
private struct AugmentSource {
  let pictures: [PictureFile]
  let classes: ClassList
  let zoom: Int
  private let labelled: LabelledImages?
  private let imageSize: Int?
  private let reading: PictureReading
  private let resampling: MaskResampling

  var paths: [String] { pictures.map(\.path) }

  init(
    images: String, classes text: String?, imageSize: Int?, reading: PictureReading,
    labels: LabelOptions
  ) throws(DataError) {
    (self.imageSize, self.reading, self.resampling) = (
      imageSize, reading, labels.maskResize ?? .nearest
    )
    if let text {
      let list = try labels.stored(TrainingPlan.classes(text, ignoreLabel: nil))
      let labelled = try LabelledImages(
        directory: images, classes: list, labels: labels.place, ignoresUnknown: labels.ignoreUnknown,
        nearestColors: labels.nearestColors,
        reading: reading, notices: .ofThisRun)
      (pictures, classes, self.labelled) = (labelled.pictures, list, labelled)
    } else {
      // One class for all pixels, so that it shows what is no longer known.
      (pictures, classes, labelled) = (
        try PictureFiles.expand([images], notices: .ofThisRun), ClassList(count: 1), nil
      )
    }
    // A broken first picture is told of when its turn comes.
    let first = try? pictures[0].image(reading: reading)
    zoom = max(1, 128 / (imageSize ?? first.map { min($0.width, $0.height) } ?? 128))
  }

  /// Nil for a picture that cannot be used.
  func load(_ index: Int, failed: inout [Failure]) throws(DataError) -> LabelledImage? {
    // Told once, though the sheet and the folder may both want it.
    if failed.contains(where: { $0.image == pictures[index].title }) { return nil }
    return try going(on: pictures[index].title, failed: &failed) { () throws(DataError) in try load(index) }
  }

  private func load(_ index: Int) throws(DataError) -> LabelledImage {
    var item: LabelledImage
    if let labelled {
      item = try labelled.load(index)
    } else {
      let image = try pictures[index].image(reading: reading, notices: .ofThisRun)
      item = LabelledImage(
        path: pictures[index].title, image: image,
        mask: LabelMask(width: image.width, height: image.height, label: 0))
    }
    guard let imageSize else { return item }
    let size = Image.size(width: item.image.width, height: item.image.height, shortSide: imageSize)
    item = LabelledImage(
      path: item.path, image: item.image.resized(width: size.width, height: size.height, filter: .bilinear),
      mask: item.mask.resized(
        width: size.width, height: size.height, by: resampling, ignoreLabel: classes.ignoreLabel))
    return item
  }

  func reportInexactColors() { labelled?.reportInexactColors() }

  /// With its labels over it, where there are any.
  func shown(_ item: LabelledImage) -> Image {
    guard labelled != nil else { return item.image }
    return item.image.overlay(
      mask: item.mask, palette: classes.palette, opacity: 0.4, hidden: [classes.ignoreLabel])
  }
}
