import Base
import Features
import Images

/// A pretrained model that makes pictures, or parts of them.
public protocol PictureModel: Backbone {
  /// How they are made.
  associatedtype Sampling: OptionTable

  /// Whether it goes out from pictures that it is given.
  static var takesPictures: Bool { get }
  /// Whether there is something to show before the last step.
  static var makesFrames: Bool { get }

  /// Side of the square pictures that are made, in pixels.
  var pictureSize: Int { get }

  /// A sheet of pictures. The same request makes the same sheet, whatever the number of threads.
  /// - Parameters:
  ///   - request: how many, and from what
  ///   - settings: how they are made
  ///   - progress: called as the work goes on
  /// - Throws: `DataError` when the model makes no pictures, a setting does not fit it, there is too little memory, the
  ///   task was cancelled, or what `progress` throws.
  func sheet(
    _ request: SampleRequest, settings: Sampling,
    progress: (SampleProgress) throws(DataError) -> Void
  ) throws(DataError) -> Image
}

extension PictureModel {
  public static var takesPictures: Bool { false }
  public static var makesFrames: Bool { false }
}

/// What pictures are made from.
public struct SampleRequest: Sendable {
  /// Number of pictures.
  public var count: Int
  /// Seed of everything that is drawn.
  public var seed: UInt64
  /// Pictures that are computed together, where that makes a difference.
  public var batch: Int
  /// Squares to go out from, as many as are to be made; none for models that take none.
  public var pictures: [Image]

  public init(count: Int, seed: UInt64 = 0, batch: Int = 16, pictures: [Image] = []) {
    self.count = count
    self.seed = seed
    self.batch = batch
    self.pictures = pictures
  }
}

/// How far the making of pictures is.
public struct SampleProgress {
  /// Part that is done, 0 to 1.
  public var share: Double
  /// Number of the step, from 1.
  public var step: Int
  /// Where it stands, in words.
  public var text: String
  /// The pictures of the batch as the model sees them now; nil for models without steps.
  public var frame: (() throws(DataError) -> Image)?

  public init(
    share: Double, step: Int, text: String, frame: (() throws(DataError) -> Image)? = nil
  ) {
    self.share = share
    self.step = step
    self.text = text
    self.frame = frame
  }
}
