import Base
import Checkpoints
import Features
import Images
import TensorCore
import Training

extension MAEPretrainingSettings: PretrainingSettings {
  public static var kind: String { MAE.kind }
  public static var summary: String { "a masked autoencoder (He et al. 2022)" }
  public static var lossTerms: [String] { [] }
  public static var usesWholePictures: Bool { true }

  public static let options: [TableOption<MAEPretrainingSettings>] =
    networkRows + pictureRows + trainerRows()

  private static let networkRows: [TableOption<MAEPretrainingSettings>] = {
    let usual = MAEPretrainingSettings()
    return [
      TableOption(
        "image-size", "Side of the pictures that the network sees, in pixels. (default: \(usual.imageSize))",
        \.imageSize),
      TableOption(
        "patch-size", "Side of a patch, in pixels. (default: \(usual.patchSize))", \.patchSize),
      TableOption(
        "width", "Channels of a token in the encoder. (default: \(usual.encoder.channels))",
        \.encoderWidth),
      TableOption("depth", "Blocks of the encoder. (default: \(usual.encoder.depth))", \.encoder.depth),
      TableOption(
        "heads", "Attention heads of the encoder. (default: \(usual.encoder.heads))", \.encoder.heads),
      TableOption(
        "decoder-width", "Channels of a token in the decoder. (default: \(usual.decoder.channels))",
        \.decoderWidth),
      TableOption(
        "decoder-depth", "Blocks of the decoder. (default: \(usual.decoder.depth))", \.decoder.depth),
      TableOption(
        "decoder-heads", "Attention heads of the decoder. (default: \(usual.decoder.heads))",
        \.decoder.heads),
    ]
  }()

  private static let pictureRows: [TableOption<MAEPretrainingSettings>] = {
    let usual = MAEPretrainingSettings()
    return [
      TableOption(
        "mask-ratio", "Share of the patches that are removed. (default: \(usual.maskRatio))", \.maskRatio),
      TableOption(
        "norm-pix-loss",
        "Whether patches are compared less their mean and over their deviation. (default: true)",
        \.normalizesPatches),
      TableOption(
        "smallest-crop",
        "Share of a picture's area that the smallest part of it has that is shown. (default: \(usual.smallestCrop))",
        \.smallestCrop),
      TableOption(
        "statistics",
        "What pictures are normalised by: their own means and deviations, or ImageNet's. (default: own)",
        \.statistics),
      TableOption("flips", "Whether every other part is mirrored. (default: true)", \.flips),
      TableOption(
        "quarter-turns", "Whether parts are turned by random right angles. (default: false)",
        \.quarterTurns),
    ]
  }()

  /// An MLP has four times the channels of a token.
  private var encoderWidth: Int {
    get { encoder.channels }
    set { (encoder.channels, encoder.hidden) = (newValue, 4 &* newValue) }
  }
  private var decoderWidth: Int {
    get { decoder.channels }
    set { (decoder.channels, decoder.hidden) = (newValue, 4 &* newValue) }
  }

  /// A learning rate that rises over a twentieth of the steps, then falls to 0.
  public mutating func plan(steps: Int?) -> [String] {
    if trainer.cosineSteps != nil { return [] }
    guard let steps else {
      return ["the learning rate stays: --steps or --cosine-steps tell when it is to have fallen to 0"]
    }
    trainer.cosineSteps = steps
    if trainer.warmUpSteps == 0 { trainer.warmUpSteps = steps / 20 }
    return [
      "the learning rate rises over \(trainer.warmUpSteps) steps and has fallen to 0 after \(steps): --warm-up and --cosine-steps change that"
    ]
  }

  public func objective() -> MAEObjective { MAEObjective(self) }

  /// As the reference begins (`initialize_weights`): matrices after Glorot and Bengio, tokens of deviation 0.02.
  public func initialParameters() -> [NamedTensor] {
    let random = Philox(seed: trainer.seed).split(.initialWeights)
    let patch = patchSize * patchSize * configuration.inChannels
    let shapes = configuration.parameterShapes.filter { MAEConfiguration.isTrained($0.name) }
    return shapes.enumerated().map { index, parameter in
      var stream = random.split(UInt64(index))
      func uniform(_ bound: Double) -> Tensor {
        stream.uniform(shape: parameter.shape).mapped { (2 * $0 - 1) * Float(bound) }
      }
      let (name, shape) = parameter
      let tensor: Tensor
      switch name {
      case "cls_token", "mask_token": tensor = stream.normal(shape: shape) * 0.02
      case "patch_embed.proj.bias": tensor = uniform(1 / Double(patch).squareRoot())
      case _ where shape.count > 1:
        // The patch embedding is seen as a matrix.
        let inputs = shape.dropFirst().reduce(1, *)
        tensor = uniform((6 / Double(inputs + shape[0])).squareRoot())
      case _ where name.hasSuffix(".weight"): tensor = Tensor(repeating: 1, shape: shape)
      default: tensor = Tensor(zeros: shape)
      }
      return NamedTensor(name: name, tensor: tensor)
    }
  }

  public func modelMetadata(of goal: MAEObjective) -> [String: String] {
    var options = MAEOptions()
    (options.heads, options.decoderHeads) = (encoder.heads, decoder.heads)
    options.normalizesPatches = normalizesPatches
    if case .statistics(let mean, let deviation) = goal.normalization {
      options.pixelMean = mean.map { Double($0) }
      options.pixelDeviation = deviation.map { Double($0) }
    }
    return options.metadata
  }

  /// In the order of the published files.
  public func modelTensors(_ trained: [NamedTensor], of goal: MAEObjective) -> [NamedTensor] {
    let all = Dictionary(uniqueKeysWithValues: (trained + goal.positions).map { ($0.name, $0) })
    return configuration.parameterShapes.map { all[$0.name]! }
  }

  /// Pictures of the training with the patches that are removed, and as the network paints them.
  public func sheet(
    of model: MaskedAutoencoder, goal: MAEObjective, samples: SampleSettings
  ) throws(DataError) -> Image {
    guard let pictures = goal.sequence.pictures else { preconditionFailure("a sheet without pictures") }
    var sheet = MAESheet(
      model, maskRatio: maskRatio, normalizesPatches: normalizesPatches,
      normalization: goal.normalization ?? .imageNet, columns: samples.count > 4 ? 2 : 1)
    for index in 0..<min(samples.count, pictures.count) {
      let image = try pictures.image(index).centerCropped(size: imageSize)
      sheet.append(image, random: Philox(seed: trainer.seed).split(UInt64(index)))
    }
    return try sheet.image()
  }
}
