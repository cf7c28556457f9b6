import ArgumentParser
import Backbones
import Base
import DiffusionCore
import DiffusionSegmentation
import Foundation

struct Sample: ParsableCommand {
  enum Sampler: String, ExpressibleByArgument, CaseIterable { case ddpm, ddim }

  static let configuration = CommandConfiguration(
    abstract: "Make pictures with a diffusion model.",
    discussion: """
      Writes a sheet of pictures. The same seed makes the same pictures, whatever the number of threads.

      Example:
        dseg sample --checkpoint model/model.safetensors --count 64 --sampling-steps 50 --output sheet.png
      """)

  @Option(help: "The diffusion model, a guided-diffusion checkpoint (.pt or .safetensors).")
  var checkpoint: String
  @Option(help: "Number of pictures.")
  var count = 16
  @Option(help: "Ancestral sampling (ddpm) or with less noise (ddim).")
  var sampler: Sampler = .ddim
  @Option(help: "Noise of the DDIM, 0 to 1.")
  var eta = 0.0
  @Option(help: "Steps that are taken; at most those of the diffusion.")
  var samplingSteps = 50
  @Option(
    name: [.customLong("class"), .customLong("label")],
    help: "Class of all pictures, a number from 0; all classes in turn unless given.")
  var label: Int?
  @OptionGroup var network: NetworkOptions
  @Option(help: "Pictures that are computed together.")
  var batch = 16
  @Option(help: "The sheet to write, .png or .jpg.")
  var output: String
  @Option(help: "Folder for a sheet after every step, of the clean pictures as the model sees them then.")
  var frames: String?
  @OptionGroup var common: CommonOptions

  func validate() throws {
    if count < 1 || count > 4096 { throw ValidationError("--count is 1 to 4096.") }
    if batch < 1 || batch > 4096 { throw ValidationError("--batch is 1 to 4096.") }
    if !(eta >= 0 && eta <= 1) { throw ValidationError("--eta is 0 to 1.") }
  }

  func run() throws {
    try common.apply()
    try OutputGuard.check(outputs: [output], inputs: [checkpoint])
    try OutputGuard.checkWritable(output, as: .picture)
    if let frames { try createFolder(frames) }
    let backbone = try network.diffusionBackbone(checkpoint: checkpoint)
    try SampleSheet.check(channels: backbone.network.configuration.inChannels)
    let sampler = try DiffusionSampler(
      network: backbone.network, options: backbone.options,
      method: sampler == .ddpm ? .ancestral : .ddim(eta: eta), steps: samplingSteps,
      batch: frames == nil ? batch : count)
    let classes = try self.classes(of: backbone.network.configuration)
    let bar = ProgressBar("sampling")
    let start = ContinuousClock.now
    let total = Double(sampler.diffusion.steps * count)
    let pictures = try sampler.sample(count: count, seed: common.seed ?? 0, classes: classes) {
      (first, step) throws(DataError) in
      let size = step.sample.shape[0]
      let done = Double(first * sampler.diffusion.steps + size * step.number) / total
      bar.update(done, "step \(step.number) of \(sampler.diffusion.steps)")
      if let frames {
        let name = String(format: "frame-%05d.png", step.number)
        try SampleSheet.image(of: step.predXStart).write(to: "\(frames)/\(name)")
      }
    }
    bar.finish()
    try SampleSheet.image(of: pictures).write(to: output)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    if common.json {
      try Terminal.printJSON(Figures(output: output, count: count, seconds: seconds))
    } else {
      try Terminal.output("\(output): \(count) pictures in \(String(format: "%.1f", seconds)) s")
    }
  }

  private func classes(of configuration: UNetConfiguration) throws(DataError) -> [Int]? {
    try configuration.check(conditioningClass: label)
    guard let total = configuration.classCount else { return nil }
    guard let label else { return (0..<count).map { $0 % total } }
    return [Int](repeating: label, count: count)
  }

  struct Figures: Encodable {
    var output: String
    var count: Int
    var seconds: Double
  }
}
