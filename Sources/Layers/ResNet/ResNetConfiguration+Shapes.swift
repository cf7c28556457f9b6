extension ResNetConfiguration {
  /// A network of stages whose widths double, with strides of 2 from the second stage on: `[3, 4, 6, 3]` and 64 is
  /// ResNet-50, with basic blocks ResNet-34.
  /// - Parameters:
  ///   - blocks: of each stage
  ///   - stem: channels after the first convolution
  ///   - inChannels: channels of the pictures
  ///   - isBasic: whether blocks are of two convolutions; bottlenecks end with four times as many channels
  public init(blocks: [Int], stem: Int = 64, inChannels: Int = 3, isBasic: Bool = false) {
    self.inChannels = inChannels
    self.stem = stem
    stages = blocks.enumerated().map { stage, count in
      (0..<count).map { index in
        let isFirst = index == 0
        return Block(
          width: stem << stage, outChannels: (isBasic ? 1 : 4) * stem << stage,
          hasDownsample: isFirst && (!isBasic || stage > 0), stride: stage > 0 && isFirst ? 2 : 1,
          isBasic: isBasic)
      }
    }
  }

  /// The same network with dilation instead of stride in some stages, so that it keeps its size there (Chen et al. 2017,
  /// "Rethinking atrous convolution for semantic image segmentation").
  ///
  /// As in torchvision, the first block of such a stage keeps the dilation of the stage before, since its input is not yet
  /// further apart; the others take twice that.
  /// - Parameter stages: whether the second stage, the third and so on keep their size; `[false, true, true]` is DeepLab's
  public func replacingStride(_ stages: [Bool]) -> ResNetConfiguration {
    var network = self
    var dilation = 1
    for stage in network.stages.indices {
      let before = dilation
      if stage > 0, stage <= stages.count, stages[stage - 1] {
        dilation *= network.stages[stage].first?.stride ?? 1
        for index in network.stages[stage].indices { network.stages[stage][index].stride = 1 }
      }
      for index in network.stages[stage].indices {
        network.stages[stage][index].dilation = index == 0 ? before : dilation
      }
    }
    return network
  }

  /// Pixels of the picture for each of the network's output, where sizes divide.
  public var outputStride: Int { stages.joined().reduce(4) { $0 * $1.stride } }

  /// Names and shapes of the parameters and running statistics, in the order of torchvision's files.
  public var parameterShapes: [(name: String, shape: [Int])] {
    func convolution(
      _ name: String, _ norm: String, _ shape: [Int]
    ) -> [(name: String, shape: [Int])] {
      [("\(name).weight", shape)]
        + ["weight", "bias", "running_mean", "running_var"].map { ("\(norm).\($0)", [shape[0]]) }
    }
    var shapes = convolution("conv1", "bn1", [stem, inChannels, 7, 7])
    var channels = stem
    for (stage, blocks) in stages.enumerated() {
      for (index, block) in blocks.enumerated() {
        let name = "layer\(stage + 1).\(index)"
        let side = block.isBasic ? 3 : 1
        shapes += convolution("\(name).conv1", "\(name).bn1", [block.width, channels, side, side])
        shapes += convolution(
          "\(name).conv2", "\(name).bn2", [block.width, block.width / block.groups, 3, 3])
        if !block.isBasic {
          shapes += convolution("\(name).conv3", "\(name).bn3", [block.outChannels, block.width, 1, 1])
        }
        if block.hasDownsample {
          shapes += convolution(
            "\(name).downsample.0", "\(name).downsample.1", [block.outChannels, channels, 1, 1])
        }
        channels = block.outChannels
      }
    }
    return shapes
  }
}
