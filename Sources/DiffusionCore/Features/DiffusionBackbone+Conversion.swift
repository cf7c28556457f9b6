import Checkpoints
import TensorCore

extension DiffusionBackbone {
  /// Writes the weights of a checkpoint as a `.safetensors` file with guided-diffusion's names, which also says what
  /// the weights do not tell: image size, heads, schedule.
  /// - Parameters:
  ///   - checkpoint: `.pt` or `.safetensors`
  ///   - options: what the weights do not tell
  ///   - elementType: float32, or float16 or bfloat16 for a file of half the size
  /// - Throws: `DataError` when the checkpoint is no such network, a weight is too large for the type, or the file
  ///   cannot be written.
  public static func convert(
    checkpoint: String, options: BackboneOptions, to path: String, as elementType: ElementType = .float32
  ) throws(DataError) {
    let file = try Checkpoint(contentsOf: checkpoint)
    let state = try StateDictionary(file)
    // Refuses what would be refused when the result is opened.
    let configuration = try UNetConfiguration(state: state, attention: options.attention)
    let network = try UNet(configuration, weights: WeightScope(state))
    _ = try DiffusionBackbone(network: network, options: options, checkpointPath: checkpoint)

    var writer = SafetensorsWriter(metadata: file.metadata.merging(options.metadata) { _, new in new })
    for named in state.tensors {
      let tensor = named.array.tensor()
      if elementType == .float16, let large = tensor.elements.first(where: { abs($0) >= 65520 }) {
        throw DataError(
          .unsupported, file: checkpoint, item: named.name,
          expected: "weights up to 65504, the most of a half",
          found: "\(large)")
      }
      writer.append(named.name, tensor, as: elementType)
    }
    try writer.write(to: path)
  }
}
