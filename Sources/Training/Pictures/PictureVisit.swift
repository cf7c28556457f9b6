import TensorCore

/// One time at which a training shows a picture.
public struct PictureVisit: Sendable, Hashable {
  /// Number of the picture.
  public let picture: Int
  /// How many times it was shown before.
  public let number: Int
  private let seed: UInt64

  /// - Parameters:
  ///   - picture: number of the picture
  ///   - number: how many times it was shown before
  ///   - seed: of the training
  public init(picture: Int, number: Int, seed: UInt64) {
    (self.picture, self.number, self.seed) = (picture, number, seed)
  }

  /// The visit after so many others of the same picture.
  public func after(_ others: Int) -> PictureVisit {
    PictureVisit(picture: picture, number: number + others, seed: seed)
  }

  /// Draws which part of the picture is shown. It follows from the seed, the picture and the number of the visit alone,
  /// so that parts can be cut long before they are shown.
  public var random: Philox {
    Philox(seed: seed).split(.pictureParts).split(UInt64(picture)).split(UInt64(number))
  }
}
