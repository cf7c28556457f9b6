import Base
import Checkpoints
import TensorCore

// A file of the state: `model.<name>`, `ema.<name>`, `adam.mean.<name>` and `adam.square.<name>` for every parameter,
// and what the objective remembers. Numbers are in the metadata.

extension TrainingState {
  private static let formatName = "dseg training state 1"
  private enum Part: String, CaseIterable {
    case model
    case average = "ema"
    case mean = "adam.mean"
    case square = "adam.square"
  }

  /// Writes all of it. The file appears under its name only when it is complete.
  /// - Parameters:
  ///   - path: the file to write, `.safetensors`
  ///   - memory: what the objective needs to go on
  ///   - metadata: more to write beside it
  /// - Throws: `DataError` when it cannot be written.
  public func write(
    to path: String, memory: [NamedTensor] = [], metadata: [String: String] = [:]
  ) throws(DataError) {
    var writer = SafetensorsWriter(metadata: metadata)
    writer.metadata["dseg.format"] = Self.formatName
    writer.metadata["dseg.step"] = "\(step)"
    writer.metadata["dseg.adam_steps"] = "\(moments.first?.step ?? 0)"
    for (index, parameter) in parameters.enumerated() {
      func append(_ part: Part, _ tensor: Tensor) {
        writer.append("\(part.rawValue).\(parameter.name)", tensor)
      }
      append(.model, parameter.tensor)
      append(.average, averages[index].tensor)
      append(.mean, moments[index].mean)
      append(.square, moments[index].square)
    }
    for named in memory { writer.append(named.name, named.tensor) }
    try writer.write(to: path)
  }

  /// Reads a state that was written before.
  /// - Parameters:
  ///   - path: the file
  ///   - shapes: names and shapes of the network's parameters
  ///   - memory: reads what the objective remembers from the file's scope, checking its values
  /// - Throws: `DataError` when the file is no such state, or one of another network or objective, or holds numbers that
  ///   no training leaves: weights that are not finite, steps that cannot have been done.
  public init(
    contentsOf path: String, shapes: [(name: String, shape: [Int])],
    memory: (StateReader) throws(DataError) -> Void = { _ in }
  ) throws(DataError) {
    let file = try Checkpoint(contentsOf: path)
    func number(_ key: String) throws(DataError) -> Int {
      guard let value = file.metadata[key].flatMap({ Int($0) }), Self.steps.contains(value) else {
        throw DataError(
          .malformed, file: path, item: "metadata \(key)", expected: "a number of steps",
          found: file.metadata[key] ?? "none")
      }
      return value
    }
    guard file.metadata["dseg.format"] == Self.formatName else {
      throw DataError(
        .malformed, file: path, expected: "a \(Self.formatName)",
        found: file.metadata["dseg.format"] ?? "none")
    }
    let reader = StateReader(file)
    var parts: [[NamedTensor]] = []
    for part in Part.allCases {
      var tensors: [NamedTensor] = []
      for (name, shape) in shapes {
        let name = (whole: "\(part.rawValue).\(name)", own: name)
        let tensor =
          part == .square
          ? try reader.tensor(name.whole, shape: shape, "finite squares, 0 or above") {
            $0.isFinite && $0 >= 0
          }
          : try reader.tensor(name.whole, shape: shape, "finite numbers", \.isFinite)
        // Written in place later, so not left in the file.
        tensors.append(NamedTensor(name: name.own, tensor: tensor.copied))
      }
      parts.append(tensors)
    }
    let adamSteps = try number("dseg.adam_steps")
    self.init(
      step: try number("dseg.step"), parameters: parts[0], averages: parts[1],
      moments: zip(parts[2], parts[3]).map {
        AdamMoments(mean: $0.tensor, square: $1.tensor, step: adamSteps)
      })
    try memory(reader)
    try reader.scope.finish()
  }
}

/// Reads tensors of a state and checks their values.
public struct StateReader {
  let scope: WeightScope
  private let path: String

  init(_ file: Checkpoint) {
    scope = WeightScope(StateDictionary(file.tensors, file: file.path))
    path = file.path
  }

  /// - Throws: `DataError` naming the first value for which `holds` is false.
  public func tensor(
    _ name: String, shape: [Int], _ expected: String, _ holds: (Float) -> Bool
  ) throws(DataError) -> Tensor {
    let tensor = scope.tensor(name, shape: shape)
    let place = tensor.withUnsafeBufferPointer { $0.firstIndex { !holds($0) } }
    guard let place else { return tensor }
    let found = tensor.withUnsafeBufferPointer { $0[place] }
    throw DataError(.malformed, file: path, item: name, expected: expected, found: "\(found) at \(place)")
  }

  /// Ends reading of what was asked for so far.
  /// - Throws: `DataError` that lists all tensors that are missing, left over or of another shape.
  public func finish() throws(DataError) { try scope.finish() }
}
