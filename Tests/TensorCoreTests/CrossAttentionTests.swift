import TensorCore
import TestSupport
import Testing

struct CrossAttentionTests {
  /// Batch, heads, depths of a key and a value, queries, keys.
  static let sizes: [[Int]] =
    [[1, 1, 4, 4, 1, 1], [2, 2, 8, 8, 20, 7], [1, 3, 5, 2, 130, 9], [1, 2, 16, 16, 6, 140]]
    + randomSizes(count: 12, seed: 71, largest: [2, 3, 20, 20, 150, 60])

  private func tensors(_ size: [Int]) -> (q: Tensor, k: Tensor, v: Tensor) {
    var random = Philox(seed: 5)
    return (
      random.normal(shape: [size[0], size[4], size[1] * size[2]]),
      random.normal(shape: [size[0], size[5], size[1] * size[2]]),
      random.normal(shape: [size[0], size[5], size[1] * size[3]])
    )
  }

  @Test(arguments: sizes)
  func equalsDefinition(size: [Int]) {
    let (q, k, v) = tensors(size)
    expectClose(
      attention(q, k, v, heads: size[1]),
      naiveAttention(NaiveTensor(q), NaiveTensor(k), NaiveTensor(v), heads: size[1]), absolute: 1e-5)
  }

  @Test(arguments: [[1, 1, 2, 3, 1, 1], [2, 2, 3, 2, 4, 5], [1, 1, 1, 1, 131, 2]])
  func gradientsEqualFiniteDifferences(size: [Int]) {
    let (q, k, v) = tensors(size)
    var random = Philox(seed: 6)
    let gradient = random.normal(shape: [size[0], size[4], size[1] * size[3]])
    let found = attentionBackward(gradient, q: q, k: k, v: v, heads: size[1])
    func scalar(_ q: NaiveTensor, _ k: NaiveTensor, _ v: NaiveTensor) -> Double {
      dot(naiveAttention(q, k, v, heads: size[1]), NaiveTensor(gradient))
    }
    let (nq, nk, nv) = (NaiveTensor(q), NaiveTensor(k), NaiveTensor(v))
    expectClose(found.q, finiteDifferenceGradient(at: nq) { scalar($0, nk, nv) }, absolute: 2e-5)
    expectClose(found.k, finiteDifferenceGradient(at: nk) { scalar(nq, $0, nv) }, absolute: 2e-5)
    expectClose(found.v, finiteDifferenceGradient(at: nv) { scalar(nq, nk, $0) }, absolute: 2e-5)
  }

  @Test func withOneKeyItIsTheValue() {
    var random = Philox(seed: 7)
    let (q, k) = (random.normal(shape: [2, 9, 12]), random.normal(shape: [2, 1, 12]))
    let v = random.normal(shape: [2, 1, 6])
    let y = attention(q, k, v, heads: 3)
    for n in 0..<2 { for t in 0..<9 { for c in 0..<6 { #expect(y[n, t, c] == v[n, 0, c]) } } }
  }
}
