import TensorCore
import TestSupport
import Testing

struct LayerNormTests {
  @Test(arguments: [[1, 1], [3, 16], [2, 5, 21], [4, 1024], [300, 200]], [Float(1e-5), 1e-6])
  func equalsDefinition(shape: [Int], eps: Float) {
    var random = Philox(seed: 1)
    // Small numbers far from 0, so that eps and the mean count.
    let x = random.normal(shape: shape) * 0.01 + Tensor(repeating: 3, shape: shape)
    let (weight, bias) = (random.normal(shape: [shape.last!]), random.normal(shape: [shape.last!]))
    expectClose(
      layerNorm(x, weight: weight, bias: bias, eps: eps),
      naiveLayerNorm(
        NaiveTensor(x), weight: NaiveTensor(weight), bias: NaiveTensor(bias), eps: Double(eps)),
      absolute: 3e-4)
  }

  @Test func roundsAsLittleAsItShould() {
    var random = Philox(seed: 2)
    let x = random.normal(shape: [20, 768])
    let (weight, bias) = (random.normal(shape: [768]), random.normal(shape: [768]))
    expectClose(
      layerNorm(x, weight: weight, bias: bias),
      naiveLayerNorm(NaiveTensor(x), weight: NaiveTensor(weight), bias: NaiveTensor(bias), eps: 1e-5),
      absolute: 2e-6)
  }

  @Test(arguments: [[1, 3], [2, 16], [3, 2, 7], [2, 40]])
  func gradientsEqualFiniteDifferences(shape: [Int]) {
    var random = Philox(seed: 3)
    let (x, gradient) = (random.normal(shape: shape), random.normal(shape: shape))
    let (weight, bias) = (random.normal(shape: [shape.last!]), random.normal(shape: [shape.last!]))
    let found = layerNormBackward(gradient, x: x, weight: weight, eps: 0.01)
    func scalar(_ x: NaiveTensor, _ weight: NaiveTensor, _ bias: NaiveTensor) -> Double {
      dot(naiveLayerNorm(x, weight: weight, bias: bias, eps: 0.01), NaiveTensor(gradient))
    }
    let (nx, nw, nb) = (NaiveTensor(x), NaiveTensor(weight), NaiveTensor(bias))
    expectClose(found.x, finiteDifferenceGradient(at: nx) { scalar($0, nw, nb) }, absolute: 1e-5)
    expectClose(found.weight, finiteDifferenceGradient(at: nw) { scalar(nx, $0, nb) }, absolute: 1e-5)
    expectClose(found.bias, finiteDifferenceGradient(at: nb) { scalar(nx, nw, $0) }, absolute: 1e-5)
  }

  /// Rows of several parts add up.
  @Test func manyRows() {
    var random = Philox(seed: 4)
    let (x, gradient) = (random.normal(shape: [900, 64]), random.normal(shape: [900, 64]))
    let weight = random.normal(shape: [64])
    let whole = withThreadCounts([1, 2, 3]) { layerNormBackward(gradient, x: x, weight: weight) }
    for other in whole.dropFirst() {
      #expect(other.x == whole[0].x && other.weight == whole[0].weight && other.bias == whole[0].bias)
    }
    expectClose(whole[0].bias, NaiveTensor(sumOfRows(gradient)), absolute: 1e-4)
    var sum = Tensor(zeros: [64])
    for start in stride(from: 0, to: 900, by: 9) {
      func rows(_ x: Tensor) -> Tensor {
        Tensor(Array(x.elements[start * 64..<(start + 9) * 64]), shape: [9, 64])
      }
      sum.add(layerNormBackward(rows(gradient), x: rows(x), weight: weight).weight)
    }
    expectClose(whole[0].weight, NaiveTensor(sum), absolute: 2e-4)
  }
}
