import TensorCore
import TestSupport
import Testing

struct AttentionBackwardTests {
  static let sizes: [(batch: Int, heads: Int, depth: Int, length: Int)] =
    [(1, 1, 2, 1), (2, 2, 3, 5)]
    + randomSizes(count: 6, seed: 61, largest: [2, 2, 4, 7]).map { ($0[0], $0[1], $0[2], $0[3]) }

  @Test(arguments: sizes, AttentionOrder.allCases)
  func equalsFiniteDifferences(
    size: (batch: Int, heads: Int, depth: Int, length: Int), order: AttentionOrder
  ) {
    var random = Philox(seed: 5)
    let qkv = random.normal(shape: [size.batch, 3 * size.heads * size.depth, size.length])
    let gradient = random.normal(shape: [size.batch, size.length, size.heads * size.depth])
    let found = qkvAttentionBackward(gradient, qkv: qkv.channelsLast, heads: size.heads, order: order)
    let cotangent = NaiveTensor(gradient.channelsFirst)
    let expected = finiteDifferenceGradient(at: NaiveTensor(qkv)) { qkv in
      dot(
        naiveAttention(qkv, heads: size.heads) { part, head, depth in
          order == .legacy ? (3 * head + part) * depth : (part * size.heads + head) * depth
        }, cotangent)
    }
    expectClose(found.channelsFirst, expected, absolute: 1e-5, relative: 1e-5)
  }

  /// Several blocks of queries add up to what one block gives for a part of them: the gradient is linear in the
  /// gradient at the output.
  @Test func blocksAddUp() {
    var random = Philox(seed: 6)
    let qkv = random.normal(shape: [2, 300, 3 * 2 * 8])
    let gradient = random.normal(shape: [2, 300, 16])
    let whole = qkvAttentionBackward(gradient, qkv: qkv, heads: 2, order: .legacy)
    var sum = Tensor(zeros: qkv.shape)
    for range in [0..<100, 100..<300] {
      var part = Tensor(zeros: gradient.shape)
      for n in 0..<2 {
        for position in range {
          for c in 0..<16 { part[n, position, c] = gradient[n, position, c] }
        }
      }
      sum.add(qkvAttentionBackward(part, qkv: qkv, heads: 2, order: .legacy))
    }
    expectClose(whole, NaiveTensor(sum), absolute: 1e-5)
  }

  /// Several blocks of queries, along some directions.
  @Test(arguments: AttentionOrder.allCases)
  func manyPositions(order: AttentionOrder) {
    var random = Philox(seed: 7)
    let (heads, depth, length) = (2, 2, 150)
    let qkv = random.normal(shape: [1, 3 * heads * depth, length])
    let gradient = random.normal(shape: [1, length, heads * depth])
    let found = qkvAttentionBackward(gradient, qkv: qkv.channelsLast, heads: heads, order: order)
    let cotangent = NaiveTensor(gradient.channelsFirst)
    func scalar(_ qkv: NaiveTensor) -> Double {
      dot(
        naiveAttention(qkv, heads: heads) { part, head, depth in
          order == .legacy ? (3 * head + part) * depth : (part * heads + head) * depth
        }, cotangent)
    }
    for _ in 0..<4 {
      let direction = NaiveTensor(random.normal(shape: qkv.shape))
      func moved(_ step: Double) -> NaiveTensor {
        var x = NaiveTensor(qkv)
        for index in x.elements.indices { x.elements[index] += step * direction.elements[index] }
        return x
      }
      let expected = (scalar(moved(1e-5)) - scalar(moved(-1e-5))) / 2e-5
      #expect(abs(dot(NaiveTensor(found.channelsFirst), direction) - expected) < 1e-4)
    }
  }
}
