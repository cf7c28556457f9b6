import TensorCore

extension DiffusionFeatures {
  /// Bytes of the maps that are kept of a picture, with the numbers as `precision` says.
  package func mapBytes(height: Int, width: Int) -> Double {
    let side = backbone.options.imageSize
    let pictures = Double(height) * Double(width) / (Double(side) * Double(side))
    let outputs = backbone.cost.outputBlocks
    let floats = blocks.filter(outputs.indices.contains).reduce(0.0) { sum, block in
      sum + Double(outputs[block].channels) * Double(outputs[block].height) * Double(outputs[block].width)
    }
    return Double(steps.count) * floats * pictures * (precision == .half ? 2 : 4)
  }

  /// Bytes that it takes at least to extract the features of a picture: one step's activations and all maps.
  package func bytes(height: Int, width: Int) -> Double {
    Double(backbone.network.configuration.activationBytes(height: height, width: width))
      + mapBytes(height: height, width: width)
  }
}
