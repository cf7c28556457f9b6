import Base
import Checkpoints
import Layers
import TensorCore

/// The tensors of a DeepLabV3 in files: what a training saves, torchvision's own, and those of residual networks.
public enum DeepLabV3State {
  private static let prefix = "backbone."
  /// What a classification network has beside its residual network.
  private static let classifier = "fc."
  private static let auxiliary = "aux_classifier."

  /// Whether a state dictionary is that of a DeepLabV3.
  public static func isDeepLab(_ state: StateDictionary) -> Bool {
    state["classifier.0.project.0.weight"] != nil && state["backbone.conv1.weight"] != nil
  }

  /// The tensors of the residual network, without the name before theirs.
  static func backbone(of state: StateDictionary) -> StateDictionary {
    let tensors = state.tensors.compactMap { tensor in
      tensor.name.hasPrefix(prefix)
        ? NamedArray(name: String(tensor.name.dropFirst(prefix.count)), array: tensor.array) : nil
    }
    return StateDictionary(tensors, file: state.file, prefix: state.prefix + prefix)
  }

  /// A network without its auxiliary head, which training needs alone.
  /// - Parameters:
  ///   - state: of a DeepLabV3
  ///   - notices: are told when there was one
  public static func withoutAuxiliary(_ state: StateDictionary, notices: Notices) -> StateDictionary {
    let kept = state.tensors.filter { !$0.name.hasPrefix(auxiliary) }
    guard kept.count < state.tensors.count else { return state }
    notices.add(
      .leftOut, file: state.file, item: state.prefix + auxiliary + "*",
      "the auxiliary head is of no use outside training")
    return StateDictionary(kept, file: state.file, prefix: state.prefix)
  }

  /// A network whose residual network is that of another file, running statistics included, and whose head stays.
  /// - Parameters:
  ///   - state: of a DeepLabV3
  ///   - other: of a classification network (`conv1.weight`, …, `fc.weight`) or of another DeepLabV3
  ///   - notices: are told what of the other file is left out
  /// - Throws: `DataError` that names the first tensor which the other file lacks, has in another shape or has beyond those
  ///   of the network.
  public static func replacingBackbone(
    of state: StateDictionary, by other: StateDictionary, notices: Notices
  ) throws(DataError) -> StateDictionary {
    let source = isDeepLab(other) ? backbone(of: other) : other
    let left = source.tensors.filter { $0.name.hasPrefix(classifier) }
    if !left.isEmpty {
      notices.add(
        .leftOut, file: other.file, item: source.prefix + classifier + "*",
        "the classes of whole pictures are of no use for pixels")
    }
    for tensor in source.tensors
    where !tensor.name.hasPrefix(classifier) && state[prefix + tensor.name] == nil {
      // Older files do not count batches.
      guard !tensor.name.hasSuffix("num_batches_tracked") else { continue }
      throw DataError(
        .malformed, file: other.file, item: source.prefix + tensor.name,
        expected: "the residual network of \(state.file), which has no such tensor",
        found: "shape \(tensor.array.shape)")
    }
    var tensors: [NamedArray] = []
    for tensor in state.tensors {
      guard tensor.name.hasPrefix(prefix) else {
        tensors.append(tensor)
        continue
      }
      let name = String(tensor.name.dropFirst(prefix.count))
      guard let array = source[name], array.shape == tensor.array.shape else {
        // Statistics of another network are not what was counted here.
        if source[name] == nil, name.hasSuffix("num_batches_tracked") { continue }
        throw DataError(
          .malformed, file: other.file, item: source.prefix + name, expected: "shape \(tensor.array.shape)",
          found: source[name].map { "shape \($0.shape)" } ?? "none")
      }
      tensors.append(NamedArray(name: tensor.name, array: array))
    }
    return StateDictionary(tensors, file: state.file, prefix: state.prefix)
  }

  /// Variances below 0 would make every number NaN.
  static func checkVariances(of state: StateDictionary) throws(DataError) {
    for tensor in state.tensors where tensor.name.hasSuffix("running_var") {
      guard tensor.array.tensor().elements.allSatisfy({ $0 >= 0 }) else {
        throw DataError(
          .malformed, file: state.file, item: state.prefix + tensor.name, expected: "variances of 0 and more",
          found: "others")
      }
    }
  }
}

extension DeepLabV3 {
  /// Loads a network from a state dictionary, all of whose tensors must be the network's.
  /// - Parameters:
  ///   - state: under torchvision's names
  ///   - rates: dilations of the pooling, which no weight tells
  ///   - use: what it is loaded for
  ///   - policy: how 3×3 convolutions are computed
  /// - Throws: `DataError` when it is no DeepLabV3, or lists what does not fit.
  public init(
    state: StateDictionary, rates: [Int] = DeepLabV3Configuration.standardRates,
    use: NetworkUse = .inference, convolutions policy: ConvolutionPolicy = .init()
  ) throws(DataError) {
    guard DeepLabV3State.isDeepLab(state) else {
      throw DataError(
        .malformed, file: state.file, item: state.prefix + "classifier.0.project.0.weight",
        expected: "a DeepLabV3 under torchvision's names",
        found: "no such tensor, or no backbone.conv1.weight")
    }
    let configuration = try DeepLabV3Configuration(state: state, rates: rates)
    try DeepLabV3State.checkVariances(of: state)
    let scope = WeightScope(state, requiresFinite: true)
    self.init(configuration, use: use, convolutions: policy, weights: scope)
    try scope.finish()
  }
}
