import Base

/// Transformers in the place of a U-Net's attention blocks, which also look at a context (Rombach et al. 2022, section
/// 3.3; `SpatialTransformer` of latent-diffusion).
public struct TransformerSettings: Sendable, Equatable {
  /// Transformer blocks at each place.
  public var depth: Int
  /// Numbers of a token of the context.
  public var contextChannels: Int
  /// Whether heads of a fixed width that does not divide the channels are widened, so that they share as many channels
  /// as they can (`legacy`).
  public var isLegacy: Bool

  /// - Parameters:
  ///   - depth: transformer blocks at each place
  ///   - contextChannels: numbers of a token of the context
  ///   - isLegacy: whether heads of a fixed width that does not divide the channels are widened
  public init(depth: Int = 1, contextChannels: Int, isLegacy: Bool = true) {
    self.depth = depth
    self.contextChannels = contextChannels
    self.isLegacy = isLegacy
  }

  /// Deeper ones are not believed.
  static let mostDepth = 64
}

extension UNetConfiguration {
  /// Heads of an attention layer: how many, and the channels of each.
  package struct HeadShape: Sendable, Equatable {
    package var count: Int
    package var width: Int
    /// Channels of queries, keys and values.
    package var inner: Int { count * width }
  }

  /// How a layer of `channels` channels is divided; nil when it cannot be.
  package func headShape(channels: Int, isUpsampling: Bool = false) -> HeadShape? {
    guard let transformer else {
      let count = attention.headCount(channels: channels, isUpsampling: isUpsampling)
      return count > 0 ? HeadShape(count: count, width: channels / count) : nil
    }
    switch attention.heads {
    case .count(let count):
      return (1...max(channels, 1)).contains(count) ? HeadShape(count: count, width: channels / count) : nil
    case .channels(let width):
      guard (1...max(channels, 1)).contains(width) else { return nil }
      let count = channels / width
      return HeadShape(count: count, width: transformer.isLegacy ? channels / count : width)
    }
  }

  /// Parameters of a transformer, and multiply-adds of it for one pixel and for one pair of pixels. What a context costs
  /// follows from the number of its tokens and is left out.
  func transformerCounts(channels: Int) -> (parameters: Double, perPixel: Double, perPair: Double) {
    guard let transformer, let heads = headShape(channels: channels) else { return (0, 0, 0) }
    let (c, i, e) = (Double(channels), Double(heads.inner), Double(transformer.contextChannels))
    let depth = Double(transformer.depth)
    // Two attentions of four layers each, two of which see the context; 8 and 4 times the width between.
    let block = (4 * i * i + i) + (2 * i * i + 2 * e * i + i) + (12 * i * i + 9 * i) + 6 * i
    return (
      2 * c + (c * i + i) + (i * c + c) + depth * block, 2 * c * i + depth * 18 * i * i, depth * 2 * i
    )
  }
}
