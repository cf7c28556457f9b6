import Layers
import TensorCore
import TestSupport
import Testing

@Suite("Linear")
struct LinearTests {
  struct Shape: CustomTestStringConvertible, Sendable {
    var rows: Int
    var inputs: Int
    var outputs: Int
    var testDescription: String { "[\(rows), \(inputs)] to [\(rows), \(outputs)]" }
  }

  static let shapes = [
    Shape(rows: 1, inputs: 1, outputs: 1), Shape(rows: 5, inputs: 33, outputs: 17),
    Shape(rows: 64, inputs: 130, outputs: 21), Shape(rows: 3, inputs: 7, outputs: 300),
    Shape(rows: 300, inputs: 5, outputs: 2),
  ]

  private func arguments(_ shape: Shape) -> (x: Tensor, weight: Tensor, bias: Tensor, cotangent: Tensor) {
    var random = Philox(seed: 1)
    return (
      random.normal(shape: [shape.rows, shape.inputs]), random.normal(shape: [shape.outputs, shape.inputs]),
      random.normal(shape: [shape.outputs]), random.normal(shape: [shape.rows, shape.outputs])
    )
  }

  @Test("gives the sums of its definition", arguments: shapes, [true, false])
  func forward(shape: Shape, hasBias: Bool) {
    let (x, weight, bias, _) = arguments(shape)
    let expected = naiveLinear(
      NaiveTensor(x), weight: NaiveTensor(weight), bias: hasBias ? NaiveTensor(bias) : nil)
    expectClose(
      linear(x, weight: weight, bias: hasBias ? bias : nil), expected, absolute: 2e-5, relative: 1e-5)
  }

  @Test("its gradients are those of finite differences", arguments: shapes[..<2])
  func backward(shape: Shape) {
    let (x, weight, bias, cotangent) = arguments(shape)
    let (naiveX, naiveWeight, naiveBias) = (NaiveTensor(x), NaiveTensor(weight), NaiveTensor(bias))
    let target = NaiveTensor(cotangent)
    let gradients = linearBackward(cotangent, x: x, weight: weight)
    expectClose(
      gradients.x,
      finiteDifferenceGradient(at: naiveX) {
        dot(naiveLinear($0, weight: naiveWeight, bias: naiveBias), target)
      },
      absolute: 1e-5, relative: 1e-5)
    expectClose(
      gradients.weight,
      finiteDifferenceGradient(at: naiveWeight) {
        dot(naiveLinear(naiveX, weight: $0, bias: naiveBias), target)
      },
      absolute: 1e-5, relative: 1e-5)
    expectClose(
      gradients.bias,
      finiteDifferenceGradient(at: naiveBias) {
        dot(naiveLinear(naiveX, weight: naiveWeight, bias: $0), target)
      },
      absolute: 1e-5, relative: 1e-5)
  }

  @Test("no rows give no rows, and a zero gradient of the weight")
  func empty() {
    let weight = Tensor(repeating: 2, shape: [3, 4])
    let x = Tensor(zeros: [0, 4])
    #expect(linear(x, weight: weight, bias: Tensor(zeros: [3])).shape == [0, 3])
    let gradients = linearBackward(Tensor(zeros: [0, 3]), x: x, weight: weight)
    #expect(gradients.x.shape == [0, 4])
    #expect(gradients.weight == Tensor(zeros: [3, 4]))
    #expect(gradients.bias == Tensor(zeros: [3]))
  }

  @Test("without inputs the bias is all there is")
  func noInputs() {
    let bias = Tensor([1, -2], shape: [2])
    let y = linear(Tensor(zeros: [3, 0]), weight: Tensor(zeros: [2, 0]), bias: bias)
    #expect(y == Tensor([1, -2, 1, -2, 1, -2], shape: [3, 2]))
  }
}
