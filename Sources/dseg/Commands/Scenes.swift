import ArgumentParser
import Base
import DiffusionSegmentation
import Foundation
import SyntheticScenes

struct Scenes: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write made-up pictures to try everything with.",
    discussion: """
      A made-up animal with eight kinds of parts, in any pose and before any background; with --masks also the true \
      labels, as x.mask.png, and classes.json.

      Example:
        dseg scenes --count 20 --masks --seed 1 --output train/
        dseg scenes --count 20000 --seed 2 --output unlabelled/
      """)

  @Option(help: "Number of pictures.")
  var count = 100
  @Option(help: "Side of the pictures, in pixels, 32 to 512.")
  var imageSize = 64
  @Flag(help: "Write the labels too.")
  var masks = false
  @Option(help: "The folder to write to.")
  var output: String
  @OptionGroup var common: CommonOptions

  func validate() throws {
    if count < 1 || count > 1_000_000 { throw ValidationError("--count is 1 to 1,000,000.") }
    if imageSize < 32 || imageSize > 512 { throw ValidationError("--image-size is 32 to 512.") }
  }

  func run() throws {
    try common.apply()
    try createFolder(output)
    let lock = try FolderLock(folder: output, owner: "dseg scenes")
    defer { withExtendedLifetime(lock) {} }
    Interruption.watch()
    let scenes = SyntheticScenes(seed: common.seed ?? 0, imageSize: imageSize)
    if masks { try SyntheticScenes.classes.write(to: "\(output)/classes.json") }
    let bar = ProgressBar("scenes")
    for index in 0..<count {
      try Interruption.check(index, of: count, "scenes", in: output)
      let scene = scenes.scene(index)
      let name = "\(output)/scene-\(String(format: "%06d", index))"
      // The picture last: one without labels would be half of a pair.
      if masks {
        try scene.mask.write(to: "\(name).mask.png", palette: SyntheticScenes.classes.palette)
      }
      try scene.image.write(to: "\(name).png")
      bar.update(Double(index + 1) / Double(count), "\(index + 1) of \(count)")
    }
    bar.finish()
    if common.json {
      try Terminal.printJSON(Figures(output: output, count: count))
    } else {
      try Terminal.output("\(output): \(count) scenes")
    }
  }

  struct Figures: Encodable {
    var output: String
    var count: Int
  }
}
