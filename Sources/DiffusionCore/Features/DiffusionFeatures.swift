import Base
import Features
import TensorCore

/// Activations of a diffusion model's decoder as features of a picture's pixels.
///
/// A picture is noised to chosen steps and shown to the network; the activations of chosen output blocks are
/// the features. Nothing after the last block is computed, and nothing is upsampled.
///
/// Source: Baranchuk et al. 2022, section 3; ddpm-segmentation `feature_extractors.py`.
public struct DiffusionFeatures: PixelFeatures {
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
  /// `[drawn, channels, size, size]`
  private let sharedNoise: Tensor?
  /// Noises that are no negatives of others.
  private var drawnNoises: Int { Self.drawn(noiseCount) }

  /// 1 also for numbers that `validate` refuses.
  private static func drawn(_ noiseCount: Int) -> Int {
    (2...mostFeatureDraws).contains(noiseCount) ? noiseCount / 2 : 1
  }

  /// Several steps go through the network at once while their activations stay below this.
  private static let mostActivationBytes = 1 << 30

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
    sharedNoise = noise.sharedTensor(
      channels: backbone.network.configuration.inChannels, size: backbone.options.imageSize,
      count: Self.drawn(noiseCount))
  }

  /// The same features under another noise, or averaged over another number.
  public func with(noise: FeatureNoise? = nil, noiseCount: Int? = nil) -> DiffusionFeatures {
    DiffusionFeatures(
      backbone, steps: steps, blocks: blocks, noise: noise ?? self.noise,
      noiseCount: noiseCount ?? self.noiseCount,
      conditioningClass: conditioningClass)
  }

  /// The noises that all pictures share, `[drawn, channels, size, size]`; nil when every picture has its own.
  public var sharedNoiseTensor: Tensor? { sharedNoise }

  /// Checks steps, blocks and noise against the model.
  /// - Throws: `DataError` that says what there is to choose from.
  public func validate() throws(DataError) {
    let configuration = backbone.network.configuration
    let count = configuration.outputBlockCount
    guard !blocks.isEmpty, blocks.allSatisfy({ $0 >= 0 && $0 < count }) else {
      throw DataError(
        .invalidArgument, file: "blocks", expected: "some of the output blocks (\(backbone.blockList))",
        found: blocks.isEmpty ? "none" : blocks.map { "\($0)" }.joined(separator: ","))
    }
    guard !steps.isEmpty, Set(steps).count == steps.count,
      steps.allSatisfy({ $0 >= 0 && $0 < backbone.diffusion.steps })
    else {
      throw DataError(
        .invalidArgument, file: "steps",
        expected: "different steps from 0 to \(backbone.diffusion.steps - 1)",
        found: steps.isEmpty ? "none" : steps.map { "\($0)" }.joined(separator: ","))
    }
    guard noiseCount == 1 || (noiseCount > 0 && noiseCount <= mostFeatureDraws && noiseCount % 2 == 0) else {
      throw DataError(
        .invalidArgument, file: "noises", expected: "1, or an even number up to \(mostFeatureDraws)",
        found: "\(noiseCount)")
    }
    if let sharedNoise {
      let size = backbone.options.imageSize
      let shape = [drawnNoises, configuration.inChannels, size, size]
      guard sharedNoise.shape == shape else {
        throw DataError(
          .invalidArgument, file: "noise", expected: "shape \(shape), for averages over \(noiseCount)",
          found: "shape \(sharedNoise.shape)")
      }
    }
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
    let noises = noiseTensors(height: height, width: width, name: context.name)
    var maps: [FeatureMap] = []
    for steps in stepBatches(height: height, width: width) {
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
    var sums: [Tensor] = []
    for noise in noises {
      let x = backbone.diffusion.qSample(
        xStart: stack(steps.map { _ in image }), t: steps, noise: stack(steps.map { _ in noise }))
      let activations = backbone.network.activations(
        x, timesteps: backbone.diffusion.modelTimesteps(steps), classes: classes, outputBlocks: blocks)
      if sums.isEmpty {
        sums = activations
      } else {
        for index in sums.indices { sums[index].add(activations[index]) }
      }
    }
    if noises.count > 1 {
      let share = 1 / Float(noises.count)
      for index in sums.indices { sums[index] = sums[index] * share }
    }
    return sums
  }

  /// `[channels, height, width]` each, every one that was drawn followed by its negative.
  private func noiseTensors(height: Int, width: Int, name: String) -> [Tensor] {
    let channels = backbone.network.configuration.inChannels
    var drawn: [Tensor] = []
    if let sharedNoise {
      drawn = (0..<drawnNoises).map { sharedNoise.slice($0).tiled(height: height, width: width) }
    } else {
      guard case .perImage(let seed) = noise else {
        preconditionFailure("noise is shared or of each picture")
      }
      var random = Philox(seed: seed).split(name: String(name.split(separator: "/").last ?? ""))
      for _ in 0..<drawnNoises { drawn.append(random.normal(shape: [channels, height, width])) }
    }
    guard noiseCount > 1 else { return drawn }
    return drawn.flatMap { [$0, $0 * -1] }
  }

  /// The steps in groups that go through the network together.
  private func stepBatches(height: Int, width: Int) -> [[Int]] {
    let bytes = backbone.network.configuration.activationBytes(height: height, width: width)
    let size = max(1, min(steps.count, Self.mostActivationBytes / max(bytes, 1)))
    return stride(from: 0, to: steps.count, by: size).map { Array(steps[$0..<min($0 + size, steps.count)]) }
  }
}
