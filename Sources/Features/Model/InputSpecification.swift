import Images

/// The pictures that a model takes, known before the first one is read.
public struct InputSpecification: Sendable, Equatable {
  /// Side of the square pictures that the model was trained on, in pixels.
  public var size: Int
  /// Height and width must be multiples of this.
  public var multiple: Int
  /// Pixels of the largest picture that it takes. Time and memory grow with the picture, those of attention with its
  /// square.
  public var largestPixels: Int
  /// Whether it takes pictures of `size × size` and no others.
  public var isFixedSize: Bool
  public var channels: Int
  /// Maps 8-bit samples to the values that the model was trained on.
  public var normalization: Normalization

  /// - Parameters:
  ///   - size: side of the square pictures that the model was trained on, in pixels
  ///   - multiple: what height and width must be multiples of
  ///   - largestPixels: 16 times those of the square unless given
  ///   - isFixedSize: whether pictures of `size × size` are taken and no others
  ///   - channels: of a picture
  ///   - normalization: maps 8-bit samples to the values that the model was trained on
  public init(
    size: Int, multiple: Int = 1, largestPixels: Int? = nil, isFixedSize: Bool = false, channels: Int = 3,
    normalization: Normalization
  ) {
    self.size = size
    self.multiple = multiple
    // The size may be what a file says, so anything.
    let side = min(max(size, 0), 1 << 24)
    self.largestPixels = largestPixels ?? (isFixedSize ? 1 : 16) * side * side
    self.isFixedSize = isFixedSize
    self.channels = channels
    self.normalization = normalization
  }
}
