import DiffusionCore
import TensorCore
import TestSupport
import Testing

struct AttentionBlockTests {
  @Test(arguments: [1, 2, 4], AttentionOrder.allCases)
  func addsProjectedAttentionToItsInput(heads: Int, order: AttentionOrder) throws {
    let (block, w) = try randomLayer { AttentionBlock(channels: 32, heads: heads, order: order, weights: $0) }
    var random = Philox(seed: 2)
    let x = random.normal(shape: [2, 3, 5, 32])
    let flat = x.reshaped([2, 15, 32])
    let normed = groupNorm(flat, groups: 32, weight: w["norm.weight"]!, bias: w["norm.bias"]!)
    let qkv = conv1d(normed, weight: w["qkv.weight"]!, bias: w["qkv.bias"]!)
    let attended = qkvAttention(qkv, heads: heads, order: order)
    let expected = conv1d(attended, weight: w["proj_out.weight"]!, bias: w["proj_out.bias"]!) + flat
    let y = block(x)
    #expect(y.shape == x.shape)
    expectClose(y.reshaped([2, 15, 32]), NaiveTensor(expected), absolute: 1e-5, relative: 1e-5)
  }

  /// Moving the positions moves the result along.
  @Test func positionsAreAllAlike() throws {
    let (block, _) = try randomLayer { AttentionBlock(channels: 32, heads: 2, order: .legacy, weights: $0) }
    var random = Philox(seed: 3)
    let x = random.normal(shape: [1, 1, 6, 32])
    func reversed(_ x: Tensor) -> Tensor {
      let pixels = (0..<6).map { pixel in Array(x.elements[pixel * 32..<(pixel + 1) * 32]) }
      return Tensor(pixels.reversed().flatMap { $0 }, shape: x.shape)
    }
    expectClose(block(reversed(x)), NaiveTensor(reversed(block(x))), absolute: 1e-5)
  }

  @Test func onePosition() throws {
    let (block, _) = try randomLayer { AttentionBlock(channels: 32, heads: 1, order: .new, weights: $0) }
    let y = block(Tensor(repeating: 2, shape: [1, 1, 1, 32]))
    #expect(y.elements.allSatisfy { $0.isFinite })
  }
}
