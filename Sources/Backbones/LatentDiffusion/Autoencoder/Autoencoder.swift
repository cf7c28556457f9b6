import Checkpoints
import Layers
import TensorCore

// pictures: [N, H, W, C]   latents: [N, h, w, embed]

/// Layers of an autoencoder whose outputs can be looked at, under the names of the checkpoints.
public typealias AutoencoderVisitor = (_ name: String, _ activation: Tensor) -> Void

/// The autoencoder of a latent diffusion model (Rombach et al. 2022; `AutoencoderKL` and `VQModel` of latent-diffusion).
public struct Autoencoder: Sendable {
  public let configuration: AutoencoderConfiguration
  private let encoder: AutoencoderEncoder
  private let decoder: AutoencoderDecoder
  private let quantConv: Conv2d
  private let postQuantConv: Conv2d
  /// Nil for a KL-regularised one.
  public let codebook: Codebook?

  /// Loads `encoder`, `quant_conv`, `post_quant_conv`, `decoder` and, if there is one, `quantize` from a scope.
  /// - Parameters:
  ///   - configuration: the architecture
  ///   - policy: how 3×3 convolutions are computed
  ///   - weights: where the parameters lie
  public init(
    _ configuration: AutoencoderConfiguration, convolutions policy: ConvolutionPolicy = .init(),
    weights: WeightScope
  ) {
    self.configuration = configuration
    let (latent, embed) = (configuration.latentChannels, configuration.embedChannels)
    let convolutions = AutoencoderConvolutions(configuration, policy)
    encoder = AutoencoderEncoder(configuration, convolutions, weights: weights.scope("encoder"))
    decoder = AutoencoderDecoder(configuration, convolutions, weights: weights.scope("decoder"))
    let factor = configuration.bottleneck == .gaussian ? 2 : 1
    quantConv = Conv2d(
      inChannels: factor * latent, outChannels: factor * embed, kernelSize: 1,
      weights: weights.scope("quant_conv"))
    postQuantConv = Conv2d(
      inChannels: embed, outChannels: latent, kernelSize: 1, weights: weights.scope("post_quant_conv"))
    if case .codebook(let codes) = configuration.bottleneck {
      let vectors = weights.tensor("quantize.embedding.weight", shape: [codes, embed])
      codebook = vectors.count == codes * embed ? Codebook(vectors: vectors) : nil
    } else {
      codebook = nil
    }
  }

  /// What the encoder tells of pictures: means and logarithms of variances, `[N, h, w, 2 · embed]`, or latents before the
  /// codebook, `[N, h, w, embed]`.
  /// - Parameters:
  ///   - pictures: `[N, H, W, C]` in [-1, 1]; sides are halved and cut off at each level
  ///   - tape: where to record; nil for inference
  ///   - visit: given the activations on the way
  public func encode(
    _ pictures: Tensor, tape: Tape? = nil, visit: AutoencoderVisitor? = nil
  ) -> Tensor {
    quantConv(encoder(pictures, tape: tape, visit: visit), tape: tape)
  }

  /// The latents of pictures without anything drawn: means, or latents before the codebook, `[N, h, w, embed]`.
  public func latents(of pictures: Tensor) -> Tensor {
    let encoded = encode(pictures)
    return configuration.bottleneck == .gaussian ? GaussianPosterior(moments: encoded).mean : encoded
  }

  /// Pictures of latents, `[N, H, W, C]`. Latents go through the codebook first, if there is one and nobody says otherwise.
  /// - Parameters:
  ///   - latents: `[N, h, w, embed]`
  ///   - quantizes: whether latents are replaced by the nearest vectors of the codebook
  ///   - tape: where to record; nil for inference
  ///   - visit: given the activations on the way
  public func decode(
    _ latents: Tensor, quantizes: Bool = true, tape: Tape? = nil, visit: AutoencoderVisitor? = nil
  ) -> Tensor {
    var latents = latents
    if let codebook, quantizes {
      latents = codebook.vectors(codebook.nearest(latents), shape: Array(latents.shape.dropLast()))
    }
    return decoder(postQuantConv(latents, tape: tape), tape: tape, visit: visit)
  }
}

/// Residual blocks, perhaps each followed by attention.
struct AutoencoderLevel: Sendable {
  let blocks: [AutoencoderResBlock]
  let attentions: [AutoencoderAttention]

