import Images
import Testing

struct MaskResamplingTests {
  /// A row of `height` pixels of label 1 in labels of 0.
  private func line(size: Int, at row: Int, height: Int = 1, ground: UInt8 = 0) -> LabelMask {
    LabelMask(
      width: size, height: size,
      labels: (0..<size * size).map { (row..<row + height).contains($0 / size) ? 1 : ground })
  }

  @Test(arguments: MaskResampling.allCases)
  func theSameSizeChangesNothing(_ resampling: MaskResampling) {
    let mask = LabelMask(width: 5, height: 3, labels: (0..<15).map { UInt8($0 * 7 % 4) })
    #expect(mask.resized(width: 5, height: 3, by: resampling) == mask)
  }

  @Test func nearestIsTheReference() {
    let mask = LabelMask(width: 7, height: 6, labels: (0..<42).map { UInt8($0 * 5 % 9) })
    #expect(mask.resized(width: 3, height: 4, by: .nearest) == mask.resized(width: 3, height: 4))
  }

  /// Lines of one pixel among 8, 15 and 16 stay a row of the new mask, wherever they lie.
  @Test(arguments: [8, 15, 16], [0, 3, 7, 40])
  func thinLinesStay(_ factor: Int, _ row: Int) {
    let small = line(size: 4 * factor, at: row).resized(width: 4, height: 4, by: .thin)
    #expect(small == line(size: 4, at: row / factor))
    #expect(line(size: 4 * factor, at: row).resized(width: 4, height: 4, by: .majority).histogram[1] == 0)
  }

  @Test(arguments: [2, 8, 16], [MaskResampling.majority, .thin])
  func strokesStayAmongWhatIsIgnored(_ factor: Int, _ resampling: MaskResampling) {
    let stroke = line(size: 4 * factor, at: factor + factor / 2, ground: 255)
    #expect(stroke.resized(width: 4, height: 4, by: resampling) == line(size: 4, at: 1, ground: 255))
  }

  /// Area votes with weights that are no whole pixels, against a count of many points.
  @Test(arguments: [(7, 3), (5, 4), (9, 2), (3, 7), (64, 27)])
  func majorityIsWhatCoversMost(_ sizes: (from: Int, to: Int)) {
    let (from, to) = sizes
    let mask = LabelMask(
      width: from, height: from, labels: (0..<from * from).map { UInt8(($0 * 2_654_435_761 >> 7) % 3) })
    let small = mask.resized(width: to, height: to, by: .majority)
    // Points at odd places of a grid so fine that no border of a pixel goes through one.
    let fine = 4 * from
    for y in 0..<to {
      for x in 0..<to {
        var counts = [0, 0, 0]
        for i in 0..<fine {
          for j in 0..<fine {
            let (row, column) = ((y * fine + i) * from / (fine * to), (x * fine + j) * from / (fine * to))
            counts[Int(mask[column, row])] += 1
          }
        }
        #expect(counts[Int(small[x, y])] == counts.max())
      }
    }
  }

  @Test func fewerThanASixteenthDoesNotCount() {
    var mask = LabelMask(width: 17, height: 17, label: 255)
    for x in 0..<17 { mask[x, 5] = 1 }
    #expect(mask.resized(width: 1, height: 1, by: .majority).labels == [255])
    #expect(mask.resized(width: 1, height: 1, by: .thin).labels == [255])
  }
}
