import Annotations
import Base
import Images
import Testing

@Suite struct RunLengthTests {
  @Test(arguments: 0..<40 as Range<UInt64>)
  func compressedAndReadAgain(seed: UInt64) throws {
    let mask = randomMask(seed: seed, labels: [0, 1])
    let runs = RunLengths(mask, label: 1)
    let again = try RunLengths(
      width: mask.width, height: mask.height, compressed: runs.compressed, file: "f")
    #expect(again == runs)
    #expect(runs.area == mask.histogram[1])
    let regions = mask.regions(skipping: [0]).map(\.polygon)
    #expect(RunLengths(regions, width: mask.width, height: mask.height) == runs)
  }

  /// Wrong in length, sign or size.
  @Test(arguments: [
    (3, 2, [1, 2]), (3, 2, [7]), (3, 2, [-1, 7]), (3, 2, [Int.max, Int.max]), (0, 2, []),
    (1_000_000_000, 1_000_000_000, [1]), (Int.max, Int.max, [1]),
  ])
  func refused(width: Int, height: Int, counts: [Int]) {
    let error = #expect(throws: DataError.self) {
      try RunLengths(width: width, height: height, counts: counts, file: "x.json", item: "annotations[2]")
    }
    #expect(error?.file == "x.json")
    #expect(error?.item == "annotations[2]")
  }

  @Test(arguments: ["6 ", "o", "oooooooooooo1", "\u{7f}", "O", "0", ""])
  func refusedText(text: String) {
    #expect(throws: DataError.self) {
      try RunLengths(width: 3, height: 2, compressed: text, file: "f")
    }
  }
}