  init(
    from channels: Int, to outChannels: Int, blocks count: Int, hasAttention: Bool,
    algorithm: (Int, Int) -> ConvolutionAlgorithm, weights: WeightScope
  ) {
    blocks = (0..<count).map {
      AutoencoderResBlock(
        channels: $0 == 0 ? channels : outChannels, outChannels: outChannels, algorithm: algorithm,
        weights: weights.scope("block").scope($0))
    }
    attentions =
      hasAttention
      ? (0..<count).map {
        AutoencoderAttention(channels: outChannels, weights: weights.scope("attn").scope($0))
      } : []
  }

  func callAsFunction(_ x: Tensor, name: String, tape: Tape?, visit: AutoencoderVisitor?) -> Tensor {
    var x = x
    for (index, block) in blocks.enumerated() {
      x = block(x, tape: tape)
      visit?("\(name).block.\(index)", x)
      guard !attentions.isEmpty else { continue }
      x = attentions[index](x, tape: tape)
      visit?("\(name).attn.\(index)", x)
    }
    return x
  }
}

/// The blocks of the coarsest pictures.
struct AutoencoderMiddle: Sendable {
  private let block1: AutoencoderResBlock
  private let attention: AutoencoderAttention?
  private let block2: AutoencoderResBlock

  init(
    channels: Int, hasAttention: Bool, algorithm: (Int, Int) -> ConvolutionAlgorithm, weights: WeightScope
  ) {
    func block(_ number: Int) -> AutoencoderResBlock {
      AutoencoderResBlock(
        channels: channels, outChannels: channels, algorithm: algorithm,
        weights: weights.scope("block_\(number)"))
    }
    (block1, block2) = (block(1), block(2))
    attention =
      hasAttention ? AutoencoderAttention(channels: channels, weights: weights.scope("attn_1")) : nil
  }

  func callAsFunction(_ x: Tensor, name: String, tape: Tape?, visit: AutoencoderVisitor?) -> Tensor {
    var x = block1(x, tape: tape)
    visit?("\(name).mid.block_1", x)
    if let attention {
      x = attention(x, tape: tape)
      visit?("\(name).mid.attn_1", x)
    }
    x = block2(x, tape: tape)
    visit?("\(name).mid.block_2", x)
    return x
  }
}

/// Chooses the algorithms of an autoencoder's convolutions.
struct AutoencoderConvolutions {
  private let chooser: ConvolutionChooser
  private let imageSize: Int

  init(_ configuration: AutoencoderConfiguration, _ policy: ConvolutionPolicy) {
    chooser = ConvolutionChooser(
      policy, convolutions: configuration.plannedConvolutions(imageSize: policy.imageSize))
    imageSize = policy.imageSize
  }

  /// The algorithm of 3×3 convolutions at a level.
  func callAsFunction(level: Int) -> (_ inChannels: Int, _ outChannels: Int) -> ConvolutionAlgorithm {
    let side = AutoencoderConfiguration.side(level: level, imageSize: imageSize)
    return { inChannels, outChannels in
      chooser.algorithm(PlannedConvolution(inChannels: inChannels, outChannels: outChannels, side: side))
    }
  }
}

struct AutoencoderEncoder: Sendable {
  private let convIn: Conv2d
  private let levels: [AutoencoderLevel]
  /// Of all levels but the last.
  private let downsamples: [AutoencoderDownsample]
  private let middle: AutoencoderMiddle
  private let normOut: GroupNorm
  private let convOut: Conv2d

  init(
    _ configuration: AutoencoderConfiguration, _ algorithm: AutoencoderConvolutions, weights: WeightScope
  ) {
    let widths = configuration.levelChannels
    let last = widths.count - 1
    convIn = Conv2d(
      inChannels: configuration.inChannels, outChannels: configuration.channels, kernelSize: 3, padding: 1,
      algorithm: algorithm(level: 0)(
        configuration.inChannels, configuration.channels), weights: weights.scope("conv_in"))
    levels = widths.indices.map { level in
      AutoencoderLevel(
        from: level == 0 ? configuration.channels : widths[level - 1], to: widths[level],
        blocks: configuration.residualBlocks, hasAttention: configuration.levelHasAttention[level],
        algorithm: algorithm(level: level), weights: weights.scope("down").scope(level))
    }
    downsamples = (0..<last).map {
      AutoencoderDownsample(
        channels: widths[$0], weights: weights.scope("down").scope($0).scope("downsample"))
    }
    middle = AutoencoderMiddle(
      channels: widths[last], hasAttention: configuration.middleHasAttention,
      algorithm: algorithm(level: last), weights: weights.scope("mid"))
    normOut = autoencoderNorm(widths[last], weights.scope("norm_out"))
    let outChannels = (configuration.bottleneck == .gaussian ? 2 : 1) * configuration.latentChannels
    convOut = Conv2d(
      inChannels: widths[last], outChannels: outChannels, kernelSize: 3, padding: 1,
      algorithm: algorithm(level: last)(widths[last], outChannels),
      weights: weights.scope("conv_out"))
  }

