import Base
import Checkpoints

/// The architecture of a residual network (He et al. 2016), read from the shapes of its weights: any number of stages and
/// blocks, any widths, bottlenecks or blocks of two convolutions.
public struct ResNetConfiguration: Sendable, Equatable {
  /// A bottleneck: 1×1 to `width` channels, 3×3, 1×1 to `outChannels`; of a ResNeXt where the 3×3 convolution has groups
  /// (Xie et al. 2017). Or two 3×3 convolutions to `outChannels`, as in ResNet-18.
  public struct Block: Sendable, Equatable {
    /// Those of the first convolution.
    public var width: Int
    public var outChannels: Int
    /// Whether the skip has a 1×1 convolution.
    public var hasDownsample: Bool
    /// Of the (first) 3×3 convolution and of the skip's.
    public var stride: Int
    /// Of the 3×3 convolution's channels.
    public var groups: Int
    /// Pixels from tap to tap of the 3×3 convolutions, and the zeros around their input.
    public var dilation: Int
    /// Whether it is of two 3×3 convolutions, without a bottleneck.
    public var isBasic: Bool

    public init(
      width: Int, outChannels: Int, hasDownsample: Bool, stride: Int, groups: Int = 1, dilation: Int = 1,
      isBasic: Bool = false
    ) {
      precondition(
        !isBasic || (width == outChannels && groups == 1),
        "a basic block from \(width) to \(outChannels) channels, \(groups) groups")
      self.width = width
      self.outChannels = outChannels
      self.hasDownsample = hasDownsample
      self.stride = stride
      self.groups = groups
      self.dilation = dilation
      self.isBasic = isBasic
    }
  }

  /// Channels of the pictures.
  public var inChannels: Int
  /// Channels after the first convolution.
  public var stem: Int
  /// Blocks of the stages `layer1`, `layer2`, …
  public var stages: [[Block]]

  /// A tensor that every such network has.
  public static let anchor = "layer1.0.conv1.weight"
  /// More channels, stages or blocks than any network has are not believed.
  private static let most = (channels: 1 << 15, stages: 8, blocks: 256)

  /// Reads the architecture off a state dictionary.
  /// - Parameters:
  ///   - state: the network's tensors under torchvision's names
  ///   - allowsBasicBlocks: whether blocks may be of two convolutions, as those of ResNet-18 and ResNet-34
  /// - Throws: `DataError` that names the tensor which no such network has, or lacks.
  public init(state: StateDictionary, allowsBasicBlocks: Bool = false) throws(DataError) {
    func refusal(_ item: String, _ expected: String, _ found: String) -> DataError {
      DataError(.malformed, file: state.file, item: state.prefix + item, expected: expected, found: found)
    }
    func channels(of name: String) throws(DataError) -> (out: Int, in: Int) {
      guard let shape = state[name]?.shape, shape.count == 4, (1...Self.most.channels).contains(shape[0]),
        (1...Self.most.channels).contains(shape[1])
      else {
        throw refusal(
          name, "the weight of a convolution", state[name].map { "shape \($0.shape)" } ?? "none")
      }
      return (shape[0], shape[1])
    }
    (stem, inChannels) = try channels(of: "conv1.weight")
    stages = []
    var width = stem
    while stages.count < Self.most.stages, state["layer\(stages.count + 1).0.conv1.weight"] != nil {
      let stage = stages.count + 1
      var blocks: [Block] = []
      while blocks.count < Self.most.blocks, state["layer\(stage).\(blocks.count).conv1.weight"] != nil {
        let name = "layer\(stage).\(blocks.count)"
        let isBasic = state["\(name).conv3.weight"] == nil
        guard !isBasic || allowsBasicBlocks else {
          throw refusal(
            "\(name).conv3.weight", "bottlenecks of three convolutions (ResNet-50 and deeper)",
            "none, as in ResNet-18 and ResNet-34")
        }
        let inside = try channels(of: "\(name).conv1.weight").out
        let spatial = try channels(of: "\(name).conv2.weight")
        guard spatial.out == inside, inside % spatial.in == 0, !isBasic || spatial.in == inside else {
          throw refusal(
            "\(name).conv2.weight", "a convolution from \(inside) channels to as many, perhaps in groups",
            "one from \(spatial.in) to \(spatial.out)")
        }
        let block = Block(
          width: inside,
          outChannels: isBasic ? inside : try channels(of: "\(name).conv3.weight").out,
          hasDownsample: state["\(name).downsample.0.weight"] != nil,
          stride: stage > 1 && blocks.isEmpty ? 2 : 1, groups: inside / spatial.in,
          isBasic: isBasic)
        guard block.hasDownsample || (block.outChannels == width && block.stride == 1) else {
          throw refusal(
            "\(name).downsample.0.weight",
            "a convolution from \(width) channels to \(block.outChannels) with stride \(block.stride)", "none"
          )
        }
        blocks.append(block)
        width = block.outChannels
      }
      stages.append(blocks)
    }
    guard !stages.isEmpty else { throw refusal(Self.anchor, "a stage of blocks", "none") }
  }

  /// Places from which activations can be taken: `layer1.0` is the input of the first block.
  public var taps: [ResNetTap] {
    var taps: [ResNetTap] = []
    var channels = stem
    for (stage, blocks) in stages.enumerated() {
      for (index, block) in blocks.enumerated() {
        // The first block of a stage sees what the stage before it leaves.
        let stride = 4 << (index == 0 ? max(0, stage - 1) : stage)
        taps.append(
          ResNetTap(name: "layer\(stage + 1).\(index)", channels: channels, stride: stride))
        channels = block.outChannels
      }
    }
    return taps
  }
}

/// The input of a block as an activation.
public struct ResNetTap: Sendable, Equatable {
  /// `layer3.2`: the input of block 2 of stage 3.
  public var name: String
  public var channels: Int
  /// Pixels of the picture for each of its own, where sizes divide.
  public var stride: Int
}
