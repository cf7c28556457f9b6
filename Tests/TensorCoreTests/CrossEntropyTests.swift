import Foundation
import TensorCore
import TestSupport
import Testing

@Suite("Cross entropy")
struct CrossEntropyTests {
  @Test("is the mean of the negative log softmax at the target", arguments: [1, 2, 15, 30], [1, 5, 64])
  func value(classes: Int, rows: Int) {
    var random = Philox(seed: 7)
    let logits = random.normal(shape: [rows, classes]) * 2
    let targets = (0..<rows).map { ($0 * 7) % classes }
    let expected = naiveCrossEntropy(NaiveTensor(logits), targets: targets)
    let found = Double(crossEntropy(logits, targets: targets).loss)
    #expect(abs(found - expected) <= 1e-6 + 1e-6 * expected)
  }

  @Test("its gradient is that of finite differences")
  func gradient() {
    var random = Philox(seed: 8)
    let logits = random.normal(shape: [4, 6])
    let targets = [0, 5, 2, 2]
    let expected = finiteDifferenceGradient(at: NaiveTensor(logits)) {
      naiveCrossEntropy($0, targets: targets)
    }
    expectClose(
      crossEntropy(logits, targets: targets).logitsGradient, expected, absolute: 1e-7, relative: 1e-5)
  }

  @Test("a hopeless prediction costs its distance and pulls with full force")
  func hopeless() {
    let result = crossEntropy(Tensor([0, 1000], shape: [1, 2]), targets: [0])
    #expect(result.loss == 1000)
    #expect(result.logitsGradient.elements[0] == -1 && result.logitsGradient.elements[1] == 1)
  }

  @Test("a certain and right prediction costs nothing")
  func certain() {
    let result = crossEntropy(Tensor([80, 0, 0], shape: [1, 3]), targets: [0])
    #expect(result.loss == 0)
    #expect(result.logitsGradient.elements.allSatisfy { abs($0) < 1e-30 })
  }
}
