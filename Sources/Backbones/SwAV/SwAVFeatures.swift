import Base
import Checkpoints
import Features
import Images
import Layers
import TensorCore

/// Inputs of residual blocks as features (`FeatureExtractorSwAV` of ddpm-segmentation, with `input_activations`).
public struct SwAVFeatures: ModelFeatures {
  public let model: SwAV
  /// Names of blocks, in the order of the features.
  public let layers: [String]

  /// - Parameters:
  ///   - model: the loaded network
  ///   - layers: names of blocks, such as `layer3.2`, whose inputs are the features
  public init(_ model: SwAV, layers: [String]) {
    self.model = model
    self.layers = layers
  }

  private var configuration: ResNetConfiguration { model.network.configuration }

  public var input: InputSpecification {
    InputSpecification(
      size: model.options.imageSize, multiple: SwAVOptions.sizeMultiple, normalization: .imageNet)
  }

  public var layout: [FeatureSlot] {
    let taps = configuration.taps
    return layers.compactMap { name in taps.first { $0.name == name } }.enumerated().map { order, tap in
      FeatureSlot(FeatureKey(tap.name, order: order), channels: tap.channels, stride: tap.stride)
    }
  }

  public var origin: ModelOrigin { model.origin }

  public var record: FeatureRecord {
    var selection = SwAVSelection()
    selection.layers = layers
    return FeatureRecord(kind: SwAV.kind, options: model.options.record, selection: selection.record)
  }

  public func validate() throws(DataError) {
    guard !layers.isEmpty, Set(layers).count == layers.count else {
      throw DataError(
        .invalidArgument, file: "--layers", expected: "blocks of the network, each once",
        found: layers.isEmpty ? "none" : layers.joined(separator: ","))
    }
    let taps = configuration.taps
    guard let unknown = layers.first(where: { name in !taps.contains { $0.name == name } }) else { return }
    let side = model.options.imageSize
    let list = taps.map { "\($0.name): \($0.channels)@\(side / $0.stride)" }.joined(separator: ", ")
    throw DataError(
      .invalidArgument, file: "--layers",
      expected: "some of this network's blocks (block: channels@size): \(list)", found: unknown)
  }

  public func extract(_ picture: Tensor, _ context: FeatureContext) throws(DataError) -> FeatureMaps {
    try validate()
    // Any size will do, also where sides do not divide.
    guard picture.rank == 3, picture.shape[0] == configuration.inChannels, picture.count > 0 else {
      throw DataError(
        .invalidArgument, file: "image", expected: "shape [\(configuration.inChannels), H, W]",
        found: "shape \(picture.shape)")
    }
    let names = configuration.taps.map(\.name)
    let x = picture.reshaped([1] + picture.shape).channelsLast
    let activations = model.network.inputs(of: layers.map { names.firstIndex(of: $0)! }, for: x)
    let maps = zip(layout, activations).map { slot, activation in
      FeatureMap(slot.key, activation: activation, precision: context.precision)
    }
    return FeatureMaps(maps: maps, height: picture.shape[1], width: picture.shape[2])
  }

  /// The first convolution's output, and what the pooling leaves of it.
  public func workingBytes(height: Int, width: Int) -> Double {
    let pixels = Double(height) * Double(width)
    let widest = configuration.taps.map { Double($0.channels) / Double($0.stride * $0.stride) }.max() ?? 0
    return 4 * pixels * (3 + Double(configuration.stem) / 4 + 4 * widest)
  }
}
