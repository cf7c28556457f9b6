/// Names one activation of a model among the features of a picture.
public struct FeatureKey: Hashable, Sendable, CustomStringConvertible {
  /// Unique among the activations of a picture, in the words of its model: `step50/block8`, `layer3.2`, `w+.64.1`.
  /// Slashes separate levels, as in the names of tensors.
  public let name: String
  /// Position in the vector of a pixel, from 0: activations follow each other in ascending order.
  public let order: Int

  public init(_ name: String, order: Int) {
    self.name = name
    self.order = order
  }

  public var description: String { name }
}

/// One activation of a model as part of the vector of a pixel.
public struct FeatureSlot: Hashable, Sendable {
  public let key: FeatureKey
  /// Length of its part of the vector.
  public let channels: Int
  /// Pixels of the picture for each of its own, along either side: 1 for full resolution, 8 for an eighth.
  public let stride: Int

  /// - Precondition: the stride is at least 1.
  public init(_ key: FeatureKey, channels: Int, stride: Int) {
    precondition(stride > 0, "a stride of \(stride)")
    self.key = key
    self.channels = channels
    self.stride = stride
  }

  /// Number of values for a picture of `height × width` pixels.
  public func valueCount(height: Int, width: Int) -> Double {
    func side(_ pixels: Int) -> Double { Double((pixels + stride - 1) / stride) }
    return Double(channels) * side(height) * side(width)
  }
}
