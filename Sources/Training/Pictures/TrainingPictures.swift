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
  /// Writes what a picture shows at a visit, as the form for a number does. Called from several threads at the same time.
  /// - Throws: `DataError` when it cannot be read (any more).
  func read(_ visit: PictureVisit, into target: UnsafeMutablePointer<Float>) throws(DataError)
  /// What a picture shows at a visit, for those who cut parts out of it. Called from several threads at the same time.
  /// - Throws: `DataError` when it cannot be read (any more).
  func image(_ visit: PictureVisit) throws(DataError) -> Image
}

extension TrainingPictures {
  /// The same at every visit.
  public func read(_ visit: PictureVisit, into target: UnsafeMutablePointer<Float>) throws(DataError) {
    try read(visit.picture, into: target)
  }

  /// The same at every visit.
  public func image(_ visit: PictureVisit) throws(DataError) -> Image { try image(visit.picture) }

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
    let epoch = epoch(at: place)
    if epochs[epoch] == nil {
      // A batch reaches into the next epoch, not back.
      epochs = epochs.filter { $0.key == epoch - 1 }
      var random = random.split(UInt64(epoch))
      epochs[epoch] = random.permutation(count)
      ordersMade += 1
    }
    return Int(epochs[epoch]![place % count])
  }

  /// How many times all pictures were seen before a place of the sequence.
  package func epoch(at place: Int) -> Int { place / count }
}
