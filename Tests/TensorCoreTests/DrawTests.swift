import Foundation
import TensorCore
import Testing

/// Whole numbers, orders and choices: what a seed means must not change, not even with the version of Swift.
struct DrawTests {
  @Test func firstNumbersOfASeed() {
    var random = Philox(seed: 1)
    #expect((0..<8).map { _ in random.integer(below: 10) } == [8, 7, 8, 6, 5, 9, 0, 0])
    #expect((0..<4).map { _ in random.integer(in: -3...3) } == [1, 2, -1, -2])
    let large = (0..<3).map { _ in random.integer(below: .max) }
    #expect(large == [1_118_103_818_454_860_536, 7_070_481_157_419_495_314, 4_311_637_587_673_961_598])
    #expect(random.uniformDouble().bitPattern == 4_602_860_119_816_001_627)
    #expect(random.real(in: -2...6).bitPattern == 4_617_646_281_309_503_003)
    #expect(random.shuffled(Array("abcdefgh")) == Array("fahdcbeg"))
    #expect(random.permutation(8) == [7, 1, 2, 4, 0, 6, 5, 3])
    #expect(random.choice(of: ["a", "b", "c"]) == "b")
    #expect(Philox(seed: 1).split(name: "horse_1.png") == Philox(seed: 1).split(0x7964_990C_0960_6F57))
  }

  /// Each of the numbers comes as often as the others, within five standard deviations; so do all orders.
  @Test(arguments: [1, 2, 3, 7, 24])
  func numbersAreEquallyLikely(bound: Int) {
    var random = Philox(seed: 2)
    var (numbers, shuffles, permutations) = ([Int: Int](), [[Int]: Int](), [[Int32]: Int]())
    let draws = 24_000
    for _ in 0..<draws {
      numbers[random.integer(below: bound), default: 0] += 1
      shuffles[random.shuffled([0, 1, 2, 3]), default: 0] += 1
      permutations[random.permutation(4), default: 0] += 1
    }
    func check(_ counts: [Int], _ kinds: Int) {
      let expected = Double(draws) / Double(kinds)
      #expect(counts.count == kinds)
      #expect(counts.allSatisfy { abs(Double($0) - expected) <= 5 * expected.squareRoot() })
    }
    check(Array(numbers.values), bound)
    check(Array(shuffles.values), 24)
    check(Array(permutations.values), 24)
  }

  /// With a bound of 3 · 2^61, a plain product would give two of three numbers twice as often as the third.
  @Test func largeBoundsAreEvenToo() {
    var random = Philox(seed: 3)
    let bound = 3 << 61
    let draws = 9000
    let thirds = (0..<draws).reduce(into: [0, 0, 0]) { counts, _ in
      counts[random.integer(below: bound) % 3] += 1
    }
    for count in thirds { #expect(abs(count - draws / 3) < 250) }
  }

  @Test func emptyLists() {
    var random = Philox(seed: 4)
    #expect(random.choice(of: [Int]()) == nil && random.shuffled([Int]()).isEmpty)
    #expect(random.permutation(0).isEmpty && random.permutation(1) == [0])
  }

  /// The standard library's draws change with its version. Names of temporary files may come from the system.
  @Test func sourcesDrawNothingWithTheStandardLibrary() throws {
    let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Sources")
    let draw =
      /\.shuffled?\(\)|\.shuffled?\(using|\.random\((in:|using:|\))|\.randomElement\(|RandomNumberGenerator/
    var found: [String] = []
    let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
    for case let file as URL in files where file.pathExtension == "swift" {
      guard !file.path.hasSuffix("Base/Files/UnfinishedFile.swift") else { continue }
      for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
      where line.contains(draw) && !line.drop(while: { $0 == " " }).hasPrefix("//") {
        found.append("\(file.lastPathComponent): \(line)")
      }
    }
    #expect(found == [])
  }
}
