import Checkpoints
import Layers
import TensorCore
import TestSupport
import Testing

/// Gradients of the squared norm of a gradient, as R1 penalties have them, against finite differences.
struct SecondGradientTests {
  /// Two layers with an activation between them, and their parameters by name.
  private struct Network {
    var parameters: [(name: String, tensor: Tensor)]
    /// Gives `[N, …]` from the input.
    var run: (_ x: Tensor, _ parameters: [Tensor], _ tape: Tape?) -> Tensor
    var x: Tensor
  }

  private static func random(_ shape: [Int], _ seed: UInt64) -> Tensor {
    var random = Philox(seed: seed)
    return random.normal(shape: shape) * 0.7
  }

  private static func linear() -> Network {
    Network(
      parameters: [
        ("a.weight", random([5, 3], 1)), ("a.bias", random([5], 2)), ("b.weight", random([2, 5], 3)),
        ("b.bias", random([2], 4)),
      ],
      run: { x, p, tape in
        var first = Linear(inFeatures: 3, outFeatures: 5, weights: WeightScope(StateDictionary([], file: "")))
        var second = Linear(
          inFeatures: 5, outFeatures: 2, weights: WeightScope(StateDictionary([], file: "")))
        (first.weight, first.bias, second.weight, second.bias) = (p[0], p[1], p[2], p[3])
        return second(silu(first(x, tape: tape), tape: tape), tape: tape)
      }, x: random([4, 3], 5))
  }

  private static func convolution(stride: Int, algorithm: ConvolutionAlgorithm) -> Network {
    Network(
      parameters: [
        ("a.weight", random([4, 2, 3, 3], 1)), ("a.bias", random([4], 2)),
        ("b.weight", random([3, 4, 3, 3], 3)),
        ("b.bias", random([3], 4)),
      ],
      run: { x, p, tape in
        func layer(_ weight: Tensor, _ bias: Tensor, stride: Int) -> Conv2d {
          var layer = Conv2d(
            inChannels: weight.shape[1], outChannels: weight.shape[0], kernelSize: 3, stride: stride,
            padding: 1,
            weights: WeightScope(StateDictionary([], file: "")))
          layer.weight = ConvolutionWeight(weight, algorithm: stride == 1 ? algorithm : .im2col)
          layer.bias = bias
          return layer
        }
        let hidden = silu(layer(p[0], p[1], stride: stride)(x, tape: tape), tape: tape)
        return layer(p[2], p[3], stride: 1)(hidden, tape: tape)
      }, x: random([2, 6, 5, 2], 5))
  }

  @Test(arguments: [false, true])
  func linearLayers(recomputing: Bool) { compare(Self.linear(), recomputing: recomputing) }

  @Test(arguments: [1, 2], [ConvolutionAlgorithm.im2col, .winograd2])
  func convolutions(stride: Int, algorithm: ConvolutionAlgorithm) {
    compare(Self.convolution(stride: stride, algorithm: algorithm))
  }

  private func compare(_ network: Network, recomputing: Bool = false) {
    let parameters = network.parameters.map(\.tensor)
    let tape = Tape()
    func run(_ tape: Tape) -> Tensor { network.run(network.x, parameters, tape) }
    let output = recomputing ? tape.recomputing(run) : run(tape)
    let slope = tape.recordedGradients(at: output, Tensor(repeating: 1, shape: output.shape))[network.x]!
    let value = sumOfSquares(slope, tape: tape)
    let gradients = tape.gradients(at: value, Tensor([1], shape: [1]))
    for (index, parameter) in network.parameters.enumerated() {
      let exact = gradients[parameter.tensor] ?? Tensor(zeros: parameter.tensor.shape)
      for element in 0..<parameter.tensor.count {
        func moved(_ step: Float) -> Double {
          var changed = parameters
          var elements = parameter.tensor.elements
          elements[element] += step
          changed[index] = Tensor(elements, shape: parameter.tensor.shape)
          let tape = Tape()
          let output = network.run(network.x, changed, tape)
          let gradient = tape.gradients(at: output, Tensor(repeating: 1, shape: output.shape))[network.x]!
          return squaredNorm([gradient])
        }
        let step: Float = 0.01
        let difference = (moved(step) - moved(-step)) / (2 * Double(step))
        #expect(
          abs(Double(exact.elements[element]) - difference) <= 2e-2 + 2e-2 * abs(difference),
          "\(parameter.name)[\(element)]: \(exact.elements[element]), \(difference)")
      }
    }
  }
}
