import ArgumentParser
import Backbones
import Base
import Checkpoints
import DiffusionSegmentation
import Foundation

struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a pretrained model as a .safetensors file that says what it needs.",
    discussion: """
      The weights keep their names. What they do not tell, such as image size, heads and schedule, goes into the file, \
      so that other commands need no flags for it. With --half it takes half the room.

      Example:
        dseg convert --checkpoint lsun_horse.pt --half --output horse.safetensors
      """)

  @Option(help: "The pretrained model, a checkpoint (.pt or .safetensors).")
  var checkpoint: String
  @Flag(help: "Round the weights to half precision.")
  var half = false
  @OptionGroup var network: NetworkOptions
  @Option(help: "The file to write.")
  var output: String
  @OptionGroup var common: CommonOptions

  func run() throws {
    try common.apply()
    try OutputGuard.check(outputs: [output], inputs: [checkpoint])
    try OutputGuard.checkWritable(output, as: .tensors)
    let file = try Checkpoint(contentsOf: checkpoint)
    try BackboneRegistry.standard.convert(
      file, kind: network.backbone, settings: network.given(), weights: network.weightsChoice,
      notices: .ofThisRun, to: output, as: half ? .float16 : .float32)
    // A device keeps nothing to look at.
    let size = AtomicFile.writesInPlace(to: output) ? 0 : try MappedFile(path: output).bytes.count
    if common.json {
      try Terminal.printJSON(Figures(output: output, bytes: size))
    } else {
      try Terminal.output("\(output): \(String(format: "%.1f", Double(size) / 1e6)) MB")
    }
  }

  struct Figures: Encodable {
    var output: String
    var bytes: Int
  }
}
