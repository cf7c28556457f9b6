import Checkpoints
import TensorCore

extension Autoencoder {
  /// Latents of pictures as a diffusion model is trained on them, before their scale, `[N, h, w, embed]`: draws, or those
  /// before the codebook.
  /// - Parameters:
  ///   - pictures: `[N, H, W, C]` in [-1, 1]
  ///   - noise: standard normal, `[N, h, w, embed]`; without effect where there is a codebook
  public func latents(of pictures: Tensor, noise: Tensor) -> Tensor {
    let encoded = encode(pictures)
    return configuration.bottleneck == .gaussian
      ? GaussianPosterior(moments: encoded).sample(noise: noise) : encoded
  }

  /// The factor that gives latents a standard deviation of 1: its inverse, with n - 1, over all numbers of the first batch
  /// (`scale_by_std` of latent-diffusion).
  /// - Parameter latents: of any shape, two numbers or more
  /// - Returns: nil for latents that are all alike, or not finite
  public static func standardizingScale(of latents: Tensor) -> Double? {
    precondition(latents.count > 1, "the deviation of \(latents.shape)")
    let values = latents.elements.map { Double($0) }
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    guard squares > 0, squares.isFinite else { return nil }
    return 1 / (squares / Double(values.count - 1)).squareRoot()
  }

  /// Name and shape of every parameter of a network, in the order in which its layers ask for them.
  public static func parameterShapes(
    _ configuration: AutoencoderConfiguration
  ) -> [(name: String, shape: [Int])] {
    // A network that is loaded from nothing misses everything.
    let scope = WeightScope(StateDictionary([], file: ""))
    _ = Autoencoder(configuration, weights: scope)
    return scope.report.missing.map { ($0.name, $0.expected ?? []) }
  }

  /// Parameters of a network before training, as the reference's are in PyTorch: weights and biases of convolutions uniform
  /// in ±1 / sqrt(inputs), normalisations the identity, the codebook uniform in ±1 / codes.
  public static func initialParameters(
    _ configuration: AutoencoderConfiguration, random: Philox
  ) -> [NamedTensor] {
    let shapes = parameterShapes(configuration)
    let weightShapes = Dictionary(uniqueKeysWithValues: shapes.map { ($0.name, $0.shape) })
    return shapes.enumerated().map { index, parameter in
      var stream = random.split(UInt64(index))
      let isBias = parameter.name.hasSuffix(".bias")
      let layer = parameter.name.dropLast(isBias ? ".bias".count : ".weight".count)
      let weightShape = weightShapes["\(layer).weight"] ?? parameter.shape
      if weightShape.count == 1 {
        return NamedTensor(
          name: parameter.name, tensor: Tensor(repeating: isBias ? 0 : 1, shape: parameter.shape))
      }
      let isCodebook = layer == "quantize.embedding"
      let bound =
        isCodebook
        ? 1 / Float(weightShape[0]) : 1 / Float(weightShape.dropFirst().reduce(1, *)).squareRoot()
      let tensor = stream.uniform(shape: parameter.shape).mapped { (2 * $0 - 1) * bound }
      return NamedTensor(name: parameter.name, tensor: tensor)
    }
  }
}
