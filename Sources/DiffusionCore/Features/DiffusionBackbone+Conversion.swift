import Checkpoints
import TensorCore

extension DiffusionBackbone {
  /// Writes the weights of a checkpoint as a `.safetensors` file with guided-diffusion's names, which also says what
  /// the weights do not tell: image size, heads, schedule.
  /// - Parameters:
  ///   - checkpoint: `.pt` or `.safetensors`
  ///   - options: what the weights do not tell
  ///   - weights: which network, of several in the file
  ///   - elementType: float32, or float16 or bfloat16 for a file of half the size
  /// - Throws: `DataError` when the checkpoint is no such network, a weight is too large for the type, or the file
  ///   cannot be written.
  public static func convert(
    checkpoint: String, options: BackboneOptions, weights: WeightsChoice = .automatic,
    notices: Notices = Notices(), to path: String, as elementType: ElementType = .float32
  ) throws(DataError) {
    try convert(
      Checkpoint(contentsOf: checkpoint), options: options, weights: weights, notices: notices, to: path,
      as: elementType)
  }

  /// The same for a checkpoint that is open.
  public static func convert(
    _ file: Checkpoint, options: BackboneOptions, weights: WeightsChoice = .automatic,
    notices: Notices = Notices(), to path: String, as elementType: ElementType = .float32
  ) throws(DataError) {
    // Refuses what would be refused when the result is opened.
    _ = try DiffusionBackbone(file, options: options, weights: weights)
    let state = try UNetConfiguration.state(in: file, weights: weights, notices: notices).state
    var writer = SafetensorsWriter(metadata: options.metadata(replacingThoseOf: file.metadata))
    for named in state.tensors {
      let tensor = named.array.tensor()
      if elementType == .float16, let large = tensor.elements.first(where: { abs($0) >= 65520 }) {
        throw DataError(
          .unsupported, file: file.path, item: named.name,
          expected: "weights up to 65504, the most of a half",
          found: "\(large)")
      }
      writer.append(named.name, tensor, as: elementType)
    }
    try writer.write(to: path)
  }
}
