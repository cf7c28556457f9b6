import Base
import Checkpoints
import Layers

/// The architecture of a DeepLabV3 (Chen et al. 2017, "Rethinking atrous convolution for semantic image segmentation"; the
/// variant of torchvision): a dilated residual network, pooling at several rates, a head.
public struct DeepLabV3Configuration: Sendable, Equatable {
  /// With its dilation.
  public var backbone: ResNetConfiguration
  /// Dilations of the 3×3 convolutions of the pooling.
  public var rates: [Int]
  /// Channels of each branch of the pooling, and of its result.
  public var poolingChannels: Int
  /// Channels before the last convolution.
  public var headChannels: Int
  /// Scores of a pixel.
  public var classes: Int
  /// Channels of the auxiliary head, which sees the third stage; nil for none.
  public var auxiliaryChannels: Int?

  /// DeepLab's rates for an output of an eighth of the picture.
  public static let standardRates = [12, 24, 36]
  /// Whether the second stage and those after it have dilation instead of stride.
  public static let standardDilation = [false, true, true]

  /// A network with torchvision's proportions.
  /// - Parameters:
  ///   - blocks: of each of the four stages: `[3, 4, 23, 3]` is ResNet-101
  ///   - stem: channels after the first convolution, 64 for all published networks
  ///   - isBasic: whether blocks are of two convolutions, as in ResNet-18 (`[2, 2, 2, 2]`)
  ///   - classes: scores of a pixel
  ///   - poolingChannels: of each branch of the pooling and of the head
  ///   - rates: dilations of the pooling
  ///   - hasAuxiliary: whether there is an auxiliary head
  /// - Precondition: there are four stages.
  public init(
    blocks: [Int], stem: Int = 64, isBasic: Bool = false, classes: Int, poolingChannels: Int = 256,
    rates: [Int] = standardRates, hasAuxiliary: Bool = false
  ) {
    precondition(blocks.count == Self.stages, "\(blocks.count) stages of a DeepLabV3")
    backbone = ResNetConfiguration(blocks: blocks, stem: stem, isBasic: isBasic)
      .replacingStride(Self.standardDilation)
    self.rates = rates
    self.classes = classes
    (self.poolingChannels, headChannels) = (poolingChannels, poolingChannels)
    auxiliaryChannels = hasAuxiliary ? max(1, backbone.channels(ofStage: 2) / 4) : nil
  }

  static let stages = 4
  /// More channels than any network has are not believed.
  private static let mostChannels = 1 << 15

  /// Reads the architecture off a state dictionary.
  /// - Parameters:
  ///   - state: under torchvision's names, `backbone.conv1.weight` and so on
  ///   - rates: dilations of the pooling, which no weight tells
  ///   - dilation: whether the second stage and those after it have dilation instead of stride, which no weight tells
  /// - Throws: `DataError` that names the tensor which no such network has, or lacks.
  public init(
    state: StateDictionary, rates: [Int] = standardRates, dilation: [Bool] = standardDilation
  ) throws(DataError) {
    func refusal(_ item: String, _ expected: String, _ found: String) -> DataError {
      DataError(.malformed, file: state.file, item: state.prefix + item, expected: expected, found: found)
    }
    func channels(of name: String) throws(DataError) -> Int {
      guard let shape = state[name]?.shape, shape.count == 4, (1...Self.mostChannels).contains(shape[0])
      else {
        throw refusal(
          name, "the weight of a convolution", state[name].map { "shape \($0.shape)" } ?? "none")
      }
      return shape[0]
    }
    guard !rates.isEmpty, rates.allSatisfy({ (1...1 << 12).contains($0) }) else {
      throw DataError(
        .invalidArgument, file: "rates", expected: "dilations from 1 to \(1 << 12)", found: "\(rates)")
    }
    backbone = try ResNetConfiguration(
      state: DeepLabV3State.backbone(of: state), allowsBasicBlocks: true
    ).replacingStride(dilation)
    guard backbone.stages.count == Self.stages else {
      throw refusal(
        "backbone.layer\(backbone.stages.count + 1).0.conv1.weight", "a network of \(Self.stages) stages",
        "\(backbone.stages.count)")
    }
    poolingChannels = try channels(of: "classifier.0.project.0.weight")
    let found = (1...).prefix { state["classifier.0.convs.\($0).0.weight"] != nil }.count
    guard found == rates.count else {
      throw refusal(
        "classifier.0.convs.\(min(found, rates.count) + 1).0.weight",
        "a convolution for each of the rates \(rates)", "\(found) convolutions")
    }
    self.rates = rates
    headChannels = try channels(of: "classifier.1.weight")
    classes = try channels(of: "classifier.4.weight")
    auxiliaryChannels =
      state["aux_classifier.0.weight"] == nil ? nil : try channels(of: "aux_classifier.0.weight")
  }
}

extension DeepLabV3Configuration {
  /// Names and shapes of the parameters and running statistics, in the order of torchvision's files, without the counters
  /// of batches.
  public var parameterShapes: [(name: String, shape: [Int])] {
    func convolution(
      _ name: String, _ norm: String, _ shape: [Int]
    ) -> [(name: String, shape: [Int])] {
      [("\(name).weight", shape)]
        + ["weight", "bias", "running_mean", "running_var"].map { ("\(norm).\($0)", [shape[0]]) }
    }
    let (wide, width) = (backbone.channels(ofStage: 3), poolingChannels)
    var shapes = backbone.parameterShapes.map { (name: "backbone.\($0.name)", shape: $0.shape) }
    let convs = "classifier.0.convs"
    shapes += convolution("\(convs).0.0", "\(convs).0.1", [width, wide, 1, 1])
    for index in 1...rates.count {
      shapes += convolution("\(convs).\(index).0", "\(convs).\(index).1", [width, wide, 3, 3])
    }
    let pooled = "\(convs).\(rates.count + 1)"
    shapes += convolution("\(pooled).1", "\(pooled).2", [width, wide, 1, 1])
    shapes += convolution(
      "classifier.0.project.0", "classifier.0.project.1", [width, (rates.count + 2) * width, 1, 1])
    shapes += convolution("classifier.1", "classifier.2", [headChannels, width, 3, 3])
    shapes += [("classifier.4.weight", [classes, headChannels, 1, 1]), ("classifier.4.bias", [classes])]
    guard let auxiliaryChannels else { return shapes }
    let third = backbone.channels(ofStage: 2)
    shapes += convolution("aux_classifier.0", "aux_classifier.1", [auxiliaryChannels, third, 3, 3])
    return shapes
      + [
        ("aux_classifier.4.weight", [classes, auxiliaryChannels, 1, 1]), ("aux_classifier.4.bias", [classes]),
      ]
  }

  /// Whether a tensor of the network is learned: all but the running statistics and counters.
  public static func isTrained(_ name: String) -> Bool {
    !["running_mean", "running_var", "num_batches_tracked"].contains { name.hasSuffix($0) }
  }
}

extension ResNetConfiguration {
  /// Channels of the output of a stage, counted from 0.
  func channels(ofStage stage: Int) -> Int { stages[stage].last?.outChannels ?? stem }
}
