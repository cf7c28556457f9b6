import Base
import Images
import TensorCore

/// Where training takes its pictures from.
public protocol TrainingPictures {
  /// How many there are.
  var count: Int { get }
  /// Side of the square pictures, in pixels.
  var imageSize: Int { get }
  /// Class of a picture; nil where there are none.
  func label(of index: Int) -> Int?
  /// Writes a picture, `[3, imageSize, imageSize]` in [-1, 1]. Called from several threads at the same time.
  /// - Throws: `DataError` when it cannot be read (any more).
  func read(_ index: Int, into target: UnsafeMutablePointer<Float>) throws(DataError)
  /// A picture for those who cut parts out of it: as large as it is at hand. Called from several threads at the same
  /// time.
  /// - Throws: `DataError` when it cannot be read (any more).
  func image(_ index: Int) throws(DataError) -> Image
}

extension TrainingPictures {
  /// The square that `read` writes.
  public func image(_ index: Int) throws(DataError) -> Image {
    var picture = Tensor(zeros: [3, imageSize, imageSize])
    let result = picture.withMutablePointer { picture in
      Result { () throws(DataError) in try read(index, into: picture) }
    }
    try result.get()
    return Image(tensor: picture)
  }
}

/// The pictures of a training in the order in which its seed shows them.
public struct PictureSequence: Sendable {
  /// Nil until there are some.
  public var pictures: (any TrainingPictures & Sendable)?
  private let seed: UInt64
  /// Order of the pictures that the last step was made on.
  private var order: PictureOrder?

  /// - Parameter seed: of the training
  public init(seed: UInt64) { self.seed = seed }

  /// The pictures of a step, by their numbers.
  /// - Parameters:
  ///   - count: pictures of every step
  ///   - step: steps done before
  /// - Precondition: there are pictures.
  public mutating func next(
    _ count: Int, step: Int
  ) -> (pictures: any TrainingPictures & Sendable, indices: [Int]) {
    guard let pictures else { preconditionFailure("a step without pictures") }
    if order?.count != pictures.count {
      order = PictureOrder(count: pictures.count, random: Philox(seed: seed).split(.pictureOrder))
    }
    let indices = (0..<count).map { order!.picture(at: step * count + $0) }
    return (pictures, indices)
  }
}

/// An objective that is trained on pictures.
public protocol PictureObjective: Objective {
  /// The pictures, in the order of the seed.
  var sequence: PictureSequence { get set }
}

extension Trainer where Goal: PictureObjective {
  /// One step over a batch of pictures.
  /// - Parameter pictures: those of the whole training
  /// - Throws: `DataError` as the form without pictures; the state stays as it was.
  public mutating func step(
    on pictures: some TrainingPictures & Sendable
  ) throws(DataError) -> TrainingReport {
    objective.sequence.pictures = pictures
    return try step()
  }
}

/// The order in which pictures are seen: all of them once, in another order each time.
package struct PictureOrder: Sendable {
  package let count: Int
  private let random: Philox
  /// The orders that are known, each made once: a step of a few pictures must not take time for all of them.
  private var epochs: [Int: [Int32]] = [:]
  /// Orders that were made so far.
  package private(set) var ordersMade = 0

  package init(count: Int, random: Philox) {
    precondition(count > 0, "an order of no pictures")
    self.count = count
    self.random = random
  }

  /// The picture in a place of the sequence that began with training.
  package mutating func picture(at place: Int) -> Int {
    let epoch = place / count
    if epochs[epoch] == nil {
      // A batch reaches into the next epoch, not back.
      epochs = epochs.filter { $0.key == epoch - 1 }
      var random = random.split(UInt64(epoch))
      epochs[epoch] = random.permutation(count)
      ordersMade += 1
    }
    return Int(epochs[epoch]![place % count])
  }
}
