import ArgumentParser
import Base
import DiffusionSegmentation
import Foundation
import Images

struct DatasetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dataset",
    abstract: "Look at labelled pictures in any form, and bring them to another.",
    discussion: """
      Labels are recognised by what lies in the folder: arrays or pictures of labels beside the pictures, a COCO file \
      (as CVAT and Label Studio export it), CVAT's annotations.xml, Pascal VOC (with CVAT's labelmap.txt), labelme or \
      QuPath's GeoJSON beside the pictures; or they lie in another folder (--labels).
      """,
    subcommands: [Check.self, ConvertLabels.self])

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract:
        "Report pairs, sizes, classes, duplicates and empty masks; exit code 65 when it cannot be trained on."
    )
    @Argument(help: "Folder of the pictures, or of the data set.")
    var folder: String
    @OptionGroup var input: DatasetInput
    @OptionGroup var common: CommonOptions

    func run() throws {
      try common.apply()
      let images = try input.load(folder)
      let check = try DatasetCheck(images)
      images.reportInexactColors()
      if common.json { try Terminal.printJSON(Figures(check)) } else { try Terminal.output(Self.text(check)) }
      if !check.isTrainable { throw ExitCode(65) }
    }

    struct Figures: Encodable {
      var check: DatasetCheck
      var trainable: Bool

      init(_ check: DatasetCheck) { (self.check, trainable) = (check, check.isTrainable) }
    }

    static func text(_ check: DatasetCheck) -> String {
      let total = max(1, check.classes.reduce(check.ignored) { $0 + $1.pixels })
      func share(_ count: Int) -> String { String(format: "%.2f %%", 100 * Double(count) / Double(total)) }
      var rows = [["class", "label", "pixels", "share", "pictures"]]
      for entry in check.classes {
        rows.append(
          [entry.name, "\(entry.label)", "\(entry.pixels)", share(entry.pixels), "\(entry.pictures)"])
      }
      rows.append(["ignored", "", "\(check.ignored)", share(check.ignored), ""])
      var lines = ["\(check.layout.rawValue): \(check.pairs) pictures with labels", Table(rows: rows).text]
      func list(_ title: String, _ entries: [String]) {
        guard !entries.isEmpty else { return }
        lines.append("\(title): \(entries.count)")
        lines += entries.prefix(20).map { "  \($0)" } + (entries.count > 20 ? ["  …"] : [])
      }
      list("pictures that cannot be used", check.problems.map { "\($0.picture): \($0.reason)" })
      list("pictures without labels", check.unlabelled)
      list("labels without a picture", check.loneLabels)
      list("same pictures", check.duplicates.map { $0.joined(separator: " = ") })
      list("nearly empty masks", check.nearlyEmpty)
      if let colors = check.inexactColors {
        let distance = String(format: "%.1f", colors.largestDistance)
        lines.append(
          "colours of no class: \(colors.pixels) pixels of \(colors.masks) masks, up to \(distance) away")
      }
      lines.append(check.isTrainable ? "can be trained on" : "cannot be trained on")
      return lines.joined(separator: "\n")
    }
  }

  struct ConvertLabels: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "convert",
      abstract: "Write labelled pictures in another form.",
      discussion: """
        The pictures are copied; pages of stacks become pictures of their own. The new folder appears when it is \
        complete, with the classes in classes.json.

        Example:
          dseg dataset convert cells cells-coco --to coco
        """)
    @Argument(help: "Folder of the pictures, or of the data set.")
    var folder: String
    @Argument(help: "Folder to write; it must be new or empty.")
    var output: String
    @Option(help: "The form: coco, voc, labelme, geojson, png or npy.")
    var to: LabelFormat
    @OptionGroup var input: DatasetInput
    @OptionGroup var common: CommonOptions

    func run() throws {
      try common.apply()
      let images = try input.load(folder)
      let bar = ProgressBar("pictures")
      try images.write(as: to, to: output) { share in bar.update(share, "of \(images.count)") }
      bar.finish()
      images.reportInexactColors()
      if common.json {
        try Terminal.printJSON(["pictures": images.count])
      } else {
        try Terminal.output("\(output): \(images.count) pictures as \(to.rawValue)")
      }
    }
  }
}

/// A labelled data set whose classes need not be named.
struct DatasetInput: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Number of classes, or a list of them. (default: classes.json or labelmap.txt there, or those that the labels have)",
      valueName: "number|classes.json"))
  var classes: String?
  @OptionGroup var labels: LabelOptions
  @OptionGroup var pictures: PictureOptions

  func load(_ folder: String) throws(DataError) -> LabelledImages {
    let list: ClassList
    let own = (folder as NSString).appendingPathComponent("classes.json")
    if let named = classes ?? (FileManager.default.fileExists(atPath: own) ? own : nil) {
      list = try TrainingPlan.classes(named, ignoreLabel: nil)
    } else if labels.nearestColors, ClassList.labelMapPath(in: folder, labels: labels.place) == nil {
      throw DataError(
        .invalidArgument, file: "--nearest-colors", expected: "--classes with the colours of the classes",
        found: "none")
    } else {
      list = try LabelledImages.classes(in: folder, labels: labels.place, notices: .ofThisRun)
    }
    return try LabelledImages(
      directory: folder, classes: labels.stored(list), labels: labels.place,
      ignoresUnknown: labels.ignoreUnknown, nearestColors: labels.nearestColors, reading: pictures.reading,
      notices: .ofThisRun)
  }
}
