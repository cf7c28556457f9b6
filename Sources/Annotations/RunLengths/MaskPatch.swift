import Base
import Images

/// A binary mask of a rectangle of a picture, as CVAT and labelme have it: lengths of runs of pixels outside and inside
/// in turn, outside first, row by row.
public struct MaskPatch: Sendable, Hashable {
  /// Column of its first pixels; what lies outside the picture is cut off.
  public let left: Int
  /// Row of its first pixels.
  public let top: Int
  /// In pixels.
  public let width: Int
  /// In pixels.
  public let height: Int
  /// The lengths, which add up to width * height; the first may be 0.
  public let counts: [Int]

  /// - Parameters:
  ///   - left: column of its first pixels
  ///   - top: row of its first pixels
  ///   - width: in pixels
  ///   - height: in pixels
  ///   - counts: lengths of the runs
  ///   - file: stands in messages
  ///   - item: the part of the file, for messages
  /// - Throws: `DataError` of kind `.malformed` when the rectangle is none or lies beyond `Point.maximumCoordinate`, a
  ///   length is negative, or they do not add up to its pixels; of kind `.unsupported` for too many pixels.
  public init(
    left: Int, top: Int, width: Int, height: Int, counts: [Int], file: String, item: String
  ) throws(DataError) {
    let most = Int(Point.maximumCoordinate)
    guard (-most...most).contains(left), (-most...most).contains(top) else {
      throw DataError(
        .malformed, file: file, item: item, expected: "a place between -\(most) and \(most)",
        found: "(\(left), \(top))")
    }
    // The rules are those of run lengths, whatever they go along.
    let runs = try RunLengths(width: width, height: height, counts: counts, file: file, item: item)
    (self.left, self.top, self.width, self.height, self.counts) = (left, top, width, height, runs.counts)
  }

  /// The pixels of a picture of labels that are not 0.
  /// - Parameters:
  ///   - mask: of the rectangle
  ///   - left: column of its first pixels
  ///   - top: row of its first pixels
  ///   - file: stands in messages
  ///   - item: the part of the file, for messages
  /// - Throws: `DataError`, see `init(left:top:width:height:counts:file:item:)`; of kind `.unsupported` for more than
  ///   `maximumRuns`.
  public init(_ mask: LabelMask, left: Int, top: Int, file: String, item: String) throws(DataError) {
    var (counts, isInside) = ([0], false)
    for label in mask.labels {
      if (label != 0) != isInside {
        guard counts.count < Self.maximumRuns else {
          throw DataError(
            .unsupported, file: file, item: item, expected: "a mask of at most \(Self.maximumRuns) runs",
            found: "more")
        }
        counts.append(0)
        isInside.toggle()
      }
      counts[counts.count - 1] += 1
    }
    try self.init(
      left: left, top: top, width: mask.width, height: mask.height, counts: counts, file: file, item: item)
  }

  /// The most runs that a file's masks may have: 128 MB of them.
  public static let maximumRuns = 1 << 24

  /// Number of pixels inside.
  public var area: Int { stride(from: 1, to: counts.count, by: 2).reduce(0) { $0 + counts[$1] } }

  /// Whether a part of it lies outside a picture.
  func leaves(width: Int, height: Int) -> Bool {
    left < 0 || top < 0 || left + self.width > width || top + self.height > height
  }

  /// Calls `body` with the pixels of a picture that lie inside: a row and a run of its columns.
  func forEachSpan(
    width pictureWidth: Int, height pictureHeight: Int, _ body: (_ row: Int, _ columns: Range<Int>) -> Void
  ) {
    var position = 0
    for (index, count) in counts.enumerated() {
      let end = position + count
      while index % 2 == 1 && position < end {
        let (row, column) = (position / width, position % width)
        let last = min(width, column + end - position)
        let (first, past) = (max(0, left + column), min(pictureWidth, left + last))
        if (0..<pictureHeight).contains(top + row), first < past { body(top + row, first..<past) }
        position += last - column
      }
      position = end
    }
  }
}
