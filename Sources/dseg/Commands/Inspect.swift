import ArgumentParser
import DiffusionSegmentation
import Foundation

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what a checkpoint or segmenter holds, and what the kernels run on.",
    discussion: """
      Example:
        dseg inspect lsun_horse.pt
      """)

  @Option(help: "Side of the pictures, in pixels, for sizes and costs. (default: what the file says, or 256)")
  var imageSize: String?
  @Option(
    help: ArgumentHelp(
      "Which network of a checkpoint that holds several. (default: the moving average)", valueName: "name"))
  var weights: String?
  @Flag(help: "List every tensor.")
  var tensors = false
  @Flag(help: "List the settings of all kinds of pretrained models instead of looking at a file.")
  var settings = false
  @OptionGroup var common: CommonOptions
  @Argument(help: "A checkpoint (.pt, .safetensors), a segmenter, or an array (.npy, .npz).")
  var file: String?

  func validate() throws {
    if (file == nil) != settings { throw ValidationError("Give a file, or --settings.") }
  }

  func run() throws {
    try common.apply()
    guard let file else {
      let list = SettingsList(.standard)
      return try common.json ? Terminal.printJSON(list) : Terminal.output(list.text)
    }
    let report = try InspectionReport(
      file: file, settings: imageSize.map { ["image-size": $0] } ?? [:],
      weights: weights.map { .named($0) } ?? .automatic)
    if common.json {
      try Terminal.printJSON(report)
    } else {
      try Terminal.output(report.text(listingTensors: tensors))
    }
  }
}
