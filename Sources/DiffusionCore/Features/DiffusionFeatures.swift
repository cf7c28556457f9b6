import Base
import Features
import TensorCore

/// Activations of a diffusion model's decoder as features of a picture's pixels.
///
/// A picture is noised to chosen steps and shown to the network; the activations of chosen output blocks are
/// the features. Nothing after the last block is computed, and nothing is upsampled.
///
/// Source: Baranchuk et al. 2022, section 3; ddpm-segmentation `feature_extractors.py`.
public struct DiffusionFeatures: ModelFeatures {
  public let backbone: DiffusionBackbone
  /// Steps of the process, in the order of the features.
  public let steps: [Int]
  /// Output blocks, ascending, as the reference collects them whatever order they are asked in.
  public let blocks: [Int]
  public let noise: FeatureNoise
  /// Noises that the features are averaged over: 1, or an even number, half of them drawn and each followed by its
  /// negative. What a feature owes to a noise and not to the picture mostly cancels.
  ///
  /// Source: antithetic variates, Hammersley and Morton 1956; averages over noises, Tang et al. 2023, "Emergent
  /// correspondence from image diffusion", section 4.1.
  public let noiseCount: Int
  /// Class that a class-conditional network is told; 0 unless given.
  public let conditioningClass: Int
  private let draws: NoiseDraws

  /// - Parameters:
  ///   - backbone: the network and its process
  ///   - steps: of the process, 0 ..< its number of steps
  ///   - blocks: output blocks of the network
  ///   - noise: one tensor for everything, as in the reference, or one a picture
  ///   - noiseCount: noises to average over, 1 or an even number
  ///   - conditioningClass: class for a class-conditional network, 0 ..< its number of classes; of no effect on others
  public init(
    _ backbone: DiffusionBackbone, steps: [Int], blocks: [Int], noise: FeatureNoise = .shared(seed: 0),
    noiseCount: Int = 1, conditioningClass: Int = 0
  ) {
    self.backbone = backbone
    self.steps = steps
    self.blocks = Array(Set(blocks)).sorted()
    self.noise = noise
    self.noiseCount = noiseCount
    self.conditioningClass = conditioningClass
    draws = NoiseDraws(
      noise, count: noiseCount, channels: backbone.network.configuration.inChannels,
      size: backbone.options.imageSize)
  }

  /// The same features under another noise, or averaged over another number.
  public func with(noise: FeatureNoise? = nil, noiseCount: Int? = nil) -> DiffusionFeatures {
    DiffusionFeatures(
      backbone, steps: steps, blocks: blocks, noise: noise ?? self.noise,
      noiseCount: noiseCount ?? self.noiseCount,
      conditioningClass: conditioningClass)
  }

  /// The noises that all pictures share, `[drawn, channels, size, size]`; nil when every picture has its own.
  public var sharedNoiseTensor: Tensor? { draws.shared }

  /// Checks steps, blocks and noise against the model.
  /// - Throws: `DataError` that says what there is to choose from.
  public func validate() throws(DataError) {
    let configuration = backbone.network.configuration
    try checkBlocks(blocks, of: configuration.outputBlockCount, list: backbone.blockList)
    try checkSteps(steps, of: backbone.diffusion.steps)
    try draws.validate()
    if let classes = configuration.classCount, !(0..<classes).contains(conditioningClass) {
      throw DataError(
        .invalidArgument, file: "class", expected: "0 to \(classes - 1)", found: "\(conditioningClass)")
    }
  }

  /// The features of one picture: step by step, each block at its own resolution.
  /// - Parameters:
  ///   - image: `[inChannels, H, W]` in [-1, 1]; H and W are multiples of the network's `sizeMultiple`
  ///   - context: name of the picture, which chooses its noise where every picture has its own; how the maps are kept
  /// - Throws: `DataError` when steps, blocks or the picture's size do not fit the model.
  public func extract(_ image: Tensor, _ context: FeatureContext) throws(DataError) -> FeatureMaps {
    try validate()
    try check(image)
    let (height, width) = (image.shape[1], image.shape[2])
    let noises = draws.tensors(height: height, width: width, name: context.name)
    var maps: [FeatureMap] = []
    let batches = backbone.network.configuration.batches(of: steps, height: height, width: width)
    for steps in batches {
      let activations = meanActivations(image, steps: steps, noises: noises)
      for (position, step) in steps.enumerated() {
        for (block, activation) in zip(blocks, activations) {
          maps.append(
            FeatureMap(
              key(step: step, block: block, order: maps.count), activation: activation, index: position,
              precision: context.precision))
        }
      }
    }
    return FeatureMaps(maps: maps, height: height, width: width)
  }

  /// Activations of the chosen blocks, averaged over the noises, `[steps, height_b, width_b, channels_b]` each.
  private func meanActivations(_ image: Tensor, steps: [Int], noises: [Tensor]) -> [Tensor] {
    let classes = backbone.network.configuration.classCount.map { _ in steps.map { _ in conditioningClass } }
    return NoiseDraws.mean(over: noises) { noise in
      let x = backbone.diffusion.qSample(
        xStart: stack(steps.map { _ in image }), t: steps, noise: stack(steps.map { _ in noise }))
      return backbone.network.activations(
        x, timesteps: backbone.diffusion.modelTimesteps(steps), classes: classes, outputBlocks: blocks)
    }
  }
}
