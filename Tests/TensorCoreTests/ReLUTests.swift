import TensorCore
import TestSupport
import Testing

@Suite("ReLU")
struct ReLUTests {
  @Test("keeps what is positive and zeroes the rest")
  func forward() {
    let x = Tensor([-3, -0.0, 0, 2.5, .infinity, -.infinity, .leastNonzeroMagnitude], shape: [7])
    #expect(relu(x).elements == [0, 0, 0, 2.5, .infinity, 0, .leastNonzeroMagnitude])
  }

  @Test("lets a NaN through, so that a broken network shows")
  func nan() {
    #expect(relu(Tensor([.nan], shape: [1])).item.isNaN)
  }

  @Test("passes the gradient where the output is positive, as finite differences do")
  func backward() {
    var random = Philox(seed: 2)
    let (x, cotangent) = (random.normal(shape: [5, 9]), random.normal(shape: [5, 9]))
    let gradient = reluBackward(cotangent, output: relu(x))
    let expected = finiteDifferenceGradient(at: NaiveTensor(x)) { dot(naiveReLU($0), NaiveTensor(cotangent)) }
    expectClose(gradient, expected, absolute: 1e-6, relative: 1e-6)
  }

  @Test("takes the gradient at zero as zero, like PyTorch")
  func kink() {
    #expect(reluBackward(Tensor([5], shape: [1]), output: relu(Tensor([0], shape: [1]))).item == 0)
  }
}
