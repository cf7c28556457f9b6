import Base
import Images

/// A binary mask as COCO has it: lengths of runs of pixels outside and inside in turn, outside first, column by column
/// from the left (pycocotools, `maskApi.h`).
public struct RunLengths: Sendable, Hashable {
  /// Of the picture, in pixels.
  public let width: Int
  /// Of the picture, in pixels.
  public let height: Int
  /// The lengths, which add up to width * height; the first may be 0.
  public let counts: [Int]

  /// - Parameters:
  ///   - width: of the picture, in pixels
  ///   - height: of the picture, in pixels
  ///   - counts: lengths of the runs
  ///   - file: stands in messages
  ///   - item: the part of the file, for messages
  /// - Throws: `DataError` of kind `.malformed` when the size is none or too large, a length is negative, or they do not
  ///   add up to the pixels of the picture.
  public init(width: Int, height: Int, counts: [Int], file: String, item: String = "counts") throws(DataError)
  {
    let pixels = try checkedPixels(width: width, height: height, file: file, item: item)
    var sum = 0
    for count in counts {
      guard count >= 0, count <= pixels - sum else {
        throw DataError(
          .malformed, file: file, item: item,
          expected: "runs that add up to \(pixels), the pixels of \(width)×\(height)",
          found: count < 0 ? "a run of \(count)" : "more")
      }
      sum += count
    }
    guard sum == pixels else {
      throw DataError(
        .malformed, file: file, item: item,
        expected: "runs that add up to \(pixels), the pixels of \(width)×\(height)", found: "\(sum)")
    }
    (self.width, self.height, self.counts) = (width, height, counts)
  }

  init(unchecked counts: [Int], width: Int, height: Int) {
    (self.width, self.height, self.counts) = (width, height, counts)
  }

  /// The pixels of a mask with one label.
  public init(_ mask: LabelMask, label: UInt8) {
    var counts = [0]
    var isInside = false
    for x in 0..<mask.width {
      for y in 0..<mask.height {
        if (mask.labels[y * mask.width + x] == label) != isInside {
          counts.append(0)
          isInside.toggle()
        }
        counts[counts.count - 1] += 1
      }
    }
    (width, height, self.counts) = (mask.width, mask.height, counts)
  }

  /// Number of pixels inside.
  public var area: Int { stride(from: 1, to: counts.count, by: 2).reduce(0) { $0 + counts[$1] } }

  /// Calls `body` with the pixels inside: a column and a run of its rows.
  func forEachRun(_ body: (_ column: Int, _ rows: Range<Int>) -> Void) {
    var position = 0
    for (index, count) in counts.enumerated() {
      let end = position + count
      while index % 2 == 1 && position < end {
        let (column, row) = (position / height, position % height)
        let rows = row..<min(height, row + end - position)
        body(column, rows)
        position += rows.count
      }
      position = end
    }
  }
}

/// Pixels of a picture.
/// - Throws: `DataError` of kind `.malformed` for sides below 1, `.unsupported` for more than `Image.maximumPixelCount`.
func checkedPixels(width: Int, height: Int, file: String, item: String) throws(DataError) -> Int {
  guard width > 0, height > 0 else {
    throw DataError(
      .malformed, file: file, item: item, expected: "a picture of at least one pixel",
      found: "\(width)×\(height)")
  }
  let (pixels, overflows) = width.multipliedReportingOverflow(by: height)
  guard !overflows, pixels <= Image.maximumPixelCount else {
    throw DataError(
      .unsupported, file: file, item: item, expected: "at most \(Image.maximumPixelCount) pixels",
      found: "\(width)×\(height)")
  }
  return pixels
}
