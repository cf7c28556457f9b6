import Checkpoints
import Features
import Images
import TensorCore

// What the pipeline knows of the features before the first picture.
extension DiffusionFeatures {
  public var input: InputSpecification {
    InputSpecification(
      size: backbone.options.imageSize, multiple: backbone.network.configuration.sizeMultiple,
      channels: backbone.network.configuration.inChannels, normalization: .ddpm)
  }

  /// Blocks that the network does not have, which `validate` refuses, are left out.
  public var layout: [FeatureSlot] {
    let outputs = backbone.cost.outputBlocks
    var slots: [FeatureSlot] = []
    for step in steps {
      for block in blocks where outputs.indices.contains(block) {
        slots.append(
          FeatureSlot(
            key(step: step, block: block, order: slots.count), channels: outputs[block].channels,
            stride: backbone.options.imageSize / outputs[block].height))
      }
    }
    return slots
  }

  func key(step: Int, block: Int, order: Int) -> FeatureKey {
    FeatureKey("step\(step)/block\(block)", order: order)
  }

  public var origin: ModelOrigin { backbone.checkpoint }

  public var record: FeatureRecord {
    let hasClasses = backbone.network.configuration.classCount != nil
    let selection = DiffusionSelection(
      steps: steps, blocks: blocks, noise: noise, noiseCount: noiseCount,
      conditioningClass: hasClasses ? conditioningClass : nil)
    var tensors: [String: Tensor] = [:]
    tensors[DiffusionSelection.noiseTensor] = sharedNoiseTensor
    return FeatureRecord(
      kind: DiffusionBackbone.kind, options: backbone.options.record, selection: selection.record,
      tensors: tensors)
  }

  /// The activations of one step.
  public func workingBytes(height: Int, width: Int) -> Double {
    Double(backbone.network.configuration.activationBytes(height: height, width: width))
  }

  public var drawsNoise: Bool { true }

  public func redrawn(seed: UInt64?, draws: Int?) -> DiffusionFeatures {
    with(noise: seed.map(noise.reseeded), noiseCount: draws)
  }
}
