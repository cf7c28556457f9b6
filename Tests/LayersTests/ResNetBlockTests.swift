import Checkpoints
import Layers
import TensorCore
import TestSupport
import Testing

/// Blocks of residual networks by their definition, in evaluation and without folding.
struct ResNetBlockTests {
  private static func convolved(
    _ x: NaiveTensor, _ number: Int, _ w: [String: Tensor], stride: Int = 1, padding: Int, dilation: Int = 1,
    names: (String, String)? = nil
  ) -> NaiveTensor {
    let (kernel, norm) = names ?? ("conv\(number)", "bn\(number)")
    let y = naiveConv2d(
      x, weight: NaiveTensor(w["\(kernel).weight"]!), bias: nil, stride: stride, padding: Padding2D(padding),
      dilation: dilation)
    var result = y
    let pixels = y.shape[2] * y.shape[3]
    for index in y.elements.indices {
      let c = index / pixels % y.shape[1]
      func value(_ name: String) -> Double { Double(w["\(norm).\(name)"]!.elements[c]) }
      result.elements[index] =
        (y.elements[index] - value("running_mean")) / (value("running_var") + 1e-5).squareRoot()
        * value("weight") + value("bias")
    }
    return result
  }

  private static func relu(_ x: NaiveTensor) -> NaiveTensor {
    NaiveTensor(x.elements.map { max(0, $0) }, shape: x.shape)
  }

  /// Random weights with variances above 0.
  private static func weights(
    _ load: (WeightScope) -> Void
  ) -> (state: StateDictionary, tensors: [String: Tensor]) {
    let empty = WeightScope(StateDictionary([], file: "empty"))
    load(empty)
    var tensors: [String: Tensor] = [:]
    for (index, parameter) in empty.report.missing.enumerated() {
      var random = Philox(seed: 3).split(UInt64(index))
      let shape = parameter.expected ?? []
      tensors[parameter.name] =
        parameter.name.hasSuffix("running_var")
        ? random.uniform(shape: shape) + Tensor(repeating: 0.5, shape: shape)
        : random.normal(shape: shape) * 0.4
    }
    let named = tensors.sorted { $0.key < $1.key }.map { NamedTensor(name: $0.key, tensor: $0.value) }
    return (StateDictionary(named, file: "random"), tensors)
  }

  @Test(
    arguments: [(1, 1, false), (2, 1, true), (1, 2, true), (1, 4, false)], [NetworkUse.inference, .training])
  func basic(_ shape: (stride: Int, dilation: Int, hasDownsample: Bool), use: NetworkUse) throws {
    let block = ResNetConfiguration.Block(
      width: 4, outChannels: 4, hasDownsample: shape.hasDownsample, stride: shape.stride,
      dilation: shape.dilation, isBasic: true)
    let inputs = shape.hasDownsample ? 3 : 4
    let (state, w) = Self.weights { _ = ResNetBasicBlock(block, inChannels: inputs, use: use, weights: $0) }
    let scope = WeightScope(state)
    let layer = ResNetBasicBlock(block, inChannels: inputs, use: use, weights: scope)
    try scope.finish()
    var random = Philox(seed: 4)
    let x = random.normal(shape: [2, inputs, 9, 7])
    let hidden = Self.relu(
      Self.convolved(
        NaiveTensor(x), 1, w, stride: shape.stride, padding: shape.dilation, dilation: shape.dilation))
    var y = Self.convolved(hidden, 2, w, padding: shape.dilation, dilation: shape.dilation)
    let skip =
      shape.hasDownsample
      ? Self.convolved(
        NaiveTensor(x), 0, w, stride: shape.stride, padding: 0, names: ("downsample.0", "downsample.1"))
      : NaiveTensor(x)
    for index in y.elements.indices { y.elements[index] += skip.elements[index] }
    expectClose(layer(x.channelsLast).channelsFirst, Self.relu(y), absolute: 2e-5)
  }
}
