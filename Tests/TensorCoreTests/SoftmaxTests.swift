import Foundation
import TensorCore
import TestSupport
import Testing

@Suite("Softmax")
struct SoftmaxTests {
  @Test("gives the quotients of its definition", arguments: [1, 2, 7, 8, 9, 21, 100])
  func definition(width: Int) {
    var random = Philox(seed: 4)
    let x = random.normal(shape: [11, width]) * 3
    expectClose(softmax(x), naiveSoftmax(NaiveTensor(x)), absolute: 1e-7, relative: 1e-6)
  }

  @Test("rows sum to one and keep the shape of the input")
  func sums() {
    var random = Philox(seed: 5)
    let y = softmax(random.normal(shape: [2, 3, 13]))
    #expect(y.shape == [2, 3, 13])
    for row in 0..<6 {
      let sum = y.elements[row * 13..<(row + 1) * 13].reduce(0.0) { $0 + Double($1) }
      #expect(abs(sum - 1) < 1e-6)
    }
  }

  @Test("large logits neither overflow nor underflow to NaN")
  func largeLogits() {
    let y = softmax(Tensor([1000, 999, -1000, 3.0e38, 3.0e38, -3.0e38], shape: [2, 3]))
    #expect(abs(Double(y[0, 0]) - 1 / (1 + exp(-1.0))) < 1e-6)
    #expect(y[0, 2] >= 0 && y[0, 2] < 1e-30)
    #expect(y[1, 0] == 0.5 && y[1, 1] == 0.5)
  }

  @Test("log softmax is exact where the softmax itself is zero")
  func logSoftmaxOfLargeLogits() {
    let y = logSoftmax(Tensor([0, 500, -500], shape: [1, 3]))
    expectClose(y, NaiveTensor([-500, 0, -1000], shape: [1, 3]), absolute: 1e-6, relative: 1e-6)
  }

  @Test("log softmax is the logarithm of softmax", arguments: [1, 8, 19])
  func logarithm(width: Int) {
    var random = Philox(seed: 6)
    let x = random.normal(shape: [5, width])
    var expected = naiveSoftmax(NaiveTensor(x))
    expected.elements = expected.elements.map { log($0) }
    expectClose(logSoftmax(x), expected, absolute: 1e-6, relative: 1e-6)
  }

  /// Rows that are longer than what is summed in single precision, and rows with a rest.
  @Test(arguments: [1, 15, 17, 4095, 4097, 50_000])
  func rowsOfAnyLength(width: Int) {
    var random = Philox(seed: 5)
    let x = random.normal(shape: [2, width])
    expectClose(softmax(x), naiveSoftmax(NaiveTensor(x)), absolute: 1e-9, relative: 1e-6)
  }
}
