import Checkpoints
import TensorCore

// A file of the state: `model.<name>`, `ema.<name>`, `adam.mean.<name>` and `adam.square.<name>` for every parameter,
// and what the choice of timesteps remembers. Numbers are in the metadata.

extension DiffusionTrainingState {
  private static let formatName = "dseg training state 1"
  private enum Part: String, CaseIterable {
    case model
    case average = "ema"
    case mean = "adam.mean"
    case square = "adam.square"
  }

  /// Writes all of it. The file appears under its name only when it is complete.
  /// - Parameter metadata: more to write beside it
  /// - Throws: `DataError` when it cannot be written.
  public func write(to path: String, metadata: [String: String] = [:]) throws(DataError) {
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
    if !timesteps.history.isEmpty {
      let length = TimestepSampler.historyLength
      let losses = timesteps.history.flatMap { $0 + [Float](repeating: 0, count: length - $0.count) }
      writer.append("timesteps.losses", Tensor(losses, shape: [timesteps.steps, length]))
      writer.append(
        "timesteps.counts", Tensor(timesteps.history.map { Float($0.count) }, shape: [timesteps.steps]))
    }
    try writer.write(to: path)
  }

  /// Reads a state that was written before.
  /// - Parameters:
  ///   - shapes: names and shapes of the network's parameters
  /// - Throws: `DataError` when the file is no such state, or one of another network or another choice of timesteps, or
  ///   holds numbers that no training leaves: weights that are not finite, steps that cannot have been done.
  public init(
    contentsOf path: String, shapes: [(name: String, shape: [Int])], options: DiffusionTrainingOptions,
    diffusionSteps: Int
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
    let tensors = file.entries.compactMap { entry -> NamedArray? in
      guard case .tensor(let array) = entry.value else { return nil }
      return NamedArray(name: entry.path, array: array)
    }
    let scope = WeightScope(StateDictionary(tensors, file: path))
    func check(_ name: String, _ tensor: Tensor, _ expected: String, _ holds: (Float) -> Bool)
      throws(DataError)
    {
      let place = tensor.withUnsafeBufferPointer { $0.firstIndex { !holds($0) } }
      guard let place else { return }
      let found = tensor.withUnsafeBufferPointer { $0[place] }
      throw DataError(.malformed, file: path, item: name, expected: expected, found: "\(found) at \(place)")
    }
    func read(_ part: Part) throws(DataError) -> [NamedTensor] {
      var tensors: [NamedTensor] = []
      for (name, shape) in shapes {
        // Written in place later, so not left in the file.
        let tensor = scope.scope(part.rawValue).tensor(name, shape: shape).copied
        if part == .square {
          try check("\(part.rawValue).\(name)", tensor, "finite squares, 0 or above") {
            $0.isFinite && $0 >= 0
          }
        } else {
          try check("\(part.rawValue).\(name)", tensor, "finite numbers", \.isFinite)
        }
        tensors.append(NamedTensor(name: name, tensor: tensor))
      }
      return tensors
    }
    var parts: [[NamedTensor]] = []
    for part in Part.allCases { parts.append(try read(part)) }
    let adamSteps = try number("dseg.adam_steps")
    step = try number("dseg.step")
    parameters = parts[0]
    averages = parts[1]
    moments = zip(parts[2], parts[3]).map {
      AdamMoments(mean: $0.tensor, square: $1.tensor, step: adamSteps)
    }
    timesteps = TimestepSampler(options.timesteps, steps: diffusionSteps)
    if options.timesteps == .lossSecondMoment {
      let length = TimestepSampler.historyLength
      let lossTensor = scope.tensor("timesteps.losses", shape: [diffusionSteps, length])
      let countTensor = scope.tensor("timesteps.counts", shape: [diffusionSteps])
      try scope.finish()
      try check("timesteps.losses", lossTensor, "finite numbers", \.isFinite)
      try check("timesteps.counts", countTensor, "whole numbers from 0 to \(length)") {
        $0 >= 0 && $0 <= Float(length) && $0 == $0.rounded()
      }
      let (losses, counts) = (lossTensor.elements, countTensor.elements)
      timesteps = TimestepSampler(
        options.timesteps, steps: diffusionSteps,
        history: counts.enumerated().map { step, count in
          Array(losses[step * length..<step * length + Int(count)])
        })
    }
    try scope.finish()
  }
}
