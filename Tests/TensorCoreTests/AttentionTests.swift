import TensorCore
import TestSupport
import Testing

struct AttentionTests {
  /// Chosen for the borders of blocks, and shapes that nobody chose.
  static let sizes: [(batch: Int, heads: Int, depth: Int, length: Int)] =
    [(1, 1, 4, 1), (2, 2, 8, 20), (1, 3, 5, 130), (1, 1, 64, 257)]
    + randomSizes(count: 20, seed: 51, largest: [3, 4, 40, 150]).map { ($0[0], $0[1], $0[2], $0[3]) }

  @Test(arguments: sizes, AttentionOrder.allCases)
  func equalsDefinition(_ size: (batch: Int, heads: Int, depth: Int, length: Int), order: AttentionOrder) {
    var random = Philox(seed: 5)
    let qkv = random.normal(shape: [size.batch, 3 * size.heads * size.depth, size.length])
    let y = qkvAttention(qkv.channelsLast, heads: size.heads, order: order)
    let expected = naiveAttention(NaiveTensor(qkv), heads: size.heads) { part, head, depth in
      order == .legacy ? (3 * head + part) * depth : (part * size.heads + head) * depth
    }
    expectClose(y.channelsFirst, expected, absolute: 1e-5)
  }

  @Test func scoresBeyondTheRangeOfExpStayFinite() {
    let qkv = Tensor(repeating: 1000, shape: [1, 6, 12])
    #expect(qkvAttention(qkv, heads: 1, order: .legacy).elements.allSatisfy { abs($0 - 1000) < 0.01 })
  }
}
