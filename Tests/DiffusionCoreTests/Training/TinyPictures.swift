import DiffusionCore
import TensorCore
import Training

/// Smooth pictures of 16×16 pixels that are all of one kind: a bright spot somewhere on a dark ground.
struct TinyPictures: TrainingPictures, Sendable {
  var count = 24
  var imageSize = 16
  var classes: Int?

  func label(of index: Int) -> Int? { classes.map { index % $0 } }

  func read(_ index: Int, into target: UnsafeMutablePointer<Float>) {
    var random = Philox(seed: UInt64(index))
    let (row, column) = (4 + 8 * random.uniform(), 4 + 8 * random.uniform())
    for channel in 0..<3 {
      for y in 0..<16 {
        for x in 0..<16 {
          let (dy, dx) = (Float(y) - row, Float(x) - column)
          target[(channel * 16 + y) * 16 + x] = dy * dy + dx * dx < 16 ? 0.8 - 0.3 * Float(channel) : -0.7
        }
      }
    }
  }
}

extension DiffusionTrainer {
  /// Of a network of 32 and 64 channels on `TinyPictures`.
  static func tiny(
    learnsVariance: Bool = false, classes: Int? = nil,
    _ change: (inout DiffusionTrainingOptions) -> Void = { _ in }
  ) throws -> DiffusionTrainer {
    let configuration = UNetConfiguration(
      modelChannels: 32, outChannels: learnsVariance ? 6 : 3, levelChannels: [32, 64], residualBlocks: 1,
      levelHasAttention: [false, true], resampling: .residual, usesScaleShiftNorm: true,
      classCount: classes, attention: AttentionSettings(heads: .channels(32)))
    var options = DiffusionTrainingOptions()
    options.batch = 8
    options.optimizer.learningRate = 1e-3
    change(&options)
    let diffusion = GaussianDiffusion(steps: 100, varianceType: learnsVariance ? .learnedRange : .fixedLarge)
    return try DiffusionTrainer(
      configuration: configuration, diffusion: diffusion, imageSize: 16, options: options)
  }

  /// So many steps.
  @discardableResult
  mutating func run(_ steps: Int, on pictures: TinyPictures = TinyPictures()) throws
    -> [TrainingReport]
  {
    try (0..<steps).map { _ in try step(on: pictures) }
  }

  /// Everything that a further step depends on.
  var bits: [[Float]] {
    state.parameters.map(\.tensor.elements) + state.averages.map(\.tensor.elements)
      + state.moments.flatMap { [$0.mean.elements, $0.square.elements] } + objective.timesteps.history
  }
}
