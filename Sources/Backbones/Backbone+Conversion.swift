import Base
import Checkpoints
import Features

extension BackboneRegistry {
  /// Writes the weights of a checkpoint as a `.safetensors` file under their own names, which also says what the weights
  /// do not tell.
  /// - Parameters:
  ///   - checkpoint: `.pt` or `.safetensors`
  ///   - kind: nil to recognize it
  ///   - settings: what the weights do not tell, by keys of the option table of its kind
  ///   - weights: which network, of several in the file
  ///   - notices: told which of several networks was taken, and of settings that contradict what the file says
  ///   - path: the file to write
  ///   - elementType: float32, or float16 or bfloat16 for a file of half the size
  /// - Throws: `DataError` when the checkpoint is of no known kind, a weight is too large for the type, or the file
  ///   cannot be written.
  public func convert(
    _ checkpoint: Checkpoint, kind: String? = nil, settings: [String: String] = [:],
    weights: WeightsChoice = .automatic, notices: Notices = Notices(), to path: String,
    as elementType: ElementType = .float32
  ) throws(DataError) {
    try self.kind(of: checkpoint, named: kind).convert(
      checkpoint, settings: settings, weights: weights, notices: notices, to: path, as: elementType)
  }
}

extension Backbone {
  fileprivate static func convert(
    _ checkpoint: Checkpoint, settings: [String: String], weights: WeightsChoice, notices: Notices,
    to path: String, as elementType: ElementType
  ) throws(DataError) {
    let options = try options(of: checkpoint, settings: settings, notices: notices)
    try convert(
      checkpoint, options: options, weights: weights, notices: notices, to: path, as: elementType)
  }

  /// The same with options at hand, for a checkpoint at a path.
  public static func convert(
    checkpoint path: String, options: Options, weights: WeightsChoice = .automatic,
    notices: Notices = Notices(), to output: String, as elementType: ElementType = .float32
  ) throws(DataError) {
    try convert(
      Checkpoint(contentsOf: path), options: options, weights: weights, notices: notices, to: output,
      as: elementType)
  }

  /// The same with options at hand.
  public static func convert(
    _ checkpoint: Checkpoint, options: Options, weights: WeightsChoice = .automatic,
    notices: Notices = Notices(), to path: String, as elementType: ElementType = .float32
  ) throws(DataError) {
    // Refuses what would be refused when the result is opened.
    _ = try Self(checkpoint, options: options, weights: weights, notices: Notices())
    let state = try state(in: checkpoint, weights: weights, notices: notices).state
    var writer = SafetensorsWriter(metadata: options.metadata(replacingThoseOf: checkpoint.metadata))
    for named in state.tensors {
      let tensor = named.array.tensor()
      if keepsPrecision(named.name) {
        writer.append(named.name, tensor)
        continue
      }
      if elementType == .float16, let large = tensor.elements.first(where: { abs($0) >= 65520 }) {
        throw DataError(
          .unsupported, file: checkpoint.path, item: named.name,
          expected: "weights up to 65504, the most of a half", found: "\(large)")
      }
      writer.append(named.name, tensor, as: elementType)
    }
    try writer.write(to: path)
  }
}
