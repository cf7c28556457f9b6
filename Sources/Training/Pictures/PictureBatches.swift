import Base
import Synchronization
import TensorCore

/// The pictures of each step of a training, mirrored and turned at random.
package struct PictureBatches: Sendable {
  private let seed: UInt64
  /// Whether every other picture is mirrored.
  private let mirrors: Bool
  /// Whether pictures are turned by a random number of right angles.
  private let turns: Bool
  /// Order of the pictures that the last step was made on.
  private var order: PictureOrder?

  package init(seed: UInt64, mirrors: Bool, turns: Bool) {
    (self.seed, self.mirrors, self.turns) = (seed, mirrors, turns)
  }

  /// The pictures of a step.
  package struct Batch {
    /// `[N, 3, side, side]` in [-1, 1].
    package var pictures: Tensor
    /// Numbers of the pictures.
    package var indices: [Int]
    /// A generator for each picture, for what else is drawn for it.
    package var random: [Philox]
  }

  /// Reads the pictures of a step.
  /// - Parameters:
  ///   - count: pictures
  ///   - step: steps done before
  ///   - pictures: where they come from
  ///   - random: of the step; its splits from 1 to `count` are used
  /// - Throws: `DataError` when one of them cannot be read.
  package mutating func next(
    _ count: Int, step: Int, of pictures: any TrainingPictures & Sendable, random: Philox
  ) throws(DataError) -> Batch {
    let side = pictures.imageSize
    let size = 3 * side * side
    let indices = (0..<count).map { picture(at: step * count + $0, of: pictures.count) }
    var tensor = Tensor(zeros: [count, 3, side, side])
    var generators = (0..<count).map { random.split(UInt64(1 + $0)) }
    let failures = Mutex([Int: DataError]())
    tensor.withMutablePointer { target in
      generators.withUnsafeMutableBufferPointer { generators in
        // Each picture has a generator of its own.
        nonisolated(unsafe) let generators = generators
        parallelFor(count) { n in
          do throws(DataError) {
            try pictures.read(indices[n], into: target + n * size)
          } catch {
            failures.withLock { $0[n] = error }
          }
          let turn = PictureTurn(
            mirrors: mirrors && generators[n].nextWord() & 1 == 1,
            quarters: turns ? Int(generators[n].nextWord() & 3) : 0)
          turn.apply(to: target + n * size, side: side)
        }
      }
    }
    let failed = failures.withLock { $0 }
    if let first = failed.keys.min() { throw failed[first]! }
    return Batch(pictures: tensor, indices: indices, random: generators)
  }

  /// The picture in a place of the sequence that began with training, which the seed alone decides.
  private mutating func picture(at place: Int, of count: Int) -> Int {
    if order?.count != count {
      order = PictureOrder(count: count, random: Philox(seed: seed).split(.pictureOrder))
    }
    return order!.picture(at: place)
  }
}