  func callAsFunction(_ pictures: Tensor, tape: Tape?, visit: AutoencoderVisitor?) -> Tensor {
    var x = convIn(pictures, tape: tape)
    visit?("encoder.conv_in", x)
    for (index, level) in levels.enumerated() {
      x = level(x, name: "encoder.down.\(index)", tape: tape, visit: visit)
      guard index < downsamples.count else { continue }
      x = downsamples[index](x, tape: tape)
      visit?("encoder.down.\(index).downsample", x)
    }
    x = middle(x, name: "encoder", tape: tape, visit: visit)
    visit?("encoder.norm_out", normOut(ConvolutionInput(x)).tensor)
    return convOut(normOut(ConvolutionInput(x), applyingSiLU: true), tape: tape)
  }
}

struct AutoencoderDecoder: Sendable {
  private let convIn: Conv2d
  private let middle: AutoencoderMiddle
  /// By level, the finest first; run from the last.
  private let levels: [AutoencoderLevel]
  /// Of the levels from 1 on.
  private let upsamples: [AutoencoderUpsample]
  private let normOut: GroupNorm
  private let convOut: Conv2d

  init(
    _ configuration: AutoencoderConfiguration, _ algorithm: AutoencoderConvolutions, weights: WeightScope
  ) {
    let widths = configuration.levelChannels
    let last = widths.count - 1
    convIn = Conv2d(
      inChannels: configuration.latentChannels, outChannels: widths[last], kernelSize: 3, padding: 1,
      algorithm: algorithm(level: last)(configuration.latentChannels, widths[last]),
      weights: weights.scope("conv_in"))
    middle = AutoencoderMiddle(
      channels: widths[last], hasAttention: configuration.middleHasAttention,
      algorithm: algorithm(level: last), weights: weights.scope("mid"))
    levels = widths.indices.map { level in
      AutoencoderLevel(
        from: level == last ? widths[last] : widths[level + 1], to: widths[level],
        blocks: configuration.residualBlocks + 1, hasAttention: configuration.levelHasAttention[level],
        algorithm: algorithm(level: level), weights: weights.scope("up").scope(level))
    }
    upsamples = (0..<last).map { level in
      AutoencoderUpsample(
        channels: widths[level + 1],
        algorithm: algorithm(level: level)(widths[level + 1], widths[level + 1]),
        weights: weights.scope("up").scope(level + 1).scope("upsample"))
    }
    normOut = autoencoderNorm(widths[0], weights.scope("norm_out"))
    convOut = Conv2d(
      inChannels: widths[0], outChannels: configuration.inChannels, kernelSize: 3, padding: 1,
      algorithm: algorithm(level: 0)(widths[0], configuration.inChannels),
      weights: weights.scope("conv_out"))
  }

  func callAsFunction(_ latents: Tensor, tape: Tape?, visit: AutoencoderVisitor?) -> Tensor {
    var x = convIn(latents, tape: tape)
    visit?("decoder.conv_in", x)
    x = middle(x, name: "decoder", tape: tape, visit: visit)
    for index in levels.indices.reversed() {
      x = levels[index](x, name: "decoder.up.\(index)", tape: tape, visit: visit)
      guard index > 0 else { continue }
      x = upsamples[index - 1](x, tape: tape)
      visit?("decoder.up.\(index).upsample", x)
    }
    visit?("decoder.norm_out", normOut(ConvolutionInput(x)).tensor)
    return convOut(normOut(ConvolutionInput(x), applyingSiLU: true), tape: tape)
  }
}
