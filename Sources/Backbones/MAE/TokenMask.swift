import Layers
import TensorCore

/// Which patches of a picture a masked autoencoder sees.
public struct TokenMask: Sendable, Equatable {
  /// Patches that are kept, in the order in which the encoder sees them.
  public let kept: [Int]
  /// Place of each patch in the order of the noise: those below `kept.count` are kept.
  public let restore: [Int]

  /// Keeps the patches of the smallest noise, in rising order (`random_masking` of facebookresearch/mae).
  /// - Parameters:
  ///   - noise: a number for each patch
  ///   - ratio: share of the patches that are removed, 0 to 1; `count · (1 - ratio)` is cut off
  public init(noise: [Float], ratio: Double) {
    precondition((0...1).contains(ratio), "a mask of \(ratio)")
    let order = noise.indices.sorted { (noise[$0], $0) < (noise[$1], $1) }
    kept = Array(order.prefix(Int(Double(noise.count) * (1 - ratio))))
    var restore = [Int](repeating: 0, count: order.count)
    for (place, patch) in order.enumerated() { restore[patch] = place }
    self.restore = restore
  }

  /// From the places of all patches.
  /// - Parameters:
  ///   - restore: a permutation
  ///   - keptCount: how many are kept
  public init(restore: [Int], keptCount: Int) {
    var order = [Int](repeating: 0, count: restore.count)
    for (patch, place) in restore.enumerated() { order[place] = patch }
    kept = Array(order.prefix(keptCount))
    self.restore = restore
  }

  /// 1 for each patch that was removed, else 0.
  public var removed: [Float] { restore.map { $0 < kept.count ? 0 : 1 } }

  /// What the decoder sees: the class token, then each patch's token or the mask token.
  var decoderSources: [TokenSource] {
    [.input(0)] + restore.map { $0 < kept.count ? .input(1 + $0) : .shared }
  }
}
