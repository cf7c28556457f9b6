import Images

/// What lies outside of a picture that is read beyond its edge.
public enum Border: Sendable, Hashable {
  /// The picture mirrored, without repeating the pixel at the edge (OpenCV's `BORDER_REFLECT_101`).
  case reflect
  /// The pixel at the edge, over and over.
  case replicate
  /// One colour, which also takes part in the interpolation along the edge, and one label.
  case constant(color: RGB, label: UInt8)

  /// The pixel of 0..<size that stands for `index`; nil where the border is a constant.
  @inline(__always)
  func source(_ index: Int, size: Int) -> Int? {
    if index >= 0 && index < size { return index }
    switch self {
    case .reflect:
      guard size > 1 else { return 0 }
      let period = 2 * (size - 1)
      let phase = (index % period + period) % period
      return min(phase, period - phase)
    case .replicate: return min(max(index, 0), size - 1)
    case .constant: return nil
    }
  }
}
