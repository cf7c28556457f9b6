import Base
import Checkpoints
import TensorCore

extension UNet {
  /// Parameters of a network before training, as the reference's are in PyTorch.
  ///
  /// Weights and biases of convolutions and linear layers are uniform in ±1 / sqrt(inputs); normalisations are the
  /// identity, class embeddings standard normal. The last layer of every residual block, of every attention block and
  /// of the network is zero (`zero_module`), so that each block begins as the identity.
  /// - Throws: `DataError` when the configuration cannot be.
  public static func initialParameters(
    _ configuration: UNetConfiguration, random: Philox
  ) throws(DataError) -> [NamedTensor] {
    let shapes = try parameterShapes(configuration)
    let weightShapes = Dictionary(uniqueKeysWithValues: shapes.map { ($0.name, $0.shape) })
    return shapes.enumerated().map { index, parameter in
      var stream = random.split(UInt64(index))
      let isBias = parameter.name.hasSuffix(".bias")
      let layer = parameter.name.dropLast(isBias ? ".bias".count : ".weight".count)
      let weightShape = weightShapes["\(layer).weight"] ?? parameter.shape
      let tensor: Tensor
      if zeroModules.contains(where: layer.hasSuffix) {
        tensor = Tensor(zeros: parameter.shape)
      } else if weightShape.count == 1 {
        tensor = Tensor(repeating: isBias ? 0 : 1, shape: parameter.shape)
      } else if layer == "label_emb" {
        tensor = stream.normal(shape: parameter.shape)
      } else {
        let bound = 1 / Float(weightShape.dropFirst().reduce(1, *)).squareRoot()
        tensor = stream.uniform(shape: parameter.shape).mapped { (2 * $0 - 1) * bound }
      }
      return NamedTensor(name: parameter.name, tensor: tensor)
    }
  }

  /// How the names of layers that begin as zero end.
  private static let zeroModules = ["out_layers.3", "proj_out", "out.2"]
}
