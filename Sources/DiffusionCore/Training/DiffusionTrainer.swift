import Checkpoints
import Synchronization
import TensorCore

// x: [N, 3, H, W]   t: N steps

/// What came of a training step.
public struct DiffusionTrainingReport: Sendable {
  /// Steps done, this one included.
  public var step: Int
  /// Mean over the batch, without weights.
  public var loss: Double
  public var mse: Double?
  public var variational: Double?
  /// Norm of all gradients together, before it was limited.
  public var gradientNorm: Double
}

/// Why a training step was not made. The state is that before the step.
public enum DiffusionTrainingError: Error, Sendable, CustomStringConvertible {
  /// A loss or gradient that is no number; `step` steps were done before it.
  case diverged(step: Int, loss: Double, gradientNorm: Double)
  /// A picture that cannot be read.
  case picture(DataError)

  public var description: String {
    switch self {
    case .diverged(let step, let loss, let gradientNorm):
      "training diverged in step \(step + 1): loss \(loss), gradient norm \(gradientNorm)"
    case .picture(let error): "\(error)"
    }
  }
}

/// Trains a diffusion model (Ho et al. 2020, Algorithm 1; `train_util.py` of guided-diffusion).
public struct DiffusionTrainer: Sendable {
  public let configuration: UNetConfiguration
  public let diffusion: GaussianDiffusion
  public let options: DiffusionTrainingOptions
  public let imageSize: Int
  public private(set) var state: DiffusionTrainingState
  /// Of the pictures that the last step was made on.
  private var order: PictureOrder?

  /// - Throws: `DataError` when the options or the steps done cannot be, or the parameters are not those of the network.
  public init(
    configuration: UNetConfiguration, diffusion: GaussianDiffusion, imageSize: Int,
    options: DiffusionTrainingOptions, state: DiffusionTrainingState
  ) throws(DataError) {
    try options.validate()
    try configuration.requireNoise()
    guard configuration.inChannels == 3 else {
      throw DataError(
        .unsupported, file: "network", item: "input channels", expected: "3",
        found: "\(configuration.inChannels)")
    }
    guard configuration.hasLearnedVariance == diffusion.varianceType.isLearned else {
      throw DataError(
        .invalidArgument, file: "network", item: "output channels",
        expected: "\(diffusion.varianceType.isLearned ? 6 : 3), for a variance of \(diffusion.varianceType)",
        found: "\(configuration.outChannels)")
    }
    guard DiffusionTrainingState.steps.contains(state.step) else {
      throw DataError(
        .invalidArgument, file: "training state", item: "steps done",
        expected: "\(DiffusionTrainingState.steps)",
        found: "\(state.step)")
    }
    self.configuration = configuration
    self.diffusion = diffusion
    self.imageSize = imageSize
    self.options = options
    self.state = state
    _ = try network(state.parameters)
  }

  /// The network with the averaged weights, for making and segmenting pictures.
  public var averagedNetwork: UNet {
    // The names and shapes were those of the network when the trainer was made.
    try! network(state.averages)
  }

  private func network(_ parameters: [NamedTensor]) throws(DataError) -> UNet {
    try UNet(
      configuration, weights: WeightScope(StateDictionary(parameters, file: "training state")),
      convolutions: ConvolutionPolicy(imageSize: imageSize))
  }

  /// One step over a batch.
  /// - Throws: `DiffusionTrainingError`; the state stays as it was.
  public mutating func step(
    on pictures: some TrainingPictures & Sendable
  ) throws(DiffusionTrainingError) -> DiffusionTrainingReport {
    let batch = try drawBatch(from: pictures)
    let size = options.microBatch ?? options.batch
    var (sum, norm) = (BatchSum(), 0.0)
    var gradients: [Tensor] = []
    do {
      // The network is gone before the weights change, so that they can be changed in place.
      let network = try! network(state.parameters)
      for start in stride(from: 0, to: options.batch, by: size) {
        let part = batch.part(start..<min(options.batch, start + size))
        let found = self.gradients(of: network, on: part, number: start / size, into: &sum)
        if gradients.isEmpty {
          gradients = found
        } else {
          for index in gradients.indices { gradients[index].add(found[index]) }
        }
      }
    }
    norm = squaredNorm(gradients).squareRoot()
    let loss = sum.loss / Double(options.batch)
    guard loss.isFinite, norm.isFinite else {
      throw .diverged(step: state.step, loss: loss, gradientNorm: norm)
    }
    update(gradients, norm: norm)
    state.timesteps.note(losses: sum.losses, at: batch.t)
    return DiffusionTrainingReport(
      step: state.step, loss: loss, mse: sum.mse.map { $0 / Double(options.batch) },
      variational: sum.variational.map { $0 / Double(options.batch) }, gradientNorm: norm)
  }
}

// MARK: A batch

extension DiffusionTrainer {
  /// Pictures with everything that is drawn for them.
  private struct Batch {
    var xStart: Tensor
    var noise: Tensor
    var t: [Int]
    /// Of the losses.
    var weights: [Float]
    var labels: [Int]?

