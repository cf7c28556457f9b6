import Foundation
import TensorCore
import Testing

struct ElementaryFunctionTests {
  @Test func exponentialIsAccurateToTwoUnits() {
    var worst = 0.0
    for step in -86_000...87_000 {
      let x = Float(step) * 0.001
      let exact = exp(Double(x))
      worst = max(worst, abs(Double(fastExp(x)) - exact) / exact)
    }
    #expect(worst < 2 * Double(Float.ulpOfOne))
  }

  @Test(arguments: [Float(-1e30), -200, 200, 1e30, .infinity, -.infinity])
  func exponentialStaysFiniteAndPositive(_ x: Float) {
    #expect(fastExp(x).isFinite && fastExp(x) > 0)
  }

  @Test func siluHasItsLimits() {
    #expect(silu(Tensor([0, -1000, 1000], shape: [3])).elements[0] == 0)
    #expect(abs(silu(Tensor([-1000], shape: [1])).item) < 1e-30)
    #expect(silu(Tensor([1000], shape: [1])).item == 1000)
  }

  @Test func timestepEmbeddingAppendsZeroWhenOdd() {
    let y = timestepEmbedding([0, 3], dimension: 5)
    #expect(y.shape == [2, 5])
    #expect(y.elements[0...1].allSatisfy { $0 == 1 } && y.elements[2...4].allSatisfy { $0 == 0 })
    #expect(y[1, 4] == 0)
  }
}
