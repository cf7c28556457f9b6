import Augment
import Base
import Images
import Synchronization
import Training

/// Squares at random places of pictures.
///
/// Where a square lies follows from the seed, the picture and the number of the visit. So a picture that is not kept in
/// memory need not be decoded for each: squares of later visits are cut too, and wait. Which pictures are kept, and what
/// waits, decides on time alone.
final class PictureSquares: Sendable {
  private let canvases: [CropCanvas]
  private let cache: PictureCache
  /// Visits for which squares are cut at a time.
  private let visits: Int
  /// Squares of later visits by picture, then by visit.
  private let waiting = Mutex([Int: [Int: Image]]())

  /// Visits for which squares are cut at a time, at most.
  private static let mostVisits = 32

  /// Bytes of a cache that squares which wait may take: a quarter, where not all pictures fit into it.
  static func bytes(_ canvases: [CropCanvas], cacheBytes: Int) -> Int {
    canvases.reduce(0) { $0 + $1.keptBytes } <= cacheBytes ? 0 : cacheBytes / 4
  }

  /// - Parameters:
  ///   - canvases: sizes at which the pictures are cut
  ///   - side: of the squares
  ///   - cache: the pictures
  ///   - bytes: what squares may take that wait
  init(canvases: [CropCanvas], side: Int, cache: PictureCache, bytes: Int) {
    (self.canvases, self.cache) = (canvases, cache)
    visits = max(1, min(Self.mostVisits, bytes / (canvases.count * 3 * side * side)))
  }

  /// A square that was cut before, which waits no longer.
  func waiting(for visit: PictureVisit) -> Image? {
    waiting.withLock { $0[visit.picture]?.removeValue(forKey: visit.number) }
  }

  /// The square of a visit.
  /// - Parameters:
  ///   - visit: decides on its place
  ///   - index: the picture, or the one in its place
  /// - Throws: `DataError` when the picture cannot be read.
  func square(_ visit: PictureVisit, of index: Int) throws(DataError) -> Image {
    let canvas = canvases[index]
    return try square(canvas.tile(visit.random), of: index) { image in
      guard visits > 1 else { return }
      var later: [Int: Image] = [:]
      for visit in (1..<visits).map(visit.after) {
        later[visit.number] = canvas.square(canvas.tile(visit.random), of: image)
      }
      waiting.withLock { [later] in $0[visit.picture] = later }
    }
  }

  /// The square in the middle of a picture.
  /// - Throws: `DataError` when the picture cannot be read.
  func middle(of index: Int) throws(DataError) -> Image {
    try square(canvases[index].middle, of: index) { _ in }
  }

  /// - Parameter decoded: called with a picture that is not kept in memory
  private func square(
    _ tile: Tile, of index: Int, decoded: (Image) -> Void
  ) throws(DataError) -> Image {
    if let image = cache.kept(index) { return canvases[index].square(tile, of: image) }
    let isKept = cache.hasRoom(for: index)
    if !isKept, let square = try cache.square(tile, of: index) { return square }
    let image = try cache.image(index)
    if !isKept { decoded(image) }
    return canvases[index].square(tile, of: image)
  }
}
