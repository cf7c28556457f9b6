import Base
import DiffusionCore
import Features
import Images
import TensorCore

/// How a latent diffusion model makes pictures.
public struct LatentDiffusionSampling: OptionTable {
  /// Ancestral sampling, with less noise, or along predictions of several steps.
  public enum Sampler: String, Sendable, CaseIterable { case ddpm, ddim, plms }

  public var sampler = Sampler.ddim
  /// Noise of the DDIM, 0 to 1.
  public var eta = 0.0
  /// Steps that are taken by DDIM and PLMS.
  public var steps = 50
  /// Class of all pictures; all classes in turn where it is nil.
  public var label: Int?
  /// How far pictures are led away from those of no class (Ho and Salimans 2022); 1 for not at all.
  public var guidance = 1.0
  /// What networks with a context are told instead of a class; nil for zeros.
  public var context: LatentDiffusionSelection.Context?

  public init() {}

  public static let options: [TableOption<LatentDiffusionSampling>] = [
    TableOption(
      "sampler",
      "Ancestral sampling (ddpm), with less noise (ddim), or along several predictions (plms). (default: ddim)",
      \.sampler),
    TableOption(
      "eta", "Noise of the DDIM, 0 to 1. (default: 0)", expected: "0 to 1", get: { "\($0.eta)" },
      set: { settings, text in
        guard let eta = Double(text), eta >= 0, eta <= 1 else { return false }
        settings.eta = eta
        return true
      }),
    TableOption(
      "sampling-steps", "Steps of DDIM and PLMS; ancestral sampling takes all. (default: 50)", \.steps),
    TableOption(
      "class", "Class of all pictures, a number from 0. (default: all classes in turn)", \.label),
    TableOption(
      "guidance", "How far pictures are led away from those of no class; 1 for not at all. (default: 1)",
      \.guidance),
    LatentDiffusionSelection.option("context")!.inside(\.selection),
  ]

  /// The context, as features choose it.
  private var selection: LatentDiffusionSelection {
    get {
      var selection = LatentDiffusionSelection()
      selection.context = context
      return selection
    }
    set { context = newValue.context }
  }
}

extension LatentDiffusion: PictureModel {
  public static var makesFrames: Bool { true }
  public var pictureSize: Int { imageSize }

  public func sheet(
    _ request: SampleRequest, settings: LatentDiffusionSampling,
    progress: (SampleProgress) throws(DataError) -> Void
  ) throws(DataError) -> Image {
    let method: LatentSampler.Method =
      switch settings.sampler {
      case .ddpm: .ancestral()
      case .ddim: .ddim(steps: settings.steps, eta: settings.eta)
      case .plms: .plms(steps: settings.steps)
      }
    let sampler = try LatentSampler(diffusion, method: method, batch: request.batch)
    let total = Double((sampler.steps?.timesteps.count ?? diffusion.steps) * request.count)
    try checkMemory(request)
    let condition = try condition(count: request.count, settings: settings)
    let latents = try sampler.sample(
      count: request.count, shape: [network.configuration.inChannels, latentSize, latentSize],
      seed: request.seed, condition: condition,
      network: { (x, times, context) throws(DataError) in
        network(x, timesteps: times, context: context)
      },
      progress: { (first, step) throws(DataError) in
        let done = first * Int(total) / request.count + step.sample.shape[0] * step.number
        try progress(
          SampleProgress(
            share: Double(done) / total, step: step.number, text: "step \(step.number)",
            frame: { () throws(DataError) in try SampleSheet.image(of: decoded(step.predXStart)) }))
      })
    return try SampleSheet.image(of: decoded(latents))
  }

  /// One after another: a picture takes many times the memory of its latents.
  private func decoded(_ latents: Tensor) throws(DataError) -> Tensor {
    var pictures: [Tensor] = []
    for index in 0..<latents.shape[0] {
      try Cancellation.check()
      pictures.append(self.pictures(of: latents.samples(index..<index + 1)).slice(0))
    }
    return stack(pictures)
  }

  private func checkMemory(_ request: SampleRequest) throws(DataError) {
    let together = Double(min(request.batch, request.count))
    let activations = Double(network.configuration.activationBytes(height: latentSize, width: latentSize))
    let decoding = autoencoder.configuration.encodingBytes(height: imageSize, width: imageSize)
    let pictures = 12 * Double(request.count) * Double(imageSize) * Double(imageSize)
    try AvailableMemory.require(
      max(together * activations, decoding) + pictures, file: "batch",
      item: "memory of \(request.count) pictures of \(imageSize) px, \(Int(together)) at a time")
  }

  private func condition(
    count: Int, settings: LatentDiffusionSampling
  ) throws(DataError) -> LatentCondition? {
    func refusal(_ name: String, _ expected: String, _ found: String) -> DataError {
      DataError(.invalidArgument, file: "--\(name)", expected: expected, found: found)
    }
    guard let channels = network.configuration.transformer?.contextChannels else {
      if let label = settings.label { throw refusal("class", "none for a model without classes", "\(label)") }
      if settings.context != nil { throw refusal("context", "none for a model without a context", "one") }
      if settings.guidance != 1 {
        throw refusal("guidance", "1 for a model that is told nothing", "\(settings.guidance)")
      }
      return nil
    }
    if let classEmbedder, settings.context == nil {
      // The last row of the table stands for no class where there is one more than a thousand.
      let isUnconditional = classEmbedder.classCount == 1001
      let classes = classEmbedder.classCount - (isUnconditional ? 1 : 0)
      guard settings.guidance == 1 || isUnconditional else {
        throw refusal("guidance", "1 for a model without a class for none", "\(settings.guidance)")
      }
      return try LatentCondition(
        classes: (0..<count).map { settings.label ?? $0 % classes }, embedding: classEmbedder.table,
        unconditionalClass: isUnconditional ? 1000 : nil, guidanceScale: settings.guidance)
    }
    if let label = settings.label { throw refusal("class", "none for a model without classes", "\(label)") }
    var tokens = Tensor(zeros: [1, channels])
    if case .tokens(let given) = settings.context { tokens = given }
    guard tokens.shape[1] == channels else {
      throw refusal("context", "tokens of \(channels) numbers", "shape \(tokens.shape)")
    }
    return try LatentCondition(
      context: stack([Tensor](repeating: tokens, count: count)),
      unconditional: settings.guidance == 1 ? nil : Tensor(zeros: [1] + tokens.shape),
      guidanceScale: settings.guidance)
  }
}