    func part(_ range: Range<Int>) -> Batch {
      Batch(
        xStart: xStart.samples(range), noise: noise.samples(range), t: Array(t[range]),
        weights: Array(weights[range]), labels: labels.map { Array($0[range]) })
    }
  }

  private var random: Philox { Philox(seed: options.seed) }
  private var stepRandom: Philox { random.split(RandomStream.steps.rawValue).split(UInt64(state.step)) }

  private mutating func drawBatch(
    from pictures: some TrainingPictures & Sendable
  ) throws(DiffusionTrainingError) -> Batch {
    precondition(pictures.imageSize == imageSize, "pictures of \(pictures.imageSize) px for \(imageSize)")
    let (count, side) = (options.batch, imageSize)
    let indices = (0..<count).map { picture(at: state.step * count + $0, of: pictures.count) }
    var timestepRandom = stepRandom.split(0)
    let (t, weights) = state.timesteps.draw(count, random: &timestepRandom)
    let shape = [count, 3, side, side]
    let size = 3 * side * side
    var xStart = Tensor(zeros: shape)
    var noise = xStart
    let failures = Mutex([Int: DataError]())
    xStart.withMutablePointer { xStart in
      noise.withMutablePointer { noise in
        parallelFor(count) { n in
          var random = stepRandom.split(UInt64(1 + n))
          do throws(DataError) {
            try pictures.read(indices[n], into: xStart + n * size)
          } catch {
            failures.withLock { $0[n] = error }
          }
          let turn = PictureTurn(
            mirrors: options.flips && random.nextWord() & 1 == 1,
            quarters: options.quarterTurns ? Int(random.nextWord() & 3) : 0)
          turn.apply(to: xStart + n * size, side: side)
          random.fillNormal(noise + n * size, count: size)
        }
      }
    }
    let failed = failures.withLock { $0 }
    if let first = failed.keys.min() { throw .picture(failed[first]!) }
    let labels = configuration.classCount.map { _ in indices.map { pictures.label(of: $0) ?? 0 } }
    return Batch(xStart: xStart, noise: noise, t: t, weights: weights, labels: labels)
  }

  /// The picture in a place of the sequence that began with training, which the seed alone decides.
  private mutating func picture(at place: Int, of count: Int) -> Int {
    if order?.count != count {
      order = PictureOrder(count: count, random: random.split(RandomStream.order.rawValue))
    }
    return order!.picture(at: place)
  }

  private struct BatchSum {
    var loss = 0.0
    var losses: [Float] = []
    var mse: Double?
    var variational: Double?
  }

  /// Gradients of the mean of the weighted losses of the whole step, as far as this part contributes to it.
  private func gradients(
    of network: UNet, on batch: Batch, number: Int, into sum: inout BatchSum
  ) -> [Tensor] {
    let tape = Tape(random: stepRandom.split(UInt64(1 + options.batch + number)))
    let xT = diffusion.qSample(xStart: batch.xStart, t: batch.t, noise: batch.noise)
    let output = network(
      xT, timesteps: diffusion.modelTimesteps(batch.t), classes: batch.labels,
      training: TrainingPass(
        tape: tape, dropout: options.dropout, recomputesBlocks: options.recomputesBlocks))
    let losses = diffusion.trainingLosses(
      modelOutput: output, xStart: batch.xStart, xT: xT, noise: batch.noise, t: batch.t, loss: options.loss)
    sum.losses += losses.loss.elements
    sum.loss += losses.loss.elements.reduce(0) { $0 + Double($1) }
    if let mse = losses.mse { sum.mse = (sum.mse ?? 0) + mse.elements.reduce(0) { $0 + Double($1) } }
    if let variational = losses.variational {
      sum.variational = (sum.variational ?? 0) + variational.elements.reduce(0) { $0 + Double($1) }
    }
    let scales = batch.weights.map { $0 / Float(options.batch) }
    let gradients = tape.gradients(at: output, losses.outputGradient.scalingSamples(by: scales))
    return state.parameters.map { gradients[$0.tensor] ?? Tensor(zeros: $0.tensor.shape) }
  }
}

// MARK: The weights

extension DiffusionTrainer {
  private mutating func update(_ gradients: [Tensor], norm: Double) {
    var optimizer = options.optimizer
    optimizer.learningRate = options.learningRate(step: state.step)
    var scale: Float = 1
    if let largest = options.largestGradientNorm, norm > largest { scale = Float(largest / (norm + 1e-6)) }
    for index in gradients.indices {
      let gradient = scale == 1 ? gradients[index] : gradients[index] * scale
      optimizer.update(
        &state.parameters[index].tensor, gradient: gradient, moments: &state.moments[index])
      options.average.update(
        &state.averages[index].tensor, with: state.parameters[index].tensor, number: state.step)
    }
    state.step += 1
  }
}
