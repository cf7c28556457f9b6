import Base
import Checkpoints
import Images
import Layers
import TensorCore
import Training

/// Painting the patches of pictures that were removed (He et al. 2022, section 3).
public struct MAEObjective: PictureObjective {
  public let settings: MAEPretrainingSettings
  public var sequence: PictureSequence
  /// How pictures are normalised; nil until the first batch has told it.
  public private(set) var normalization: Normalization?
  private let configuration: MAEConfiguration
  /// Tables of positions, which are not trained.
  let positions: [NamedTensor]

  init(_ settings: MAEPretrainingSettings) {
    self.settings = settings
    configuration = settings.configuration
    sequence = PictureSequence(seed: settings.trainer.seed)
    normalization = settings.statistics == .imagenet ? .imageNet : nil
    positions = [("pos_embed", settings.encoder), ("decoder_pos_embed", settings.decoder)].map {
      [grid = configuration.grid] name, stack in
      let table = PositionEmbedding.sinCos(channels: stack.channels, grid: grid)
      return NamedTensor(name: name, tensor: table.reshaped([1] + table.shape))
    }
  }

  public func parameterShapes() -> [(name: String, shape: [Int])] {
    configuration.parameterShapes.filter { MAEConfiguration.isTrained($0.name) }
  }

  public func decays(_ name: String, shape: [Int]) -> Bool {
    MAEConfiguration.decays(name, shape: shape)
  }

  public func model(_ parameters: [NamedTensor]) throws(DataError) -> MaskedAutoencoder {
    let scope = WeightScope(StateDictionary(parameters + positions, file: "training state"))
    let network = MaskedAutoencoder(configuration, weights: scope)
    try scope.finish()
    return network
  }

  /// Parts of pictures, and which of their patches are seen.
  public struct Batch: TrainingBatch {
    /// `[N, H, W, 3]`, normalised.
    var pictures: Tensor
    var masks: [TokenMask]

    public func part(_ range: Range<Int>) -> Batch {
      Batch(pictures: pictures.samples(range), masks: Array(masks[range]))
    }
  }

  public mutating func batch(_ count: Int, step: Int, random: Philox) throws(DataError) -> Batch {
    let (pictures, visits) = sequence.next(count, step: step)
    let (side, settings) = (settings.imageSize, settings)
    let (size, patches) = (3 * side * side, configuration.grid * configuration.grid)
    var noise = [Float](repeating: 0, count: count * patches)
    var parts = [(image: Image, turn: PictureTurn)?](repeating: nil, count: count)
    try noise.withUnsafeMutableBufferPointer { noise in
      parts.withUnsafeMutableBufferPointer { parts in
        nonisolated(unsafe) let (noise, parts) = (noise.baseAddress!, parts.baseAddress!)
        return Result { () throws(DataError) in
          try parallelForThrowing(count) { (n) throws(DataError) in
            var random = random.split(UInt64(1 + n))
            for patch in 0..<patches { noise[n * patches + patch] = random.uniform() }
            let image = try pictures.image(visits[n])
            var crop = RandomResizedCrop.draw(
              width: image.width, height: image.height, smallest: settings.smallestCrop, random: &random)
            crop.mirrors = crop.mirrors && settings.flips
            let quarters = settings.quarterTurns ? Int(random.nextWord() & 3) : 0
            parts[n] = (crop.apply(to: image, size: side), PictureTurn(quarters: quarters))
          }
        }
      }
    }.get()
    let normalization = normalization ?? Normalization(of: parts.map { $0!.image })
    self.normalization = normalization
    var x = Tensor(zeros: [count, 3, side, side])
    x.withMutablePointer { x in
      parallelFor(count) { n in
        let (image, turn) = parts[n]!
        withPointers(image.tensor(normalization: normalization)) {
          (x + n * size).update(from: $0, count: size)
        }
        turn.apply(to: x + n * size, side: side)
      }
    }
    let masks = (0..<count).map { n in
      TokenMask(noise: Array(noise[n * patches..<(n + 1) * patches]), ratio: settings.maskRatio)
    }
    return Batch(pictures: x.channelsLast, masks: masks)
  }

  public func loss(of model: MaskedAutoencoder, on batch: Batch, pass: TrainingPass) -> TrainingLoss {
    let latent = model.encode(batch.pictures, masks: batch.masks, tape: pass.tape)
    let output = model.decode(latent, masks: batch.masks, tape: pass.tape)
    let (losses, gradient) = MAELoss.loss(
      output.withoutFirstToken, pictures: batch.pictures, patchSize: configuration.patchSize,
      masks: batch.masks, normalizesPatches: settings.normalizesPatches)
    return TrainingLoss(
      output: output, outputGradient: gradient.withZeroFirstToken, losses: losses,
      weights: [Float](repeating: 1, count: losses.count))
  }

  // MARK: Normalisation

  /// Means and deviations of the channels; zeros before the first step, and where they are ImageNet's.
  public var memory: [NamedTensor] {
    var values = [Float](repeating: 0, count: 6)
    if case .statistics(let mean, let deviation) = normalization { values = mean + deviation }
    return [NamedTensor(name: "pixel_statistics", tensor: Tensor(values, shape: [6]))]
  }

  public mutating func restore(from reader: StateReader) throws(DataError) {
    let values = try reader.tensor("pixel_statistics", shape: [6], "numbers from 0 to 1") {
      $0 >= 0 && $0 <= 1
    }.elements
    try reader.finish()
    guard settings.statistics == .own, values[3...].allSatisfy({ $0 > 0 }) else { return }
    normalization = .statistics(mean: Array(values[..<3]), deviation: Array(values[3...]))
  }
}
