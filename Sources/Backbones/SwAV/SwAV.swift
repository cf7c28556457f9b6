import Base
import Checkpoints
import Features
import Layers
import TensorCore

/// SwAV's ResNet-50 (Caron et al. 2020), plain or wide, as a backbone. Any residual network of bottlenecks under
/// torchvision's names is read; heads and prototypes are left out.
public struct SwAV: Backbone {
  public static let kind = "swav"
  public static let summary = "the ResNet-50 of SwAV (Caron et al. 2020), plain or wide"

  public static let anchor = ResNetConfiguration.anchor
  public static let landmarks = [
    anchor, "conv1.weight", "bn1.running_mean", "layer1.0.conv3.weight", "layer1.0.bn3.running_var",
  ]
  public static let experiments: ExperimentNames? = ExperimentNames(
    types: ["swav", "swav_w2"], inputActivations: true)

  public let network: ResNet
  public let options: SwAVOptions
  public let origin: ModelOrigin

  public init(
    _ checkpoint: Checkpoint, options: SwAVOptions, weights: WeightsChoice, notices: Notices
  ) throws(DataError) {
    let (state, origin) = try Self.state(in: checkpoint, weights: weights, notices: notices)
    try Self.checkIsPlain(checkpoint)
    try options.validate()
    let configuration = try ResNetConfiguration(state: state)
    guard configuration.inChannels == 3 else {
      throw DataError(
        .unsupported, file: checkpoint.path, item: state.prefix + "conv1.weight",
        expected: "a network of pictures of 3 channels", found: "\(configuration.inChannels)")
    }
    try Self.checkVariances(of: state)
    let scope = WeightScope(state, requiresFinite: true)
    network = ResNet(
      configuration,
      convolutions: ConvolutionPolicy(precision: options.precision, imageSize: options.imageSize),
      weights: scope)
    for head in scope.children where !Self.parts(of: configuration).contains(head) {
      for tensor in state.tensors where tensor.name == head || tensor.name.hasPrefix(head + ".") {
        scope.ignore(tensor.name)
      }
    }
    try scope.finish()
    (self.options, self.origin) = (options, origin)
  }

  /// The last stages of a segmentation network are dilated, which no weight tells.
  private static func checkIsPlain(_ checkpoint: Checkpoint) throws(DataError) {
    guard let other = checkpoint.tensors.map(\.name).first(where: { $0.contains("classifier.0.convs.") })
    else { return }
    throw DataError(
      .unsupported, file: checkpoint.path, item: other, expected: "a residual network alone",
      found: "a DeepLab, whose residual network is dilated")
  }

  /// Names of the network's parts; what else the file holds are heads.
  private static func parts(of configuration: ResNetConfiguration) -> Set<String> {
    Set(["conv1", "bn1"] + configuration.stages.indices.map { "layer\($0 + 1)" })
  }

  /// Variances below 0 would make every number NaN.
  private static func checkVariances(of state: StateDictionary) throws(DataError) {
    for tensor in state.tensors where tensor.name.hasSuffix("running_var") {
      guard tensor.array.tensor().elements.allSatisfy({ $0 >= 0 }) else {
        throw DataError(
          .malformed, file: state.file, item: state.prefix + tensor.name, expected: "variances of 0 and more",
          found: "others")
      }
    }
  }

  public func features(
    _ selection: SwAVSelection, tensors: [String: Tensor], notices: Notices
  ) throws(DataError) -> any ModelFeatures {
    let features = SwAVFeatures(self, layers: selection.layers ?? Self.everySecond(network.configuration))
    try features.validate()
    return features
  }

  /// Every second block of each stage, from its first: for a ResNet-50 the nine of ddpm-segmentation.
  static func everySecond(_ configuration: ResNetConfiguration) -> [String] {
    configuration.taps.map(\.name).filter { Int($0.split(separator: ".")[1])! % 2 == 0 }
  }
}
