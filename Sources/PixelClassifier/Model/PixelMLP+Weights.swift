import Base
import Checkpoints
import TensorCore

extension PixelMLP {
  /// A classifier that ddpm-segmentation saved (`model_{i}.pth`).
  /// - Throws: `DataError` when the file cannot be read, is no such classifier, or has weights that are no numbers.
  public init(contentsOf path: String) throws(DataError) {
    try self.init(weights: WeightScope(StateDictionary(Checkpoint(contentsOf: path)), requiresFinite: true))
  }

  /// A classifier from tensors named `layers.0.weight`, `layers.0.bias`, `layers.2.running_mean` and so on.
  /// The widths of the layers are read from the tensors. Classifiers of the report, in which a dropout after each ReLU
  /// moves the numbers (0, 3, 4, 7, 8 for 0, 2, 3, 5, 6), are read too.
  /// - Throws: `DataError` that lists every tensor that is missing, of another shape or of no use.
  public init(weights: WeightScope) throws(DataError) {
    let layers = weights.scope("layers")
    let place = layers.shape(of: "8.weight") == nil ? LayerNumbers.reference : .withDropout
    // The widths must agree before anything is made of them: a file that lies about them could ask for
    // any amount of memory.
    let first = try PixelMLP.weightShape(layers, "\(place.linear0).weight", inputs: nil)
    let second = try PixelMLP.weightShape(layers, "\(place.linear3).weight", inputs: first.outputs)
    let third = try PixelMLP.weightShape(layers, "\(place.linear6).weight", inputs: second.outputs)
    let norm2 = BatchNorm1dState(layers.scope(place.norm2), channels: first.outputs)
    let norm5 = BatchNorm1dState(layers.scope(place.norm5), channels: second.outputs)
    let counter = layers.tensorIfPresent("\(place.norm2).num_batches_tracked", shape: [])
    layers.ignore("\(place.norm5).num_batches_tracked")
    self.init(
      linear0: LinearParameters(layers.scope(place.linear0), first), norm2: norm2,
      linear3: LinearParameters(layers.scope(place.linear3), second), norm5: norm5,
      linear6: LinearParameters(layers.scope(place.linear6), third),
      batchesTracked: counter.flatMap { Int(exactly: $0.item) } ?? 0)
    try weights.finish()
  }

  /// The numbers of the layers in a file.
  private struct LayerNumbers {
    var linear0, norm2, linear3, norm5, linear6: Int

    static let reference = LayerNumbers(linear0: 0, norm2: 2, linear3: 3, norm5: 5, linear6: 6)
    static let withDropout = LayerNumbers(linear0: 0, norm2: 3, linear3: 4, norm5: 7, linear6: 8)
  }

  private static func weightShape(
    _ layers: WeightScope, _ name: String, inputs: Int?
  ) throws(DataError) -> (outputs: Int, inputs: Int) {
    let shape = layers.shape(of: name)
    guard let shape, shape.count == 2, shape[0] > 0, shape[1] > 0, inputs == nil || shape[1] == inputs else {
      throw DataError(
        .malformed, file: layers.report.file, item: "\(layers.report.prefix)\(layers.path).\(name)",
        expected: "shape [units, \(inputs.map { "\($0)" } ?? "features")] of a pixel classifier",
        found: shape.map { "shape \($0)" } ?? "none")
    }
    return (shape[0], shape[1])
  }

  /// All tensors under their names in the reference, `layers.0.weight` and so on.
  public var namedTensors: [NamedArray] {
    let counter = NumericArray([Int64(batchesTracked)], shape: [])
    return linear0.namedTensors("layers.0") + norm2.namedTensors("layers.2", counter: counter)
      + linear3.namedTensors("layers.3") + norm5.namedTensors("layers.5", counter: counter)
      + linear6.namedTensors("layers.6")
  }
}

extension PixelEnsemble {
  /// An ensemble from the members' own files, in their order.
  /// - Throws: `DataError` when a file cannot be read, is no classifier, or differs from the first in a width.
  public init(contentsOf paths: [String]) throws(DataError) {
    var members: [PixelMLP] = []
    for path in paths { members.append(try PixelMLP(contentsOf: path)) }
    try self.init(members)
  }

  /// An ensemble from tensors named `member.{i}.layers.0.weight` and so on, `i` from 0.
  /// - Throws: `DataError` when a member is missing or incomplete, or members differ in a width, or there are
  ///   other tensors.
  public init(memberCount: Int, weights: WeightScope) throws(DataError) {
    guard memberCount >= 1 else {
      throw DataError(
        .malformed, file: weights.report.file, item: "members", expected: "at least 1",
        found: "\(memberCount)")
    }
    var members: [PixelMLP] = []
    for index in 0..<memberCount {
      members.append(try PixelMLP(weights: weights.scope("member").scope(index)))
    }
    try weights.finish()
    try self.init(members)
  }

  /// All tensors of all members, `member.{i}.layers.0.weight` and so on.
  public var namedTensors: [NamedArray] {
    members.enumerated().flatMap { index, member in
      member.namedTensors.map { NamedArray(name: "member.\(index).\($0.name)", array: $0.array) }
    }
  }
}

extension LinearParameters {
  fileprivate init(_ scope: WeightScope, _ shape: (outputs: Int, inputs: Int)) {
    self.init(
      weight: scope.tensor("weight", shape: [shape.outputs, shape.inputs]),
      bias: scope.tensor("bias", shape: [shape.outputs]))
  }

  fileprivate func namedTensors(_ name: String) -> [NamedArray] {
    [
      NamedArray(name: "\(name).weight", array: NumericArray(weight)),
      NamedArray(name: "\(name).bias", array: NumericArray(bias)),
    ]
  }
}

extension BatchNorm1dState {
  fileprivate init(_ scope: WeightScope, channels: Int) {
    self.init(
      weight: scope.tensor("weight", shape: [channels]), bias: scope.tensor("bias", shape: [channels]),
      runningMean: scope.tensor("running_mean", shape: [channels]),
      runningVariance: scope.tensor("running_var", shape: [channels]))
  }

  fileprivate func namedTensors(_ name: String, counter: NumericArray) -> [NamedArray] {
    let tensors = [
      ("weight", weight), ("bias", bias), ("running_mean", runningMean), ("running_var", runningVariance),
    ]
    return tensors.map { NamedArray(name: "\(name).\($0)", array: NumericArray($1)) }
      + [NamedArray(name: "\(name).num_batches_tracked", array: counter)]
  }
}
