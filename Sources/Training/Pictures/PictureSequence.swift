import Base
import TensorCore

/// The pictures of a training in the order in which its seed shows them.
public struct PictureSequence: Sendable {
  /// Nil until there are some.
  public var pictures: (any TrainingPictures & Sendable)?
  private let seed: UInt64
  /// Order of the pictures that the last step was made on.
  private var order: PictureOrder?

  /// - Parameter seed: of the training
  public init(seed: UInt64) { self.seed = seed }

  /// The pictures of a step.
  /// - Parameters:
  ///   - count: pictures of every step
  ///   - step: steps done before
  /// - Precondition: there are pictures.
  public mutating func next(
    _ count: Int, step: Int
  ) -> (pictures: any TrainingPictures & Sendable, visits: [PictureVisit]) {
    guard let pictures else { preconditionFailure("a step without pictures") }
    if order?.count != pictures.count {
      order = PictureOrder(count: pictures.count, random: Philox(seed: seed).split(.pictureOrder))
    }
    let visits = (step * count..<(step + 1) * count).map { place in
      PictureVisit(picture: order!.picture(at: place), number: order!.epoch(at: place), seed: seed)
    }
    return (pictures, visits)
  }

  /// Squares with what else is drawn for them.
  package struct Squares {
    /// `[N, 3, side, side]` in [-1, 1].
    package var pictures: Tensor
    /// Classes of the pictures; 0 for those without one.
    package var labels: [Int]
    /// A generator for each picture, for what else is drawn for it.
    package var random: [Philox]
  }

  /// Reads the squares of a step, mirrored and turned at random.
  /// - Parameters:
  ///   - count: pictures of every step
  ///   - step: steps done before
  ///   - side: of the squares, in pixels
  ///   - mirrors: whether every other picture is mirrored
  ///   - turns: whether pictures are turned by a random number of right angles
  ///   - random: of the step; its splits from 1 to `count` are used
  /// - Throws: `DataError` when one of them cannot be read.
  package mutating func squares(
    _ count: Int, step: Int, side: Int, mirrors: Bool, turns: Bool, random: Philox
  ) throws(DataError) -> Squares {
    let (pictures, visits) = next(count, step: step)
    precondition(pictures.imageSize == side, "pictures of \(pictures.imageSize) px for \(side)")
    let size = 3 * side * side
    var tensor = Tensor(zeros: [count, 3, side, side])
    var generators = (0..<count).map { random.split(UInt64(1 + $0)) }
    try tensor.withMutablePointer { target in
      generators.withUnsafeMutableBufferPointer { generators in
        // Each picture has a generator of its own.
        let generators = generators.baseAddress!
        return Result { () throws(DataError) in
          try parallelForThrowing(count) { (n) throws(DataError) in
            try pictures.read(visits[n], into: target + n * size)
            let turn = PictureTurn(
              mirrors: mirrors && generators[n].nextWord() & 1 == 1,
              quarters: turns ? Int(generators[n].nextWord() & 3) : 0)
            turn.apply(to: target + n * size, side: side)
          }
        }
      }
    }.get()
    return Squares(
      pictures: tensor, labels: visits.map { pictures.label(of: $0.picture) ?? 0 }, random: generators)
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
