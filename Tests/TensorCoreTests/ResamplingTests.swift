import TensorCore
import TestSupport
import Testing

struct ResamplingTests {
  @Test(arguments: [(5, 7, 10, 14), (6, 6, 6, 6), (1, 1, 4, 4), (8, 3, 17, 23), (9, 9, 4, 5), (2, 5, 1, 1)])
  func bilinearEqualsDefinition(_ size: (h: Int, w: Int, height: Int, width: Int)) {
    var random = Philox(seed: 6)
    let x = random.normal(shape: [2, 3, size.h, size.w])
    let y = resizeBilinear(x, height: size.height, width: size.width)
    expectClose(
      y, naiveResizeBilinear(NaiveTensor(x), height: size.height, width: size.width), absolute: 1e-5)
  }

  @Test(arguments: [(5, 7, 10, 14), (6, 6, 6, 6), (1, 1, 4, 4), (8, 3, 17, 23), (9, 9, 4, 5), (2, 5, 1, 1)])
  func bilinearOfChannelsLast(_ size: (h: Int, w: Int, height: Int, width: Int)) {
    var random = Philox(seed: 6)
    let x = random.normal(shape: [2, 3, size.h, size.w])
    let y = resizeBilinearChannelsLast(x.channelsLast, height: size.height, width: size.width)
    #expect(y.channelsFirst == resizeBilinear(x, height: size.height, width: size.width))
    let cotangent = random.normal(shape: y.shape)
    let target = NaiveTensor(cotangent.channelsFirst)
    let expected = finiteDifferenceGradient(at: NaiveTensor(x), step: 0.5) {
      dot(naiveResizeBilinear($0, height: size.height, width: size.width), target)
    }
    let results = withThreadCounts([1, 3]) {
      resizeBilinearChannelsLastBackward(cotangent, height: size.h, width: size.w)
    }
    expectClose(results[0].channelsFirst, expected, absolute: 1e-5)
    #expect(results[1] == results[0])
  }

  @Test(arguments: [(1, 1), (3, 5), (4, 2)])
  func nearestRepeats(height: Int, width: Int) {
    var random = Philox(seed: 6)
    let x = random.normal(shape: [2, 3, height, width])
    let y = upsampleNearest2x(x.channelsLast).channelsFirst
    #expect(y.shape == [2, 3, 2 * height, 2 * width])
    for n in 0..<2 {
      for c in 0..<3 {
        for row in 0..<2 * height {
          for column in 0..<2 * width { #expect(y[n, c, row, column] == x[n, c, row / 2, column / 2]) }
        }
      }
    }
  }

  @Test(arguments: [(2, 2), (5, 7), (8, 3)])
  func averageTakesWholeSquares(height: Int, width: Int) {
    var random = Philox(seed: 6)
    let x = random.normal(shape: [1, 2, height, width])
    let y = averagePool2x2(x.channelsLast).channelsFirst
    #expect(y.shape == [1, 2, height / 2, width / 2])
    for c in 0..<2 {
      for row in 0..<height / 2 {
        for column in 0..<width / 2 {
          let sum =
            x[0, c, 2 * row, 2 * column] + x[0, c, 2 * row, 2 * column + 1] + x[0, c, 2 * row + 1, 2 * column]
            + x[0, c, 2 * row + 1, 2 * column + 1]
          #expect(abs(y[0, c, row, column] - sum / 4) < 1e-6)
        }
      }
    }
  }
}
