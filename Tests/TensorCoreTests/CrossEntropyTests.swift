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

  @Test(
    "that of pixels leaves the ignored ones out of sum and divisor", arguments: [nil, 255, 0] as [UInt8?])
  func pixels(ignored: UInt8?) {
    var random = Philox(seed: 9)
    let logits = random.normal(shape: [2, 40, 41, 6]) * 3
    // More than a block of pixels.
    let pixels = 2 * 40 * 41
    let labels = (0..<pixels).map { index in index % 5 == 0 ? ignored ?? 3 : UInt8(index * 7 % 6) }
    let counted = (0..<pixels).filter { labels[$0] != ignored }
    let rows = Tensor(
      counted.flatMap { pixel in (0..<6).map { logits.elements[pixel * 6 + $0] } }, shape: [counted.count, 6])
    let expected = crossEntropy(rows, targets: counted.map { Int(labels[$0]) })
    let results = withThreadCounts([1, 3]) { crossEntropy(logits, labels: labels, ignoring: ignored) }
    #expect(abs(results[0].loss - expected.loss) <= 1e-6 * expected.loss)
    var gradient = Tensor(zeros: logits.shape)
    let found = expected.logitsGradient.elements
    gradient.withUnsafeMutableBufferPointer { gradient in
      for (row, pixel) in counted.enumerated() {
        for k in 0..<6 { gradient[pixel * 6 + k] = found[row * 6 + k] }
      }
    }
    expectClose(results[0].logitsGradient, NaiveTensor(gradient), absolute: 1e-9)
    #expect(results[1].loss == results[0].loss && results[1].logitsGradient == results[0].logitsGradient)
  }

  @Test("where no pixel counts there is no loss, and nothing pulls")
  func nothingLeft() {
    let result = crossEntropy(Tensor(zeros: [1, 1, 2, 3]), labels: [255, 255], ignoring: 255)
    #expect(result.loss.isNaN)
    #expect(result.logitsGradient == Tensor(zeros: [1, 1, 2, 3]))
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
