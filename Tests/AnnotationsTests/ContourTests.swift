import Annotations
import Images
import Testing

@Suite struct ContourTests {
  @Test(arguments: 0..<60 as Range<UInt64>)
  func regionsFilledAgainAreTheMask(seed: UInt64) {
    let mask = randomMask(seed: seed, labels: [0, 1, 2])
    var drawn = LabelMask(width: mask.width, height: mask.height, label: 99)
    var twice = 0
    for region in mask.regions() {
      var area = 0
      region.polygon.forEachSpan(width: mask.width, height: mask.height) { row, columns in
        for column in columns {
          if drawn[column, row] != 99 { twice += 1 }
          drawn[column, row] = region.label
          area += 1
        }
      }
      #expect(area == region.area)
    }
    #expect(drawn == mask)
    #expect(twice == 0)
  }

  @Test func cornersLieWhereTheOutlineTurns() throws {
    // A ring of 3 x 3 pixels with a hole.
    let mask = LabelMask(width: 4, height: 3, labels: [1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0])
    let region = try #require(mask.regions(skipping: [0]).first)
    #expect(region.area == 8)
    #expect(region.polygon.rings.count == 2)
    #expect(Set(region.polygon.rings[0]) == [Point(0, 0), Point(3, 0), Point(3, 3), Point(0, 3)])
    #expect(Set(region.polygon.rings[1]) == [Point(1, 1), Point(2, 1), Point(2, 2), Point(1, 2)])
  }

  @Test func pixelsInsideAreThoseWhoseCentresAre() {
    var spans: [String] = []
    Polygon(rings: [[Point(0.5, 0.5), Point(2.5, 0.5), Point(2.5, 2.5), Point(0.5, 2.5)]])
      .forEachSpan(width: 9, height: 9) { spans.append("\($0): \($1)") }
    // Centres on the left and upper edges are inside, those on the right and lower ones are not.
    #expect(spans == ["0: 0..<2", "1: 0..<2"])
    spans = []
    Polygon(rings: [[Point(0.6, 1.4), Point(3.6, 1.4), Point(3.6, 2.4), Point(0.6, 2.4)]])
      .forEachSpan(width: 9, height: 9) { spans.append("\($0): \($1)") }
    #expect(spans == ["1: 1..<4"])
  }

  @Test func whatLiesOutsideIsCutOff() {
    var area = 0
    Polygon(x: -1e6, y: -1e6, width: 2e6, height: 2e6).forEachSpan(width: 5, height: 4) { area += $1.count }
    #expect(area == 20)
  }
}
