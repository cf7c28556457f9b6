import Base
import DiffusionCore
import Features
import Images

/// How a diffusion model makes pictures.
public struct DiffusionSampling: OptionTable {
  public enum Sampler: String, Sendable, CaseIterable { case ddpm, ddim }

  /// Ancestral sampling, or with less noise.
  public var sampler = Sampler.ddim
  /// Noise of the DDIM, 0 to 1.
  public var eta = 0.0
  /// Steps that are taken; at most those of the diffusion.
  public var steps = 50
  /// Class of all pictures; all classes in turn where it is nil.
  public var label: Int?

  public init() {}

  public static let options: [TableOption<DiffusionSampling>] = [
    TableOption("sampler", "Ancestral sampling (ddpm) or with less noise (ddim). (default: ddim)", \.sampler),
    TableOption(
      "eta", "Noise of the DDIM, 0 to 1. (default: 0)", expected: "0 to 1", get: { "\($0.eta)" },
      set: { settings, text in
        guard let eta = Double(text), eta >= 0, eta <= 1 else { return false }
        settings.eta = eta
        return true
      }),
    TableOption(
      "sampling-steps", "Steps that are taken; at most those of the diffusion. (default: 50)", \.steps),
    TableOption(
      "class", "Class of all pictures, a number from 0. (default: all classes in turn)", \.label),
  ]
}

extension DiffusionBackbone: PictureModel {
  public static var makesFrames: Bool { true }
  public var pictureSize: Int { options.imageSize }

  public func sheet(
    _ request: SampleRequest, settings: DiffusionSampling,
    progress: (SampleProgress) throws(DataError) -> Void
  ) throws(DataError) -> Image {
    try SampleSheet.check(channels: network.configuration.inChannels)
    let sampler = try DiffusionSampler(
      network: network, options: options,
      method: settings.sampler == .ddpm ? .ancestral : .ddim(eta: settings.eta), steps: settings.steps,
      batch: request.batch)
    let count = request.count
    try network.configuration.check(conditioningClass: settings.label)
    let classes = network.configuration.classCount.map { total in
      (0..<count).map { settings.label ?? $0 % total }
    }
    let total = Double(sampler.diffusion.steps * count)
    let pictures = try sampler.sample(count: count, seed: request.seed, classes: classes) {
      (first, step) throws(DataError) in
      let done = first * sampler.diffusion.steps + step.sample.shape[0] * step.number
      try progress(
        SampleProgress(
          share: Double(done) / total, step: step.number,
          text: "step \(step.number) of \(sampler.diffusion.steps)",
          frame: { () throws(DataError) in try SampleSheet.image(of: step.predXStart) }))
    }
    return try SampleSheet.image(of: pictures)
  }
}
