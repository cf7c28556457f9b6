import Augment
import Base
import Images
import Testing

struct MorphologyTests {
  /// The definition: smallest or largest label of a neighbourhood that is cut off at the edge.
  private func naive(
    _ mask: LabelMask, _ element: LabelMorphology.Element, size: Int, _ choose: (UInt8, UInt8) -> UInt8
  ) -> LabelMask {
    var result = mask
    for y in 0..<mask.height {
      for x in 0..<mask.width {
        for dy in -size / 2...size / 2 {
          for dx in -size / 2...size / 2 where element == .rect || dx == 0 || dy == 0 {
            guard (0..<mask.width).contains(x + dx), (0..<mask.height).contains(y + dy) else { continue }
            result[x, y] = choose(result[x, y], mask[x + dx, y + dy])
          }
        }
      }
    }
    return result
  }

  @Test(arguments: LabelMorphology.Element.allCases, [1, 3, 5])
  func againstTheDefinition(_ element: LabelMorphology.Element, _ size: Int) throws {
    let mask = randomMask(width: 13, height: 9)
    let eroded = try LabelMorphology(.erosion, element, size: size).apply(to: mask)
    #expect(eroded == naive(mask, element, size: size) { min($0, $1) })
    let opened = try LabelMorphology(.opening, element, size: size).apply(to: mask)
    #expect(opened == naive(eroded, element, size: size) { max($0, $1) })
    let dilated = try LabelMorphology(.dilation, element, size: size).apply(to: mask)
    #expect(dilated == naive(mask, element, size: size) { max($0, $1) })
    let closed = try LabelMorphology(.closing, element, size: size).apply(to: mask)
    #expect(closed == naive(dilated, element, size: size) { min($0, $1) })
  }

  @Test(arguments: [(0, 1), (2, 1), (257, 1), (3, 0), (3, -1)])
  func settingsThatMakeNoSense(_ size: Int, _ iterations: Int) {
    #expect(throws: DataError.self) { try LabelMorphology(.erosion, size: size, iterations: iterations) }
  }

  @Test(arguments: [0, 1, 2, 20])
  func majority(_ radius: Int) {
    let mask = randomMask(width: 11, height: 8)
    let filtered = mask.majorityFiltered(radius: radius)
    for y in 0..<8 {
      for x in 0..<11 {
        var counts = [Int](repeating: 0, count: 5)
        for row in max(0, y - radius)...min(7, y + radius) {
          for column in max(0, x - radius)...min(10, x + radius) { counts[Int(mask[column, row])] += 1 }
        }
        let own = Int(mask[x, y])
        let expected = counts[own] == counts.max()! ? own : counts.firstIndex(of: counts.max()!)!
        #expect(Int(filtered[x, y]) == expected)
      }
    }
  }

  @Test func islands() {
    let mask = LabelMask(
      width: 6, height: 4,
      labels: [
        0, 0, 0, 1, 1, 1,
        0, 2, 0, 1, 1, 1,
        0, 0, 0, 1, 3, 3,
        4, 0, 0, 1, 3, 4,
      ])
    // The 2 alone lies in 0; the lower 4s touch 0 and 3; the three 3s touch 1 three times (and 4 twice, then no more).
    let two = mask.removingIslands(below: 2)
    #expect(
      two.labels == [
        0, 0, 0, 1, 1, 1,
        0, 0, 0, 1, 1, 1,
        0, 0, 0, 1, 3, 3,
        0, 0, 0, 1, 3, 3,
      ])
    #expect(mask.removingIslands(below: 0) == mask)
    #expect(mask.removingIslands(below: 1) == mask)
    let large = LabelMask(width: 3, height: 2, label: 5)
    #expect(large.removingIslands(below: 1000) == large)
  }

  /// Renaming the classes changes nothing but names, which erosion and dilation of numbers cannot say of themselves.
  @Test func soundFiltersDoNotKnowNumbers() {
    let mask = areas(width: 30, height: 24)
    let table: [UInt8] = [3, 0, 1, 2]
    func renamed(_ mask: LabelMask) -> LabelMask {
      LabelMask(width: mask.width, height: mask.height, labels: mask.labels.map { table[Int($0)] })
    }
    var speckled = mask
    for pixel in [(16, 3), (9, 9), (20, 20), (27, 3)] {
      speckled[pixel.0, pixel.1] = (mask[pixel.0, pixel.1] + 1) % 4
    }
    #expect(renamed(speckled.majorityFiltered(radius: 1)) == renamed(speckled).majorityFiltered(radius: 1))
    #expect(renamed(speckled.removingIslands(below: 3)) == renamed(speckled).removingIslands(below: 3))
    #expect(speckled.removingIslands(below: 3) == mask)
  }
}
