import Base
import Checkpoints
import DiffusionCore
import Features
import TensorCore

/// Activations of a latent diffusion model's decoder as features of a picture's pixels.
///
/// A picture becomes its mean latent, which is noised to chosen steps and shown to the U-Net; the activations of chosen
/// output blocks are the features. Nothing after the last block is computed, and nothing is upsampled.
///
/// Source: Baranchuk et al. 2022, section 3, applied to the latents of Rombach et al. 2022.
public struct LatentDiffusionFeatures: ModelFeatures {
  /// What the network is told beside the latent.
  public enum Condition: Sendable {
    case none
    /// A class, of the class embedder or of the U-Net.
    case label(Int)
    /// A token of zeros.
    case zero
    /// `[tokens, contextChannels]`
    case tokens(Tensor)
  }

  public let backbone: LatentDiffusion
  /// Steps of the process, in the order of the features.
  public let steps: [Int]
  /// Output blocks, ascending.
  public let blocks: [Int]
  public let noise: FeatureNoise
  /// Noises that the features are averaged over: 1, or an even number.
  public let noiseCount: Int
  public let condition: Condition
  private let draws: NoiseDraws

  /// - Parameters:
  ///   - backbone: the loaded model
  ///   - steps: of the process, 0 ..< its number of steps
  ///   - blocks: output blocks of the U-Net
  ///   - noise: one tensor for everything, or one a picture
  ///   - noiseCount: noises to average over, 1 or an even number
  ///   - condition: what the network is told
  public init(
    _ backbone: LatentDiffusion, steps: [Int], blocks: [Int], noise: FeatureNoise = .shared(seed: 0),
    noiseCount: Int = 1, condition: Condition = .none
  ) {
    self.backbone = backbone
    self.steps = steps
    self.blocks = Array(Set(blocks)).sorted()
    self.noise = noise
    self.noiseCount = noiseCount
    self.condition = condition
    draws = NoiseDraws(
      noise, count: noiseCount, channels: backbone.network.configuration.inChannels, size: backbone.latentSize
    )
  }

  private var configuration: UNetConfiguration { backbone.network.configuration }
  private var factor: Int { backbone.autoencoder.configuration.factor }

  public func validate() throws(DataError) {
    try checkBlocks(blocks, of: configuration.outputBlockCount, list: backbone.blockList)
    try checkSteps(steps, of: backbone.steps)
    try draws.validate()
  }

  /// The features of one picture: step by step, each block at its own resolution.
  public func extract(_ picture: Tensor, _ context: FeatureContext) throws(DataError) -> FeatureMaps {
    try validate()
    try check(picture)
    let latents = backbone.latents(of: picture.reshaped([1] + picture.shape)).slice(0)
    let (height, width) = (latents.shape[1], latents.shape[2])
    let noises = draws.tensors(height: height, width: width, name: context.name)
    let told = self.context
    var maps: [FeatureMap] = []
    for steps in configuration.batches(of: steps, height: height, width: width) {
      let activations = NoiseDraws.mean(over: noises) { noise in
        backbone.network.activations(
          backbone.diffusion.qSample(
            xStart: stack(steps.map { _ in latents }), t: steps, noise: stack(steps.map { _ in noise })),
          timesteps: steps.map { Float($0) },
          classes: classes(steps.count), context: told.map { token in stack(steps.map { _ in token }) },
          outputBlocks: blocks)
      }
      for (position, step) in steps.enumerated() {
        for (block, activation) in zip(blocks, activations) {
          maps.append(
            FeatureMap(
              key(step: step, block: block, order: maps.count), activation: activation, index: position,
              precision: context.precision))
        }
      }
    }
    return FeatureMaps(maps: maps, height: picture.shape[1], width: picture.shape[2])
  }

  /// `[tokens, contextChannels]`
  private var context: Tensor? {
    guard let channels = configuration.transformer?.contextChannels else { return nil }
    switch condition {
    case .tokens(let tokens): return tokens
    case .label(let label): return backbone.classEmbedder?([label]).slice(0)
    case .zero, .none: return Tensor(zeros: [1, channels])
    }
  }

  /// Classes of a network that has them itself.
  private func classes(_ count: Int) -> [Int]? {
    guard configuration.classCount != nil else { return nil }
    if case .label(let label) = condition { return [Int](repeating: label, count: count) }
    return [Int](repeating: 0, count: count)
  }

  private func key(step: Int, block: Int, order: Int) -> FeatureKey {
    FeatureKey("step\(step)/block\(block)", order: order)
  }
}

// What the pipeline knows of the features before the first picture.
extension LatentDiffusionFeatures {
  public var input: InputSpecification {
    InputSpecification(
      size: backbone.imageSize, multiple: backbone.configuration.sizeMultiple, normalization: .ddpm)
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
            stride: backbone.imageSize / outputs[block].height))
      }
    }
    return slots
  }

  public var origin: ModelOrigin { backbone.origin }

  public var record: FeatureRecord {
    var selection = LatentDiffusionSelection()
    selection.diffusion = DiffusionSelection(
      steps: steps, blocks: blocks, noise: noise, noiseCount: noiseCount)
    var tensors: [String: Tensor] = [:]
    tensors[DiffusionSelection.noiseTensor] = draws.shared
    switch condition {
    case .none: break
    case .label(let label): selection.diffusion.conditioningClass = label
    case .zero: selection.context = .zero
    case .tokens(let tokens):
      selection.context = .recorded
      tensors[LatentDiffusionSelection.contextTensor] = tokens
    }
    return FeatureRecord(
      kind: LatentDiffusion.kind, options: backbone.options.record, selection: selection.record,
      tensors: tensors)
  }

  /// The encoder's widest level, or the activations of one step.
  public func workingBytes(height: Int, width: Int) -> Double {
    max(
      backbone.autoencoder.configuration.encodingBytes(height: height, width: width),
      Double(configuration.activationBytes(height: height / factor, width: width / factor)))
  }

  public var drawsNoise: Bool { true }

  public func redrawn(seed: UInt64?, draws: Int?) -> LatentDiffusionFeatures {
    LatentDiffusionFeatures(
      backbone, steps: steps, blocks: blocks, noise: seed.map(noise.reseeded) ?? noise,
      noiseCount: draws ?? noiseCount, condition: condition)
  }
}
