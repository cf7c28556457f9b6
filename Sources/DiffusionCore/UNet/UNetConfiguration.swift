import Base
import Layers
import TensorCore

/// The shape of a guided-diffusion U-Net (`unet.py`, `UNetModel`), or of latent diffusion's, which may have transformers
/// where that has attention blocks (`openaimodel.py`).
public struct UNetConfiguration: Sendable, Equatable {
  /// Channels of the picture.
  public var inChannels: Int
  /// Width of the first embedding; the channels of a level are multiples of it.
  public var modelChannels: Int
  /// Channels that the network gives: those of the picture, or twice as many with a learned variance.
  public var outChannels: Int
  /// Channels of each level, from full resolution down.
  public var levelChannels: [Int]
  /// Residual blocks of each level on the way down; one more on the way up.
  public var residualBlocks: Int
  /// Whether each level has attention.
  public var levelHasAttention: [Bool]
  /// How the size changes between levels.
  public var resampling: Resampling
  /// Whether embeddings scale and shift, rather than being added.
  public var usesScaleShiftNorm: Bool
  /// Number of classes the network is conditioned on.
  public var classCount: Int?
  /// What the shapes of the weights do not tell about attention.
  public var attention: AttentionSettings
  /// What stands where guided-diffusion has attention blocks; nil for those.
  public var transformer: TransformerSettings?

  /// How the size changes between levels.
  public enum Resampling: String, Sendable, CaseIterable {
    /// 3×3 convolutions (`conv_resample`).
    case convolution
    /// Means and repetition, without weights.
    case parameterless
    /// Residual blocks (`resblock_updown`).
    case residual
  }

  public init(
    inChannels: Int = 3, modelChannels: Int, outChannels: Int, levelChannels: [Int], residualBlocks: Int,
    levelHasAttention: [Bool], resampling: Resampling = .convolution, usesScaleShiftNorm: Bool = false,
    classCount: Int? = nil, attention: AttentionSettings = .init(), transformer: TransformerSettings? = nil
  ) {
    precondition(
      levelChannels.count == levelHasAttention.count && !levelChannels.isEmpty && residualBlocks >= 0,
      "\(levelChannels.count) levels of channels and \(levelHasAttention.count) of attention")
    self.inChannels = inChannels
    self.modelChannels = modelChannels
    self.outChannels = outChannels
    self.levelChannels = levelChannels
    self.residualBlocks = residualBlocks
    self.levelHasAttention = levelHasAttention
    self.resampling = resampling
    self.usesScaleShiftNorm = usesScaleShiftNorm
    self.classCount = classCount
    self.attention = attention
    self.transformer = transformer
  }

  /// From the reference's flags: channels are `channelMult · modelChannels` truncated to a whole number, and a
  /// level has attention when its downsampling factor is among the given.
  public init(
    inChannels: Int = 3, modelChannels: Int, outChannels: Int, channelMult: [Double], residualBlocks: Int,
    attentionDownsampleFactors: Set<Int>, resampling: Resampling = .convolution,
    usesScaleShiftNorm: Bool = false,
    classCount: Int? = nil, attention: AttentionSettings = .init(), transformer: TransformerSettings? = nil
  ) {
    self.init(
      inChannels: inChannels, modelChannels: modelChannels, outChannels: outChannels,
      levelChannels: channelMult.map { Int($0 * Double(modelChannels)) }, residualBlocks: residualBlocks,
      levelHasAttention: channelMult.indices.map { attentionDownsampleFactors.contains(1 << $0) },
      resampling: resampling, usesScaleShiftNorm: usesScaleShiftNorm, classCount: classCount,
      attention: attention, transformer: transformer)
  }

  /// Groups of every normalisation (`nn.py`, `normalization`).
  public static let normGroups = 32

  /// Number of levels.
  public var levels: Int { levelChannels.count }
  /// Width of the time embedding.
  public var embeddingChannels: Int { 4 * modelChannels }
  /// Number of output blocks, which equals that of input blocks.
  public var outputBlockCount: Int { levels * (residualBlocks + 1) }
  /// Height and width of a picture must be multiples of this.
  public var sizeMultiple: Int { 1 << (levels - 1) }
  /// Whether the network also predicts the variance.
  public var hasLearnedVariance: Bool { outChannels == 2 * inChannels }

  /// - Throws: `DataError` when the output is neither of the picture's channels nor of twice as many, so that it is no
  ///   predicted noise.
  func requireNoise() throws(DataError) {
    guard outChannels == inChannels || hasLearnedVariance else {
      throw DataError(
        .unsupported, file: "network", item: "output channels",
        expected: "\(inChannels), or \(2 * inChannels) with a learned variance", found: "\(outChannels)")
    }
  }
}

