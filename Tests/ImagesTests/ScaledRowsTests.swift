import Base
import Images
import TensorCore
import TestSupport
import Testing

struct ScaledRowsTests {
  private func picture(width: Int, height: Int) -> Image {
    var random = Philox(seed: UInt64(width * 1000 + height))
    return Image(
      width: width, height: height,
      pixels: (0..<3 * width * height).map { _ in UInt8(truncatingIfNeeded: random.next()) })
  }

  /// Overlapping and distant ranges of rows, larger and smaller than the picture.
  @Test(arguments: ResamplingFilter.allCases, randomSizes(count: 12, seed: 3, largest: [60, 70, 60, 70]))
  func rowsAreThoseOfTheWhole(_ filter: ResamplingFilter, sizes: [Int]) throws {
    let image = picture(width: sizes[0], height: sizes[1])
    for (width, height) in [(sizes[2], sizes[3]), (sizes[0], sizes[1]), (sizes[0], sizes[3])] {
      let whole = image.resized(width: width, height: height, filter: filter)
      var rows = ScaledRows(ImageRows(image), width: width, height: height, filter: filter)
      var first = 0
      var random = Philox(seed: UInt64(width + 100 * height))
      while first < height {
        let end = min(height, first + 1 + random.integer(below: 20))
        let part = try rows.read(first..<end)
        #expect(
          part == whole.cropped(x: 0, y: first, width: width, height: end - first), "\(first)..<\(end)")
        first += 1 + random.integer(below: 12)
      }
    }
  }

  /// No row is read that is not needed yet.
  @Test func readsNoFurtherThanNeeded() throws {
    final class Counted: RowReader {
      let rows: ImageRows
      var count = 0
      init(_ image: Image) { rows = ImageRows(image) }
      var width: Int { rows.width }
      var height: Int { rows.height }
      func read(rows count: Int) throws(DataError) -> Image? {
        self.count += count
        return rows.read(rows: count)
      }
    }
    let reader = Counted(picture(width: 8, height: 200))
    var rows = ScaledRows(reader, width: 4, height: 100)
    _ = try rows.read(0..<10)
    #expect(reader.count == 21)
    _ = try rows.read(50..<60)
    #expect(reader.count == 121)
  }

  @Test func aPictureThatEndsEarlyIsRefused() throws {
    final class Short: RowReader {
      let (width, height) = (8, 50)
      private let rows = ImageRows(Image(width: 8, height: 20))
      func read(rows count: Int) throws(DataError) -> Image? { rows.read(rows: count) }
    }
    var rows = ScaledRows(Short(), width: 8, height: 50)
    _ = try rows.read(0..<20)
    let error = #expect(throws: DataError.self) { try rows.read(10..<30) }
    #expect(error?.kind == .malformed && error?.found == "20")
  }
}
