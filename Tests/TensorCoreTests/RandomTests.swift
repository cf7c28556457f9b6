import TensorCore
import Testing

struct RandomTests {
  /// Known answers of the reference implementation of Random123 (`kat_vectors`, philox4x32, 10 rounds).
  @Test(arguments: [
    (
      UInt64(0), UInt64(0), SIMD2<UInt32>(0, 0),
      SIMD4<UInt32>(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8)
    ),
    (
      UInt64.max, UInt64.max, SIMD2<UInt32>(0xffff_ffff, 0xffff_ffff),
      SIMD4<UInt32>(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd)
    ),
    (
      0x85a3_08d3_243f_6a88, 0x0370_7344_1319_8a2e, SIMD2<UInt32>(0xa409_3822, 0x299f_31d0),
      SIMD4<UInt32>(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1)
    ),
  ])
  func philoxKnownAnswers(block: UInt64, stream: UInt64, key: SIMD2<UInt32>, words: SIMD4<UInt32>) {
    #expect(Philox.words(block: block, stream: stream, key: key) == words)
  }

  @Test func splitsAreReproducibleAndDiffer() {
    var parent = Philox(seed: 1)
    let early = parent.split(3)
    _ = parent.next()
    #expect(parent.split(3) == early)
    let firsts = (0..<1000).map { index in
      var child = parent.split(UInt64(index))
      return child.next()
    }
    #expect(Set(firsts).count == 1000)
  }

  @Test func normalNumbersHaveTheirMoments() {
    var random = Philox(seed: 2)
    let values = random.normal(shape: [100_001]).elements.map(Double.init)
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    let fourth =
      values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) * ($1 - mean) * ($1 - mean) } / Double(values.count)
    #expect(abs(mean) < 0.015)
    #expect(abs(variance - 1) < 0.02)
    #expect(abs(fourth - 3) < 0.15)
  }

  @Test func uniformNumbersStayBelowOne() {
    var random = Philox(seed: 3)
    let values = (0..<10_000).map { _ in random.uniform() }
    #expect(values.allSatisfy { $0 >= 0 && $0 < 1 })
    #expect(abs(values.reduce(0, +) / 10_000 - 0.5) < 0.02)
  }

  /// First outputs of the 1998 reference program for seed 5489.
  @Test func mersenneTwisterKnownAnswers() {
    var generator = TorchMT19937(seed: 5489)
    #expect((0..<3).map { _ in generator.nextWord() } == [3_499_211_612, 581_869_302, 3_890_346_734])
  }

  @Test func torchUniformsAreWordsOfTheGenerator() {
    var generator = TorchMT19937(seed: 11)
    var copy = generator
    for _ in 0..<2000 { #expect(generator.uniform() == Float(copy.nextWord() & 0xFF_FFFF) / 16_777_216) }
  }
}