/// What no shape of a weight tells about the attention layers.
public struct AttentionSettings: Sendable, Equatable {
  /// How the channels are divided.
  public enum Heads: Sendable, Equatable {
    /// This many heads, whatever the channels (`num_heads`).
    case count(Int)
    /// Heads of this many channels (`num_head_channels`).
    case channels(Int)
  }

  public var heads: Heads
  /// Number of heads on the way up when it differs (`num_heads_upsample`); without effect when heads have a
  /// fixed number of channels, as in the reference.
  public var headsUpsample: Int?
  public var order: AttentionOrder

  /// The settings of the published LSUN and FFHQ checkpoints: heads of 64 channels in legacy order.
  public init(heads: Heads = .channels(64), headsUpsample: Int? = nil, order: AttentionOrder = .legacy) {
    self.heads = heads
    self.headsUpsample = headsUpsample
    self.order = order
  }

  /// Number of heads of a layer with `channels` channels; 0 when the channels cannot be divided so.
  func headCount(channels: Int, isUpsampling: Bool) -> Int {
    switch heads {
    case .count(let count):
      let count = isUpsampling ? headsUpsample ?? count : count
      return count > 0 && channels % count == 0 ? count : 0
    case .channels(let width):
      return width > 0 && channels % width == 0 ? channels / width : 0
    }
  }
}

extension UNetConfiguration {
  /// Checks what the layers rely on.
  /// - Parameter file: where the configuration comes from, for messages
  /// - Throws: `DataError` when the channels of a level cannot be divided into groups or attention heads.
  public func validate(file: String = "U-Net") throws(DataError) {
    for (level, channels) in levelChannels.enumerated() {
      guard channels > 0, channels % UNetConfiguration.normGroups == 0 else {
        throw DataError(
          .unsupported, file: file, item: "level \(level)",
          expected: "a multiple of \(UNetConfiguration.normGroups) channels", found: "\(channels)")
      }
      // The middle block always has attention, at the channels of the last level.
      guard levelHasAttention[level] || level == levels - 1 else { continue }
      for isUpsampling in [false, true]
      where headShape(channels: channels, isUpsampling: isUpsampling) == nil {
        throw attention.mismatch(channels: attentionChannels, isDivisor: transformer == nil)
      }
    }
    if let transformer {
      guard (1...TransformerSettings.mostDepth).contains(transformer.depth), transformer.contextChannels > 0
      else {
        throw DataError(
          .unsupported, file: file, item: "transformers",
          expected: "1 to \(TransformerSettings.mostDepth) blocks, and numbers in a token of the context",
          found: "\(transformer.depth) and \(transformer.contextChannels)")
      }
    }
    guard modelChannels >= 2 else {
      throw DataError(
        .unsupported, file: file, item: "model channels", expected: "at least 2", found: "\(modelChannels)"
      )
    }
  }

  /// Channels of the layers with attention.
  public var attentionChannels: [Int] {
    Array(
      Set(
        levelChannels.indices.filter { levelHasAttention[$0] || $0 == levels - 1 }.map { levelChannels[$0] })
    )
    .sorted()
  }
}

extension AttentionSettings {
  /// No shape tells how attention divides its channels, so the message says what would fit.
  /// - Parameter isDivisor: whether heads share all channels; otherwise some may be left over
  func mismatch(channels: [Int], isDivisor: Bool) -> DataError {
    let list = channels.map { "\($0)" }.joined(separator: ", ")
    guard isDivisor else {
      let (name, count) =
        switch heads {
        case .count(let count): ("heads", count)
        case .channels(let width): ("head channels", width)
        }
      return DataError(
        .invalidArgument, file: name,
        expected: "1 to \(channels.min() ?? 1), the channels of attention (\(list))",
        found: "\(count)")
    }
    switch heads {
    case .count(let count):
      return DataError(
        .invalidArgument, file: "heads",
        expected: "a number of heads that divides the channels of attention (\(list))",
        found: "\(count)")
    case .channels(let width):
      let fitting = (1...(channels.min() ?? 1)).filter { width in channels.allSatisfy { $0 % width == 0 } }
      return DataError(
        .invalidArgument, file: "head channels",
        expected:
          "the width that the network was trained with, a divisor of the channels of attention (\(list))"
          + ", so one of \(fitting.map { "\($0)" }.joined(separator: ", "))",
        found: "\(width)")
    }
  }
}
