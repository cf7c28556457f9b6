import Foundation
import Images
import TensorCore

/// A part of a picture that is brought to a square: how masked autoencoders see their training pictures
/// (`RandomResizedCrop` of torchvision with bicubic interpolation, then a flip).
public struct RandomResizedCrop: Sendable, Equatable {
  public var left: Int
  public var top: Int
  public var width: Int
  public var height: Int
  /// Whether the part is mirrored left to right.
  public var mirrors: Bool

  public init(left: Int, top: Int, width: Int, height: Int, mirrors: Bool) {
    (self.left, self.top, self.width, self.height) = (left, top, width, height)
    self.mirrors = mirrors
  }

  /// Draws a part of a fifth of the picture's area up to all of it, with sides of a ratio between 3:4 and 4:3; the middle
  /// where ten tries do not fit into the picture. Every other one is mirrored.
  /// - Parameters:
  ///   - width: of the picture
  ///   - height: of the picture
  ///   - smallest: share of the area that the smallest part has
  ///   - random: draws the part
  public static func draw(
    width: Int, height: Int, smallest: Double = 0.2, random: inout Philox
  ) -> RandomResizedCrop {
    let mirrors = random.nextWord() & 1 == 1
    let (low, high) = (log(3.0 / 4), log(4.0 / 3))
    for _ in 0..<10 {
      let area = Double(width * height) * random.real(in: smallest...1)
      let ratio = exp(random.real(in: low...high))
      let (w, h) = (Int((area * ratio).squareRoot().rounded()), Int((area / ratio).squareRoot().rounded()))
      guard w > 0, h > 0, w <= width, h <= height else { continue }
      return RandomResizedCrop(
        left: random.integer(below: width - w + 1), top: random.integer(below: height - h + 1), width: w,
        height: h,
        mirrors: mirrors)
    }
    // As wide, or as high, as the ratios allow.
    let (w, h) = (
      min(width, Int((Double(height) * 4 / 3).rounded())), min(height, Int((Double(width) * 4 / 3).rounded()))
    )
    return RandomResizedCrop(
      left: (width - w) / 2, top: (height - h) / 2, width: w, height: h, mirrors: mirrors)
  }

  /// The part at `size` pixels a side.
  public func apply(to image: Image, size: Int) -> Image {
    let part = image.cropped(x: left, y: top, width: width, height: height)
      .resized(width: size, height: size, filter: .bicubic)
    return mirrors ? part.mirrored() : part
  }
}
