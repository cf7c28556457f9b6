import Base
import Checkpoints
import DiffusionCore
import DiffusionSegmentation
import TensorCore
import Training

/// Steps of the training of a diffusion model, all on the same few pictures: noise, forward, backward, a limit of the
/// gradients, AdamW and the moving averages of the weights.
public final class DiffusionTraining {
  /// What belongs to one step.
  public struct Batch: Sendable {
    /// `[N, 3, H, W]`
    public var xStart: Tensor
    /// Of the same shape.
    public var noise: Tensor
    /// One a picture.
    public var t: [Int]
  }

  /// Its state holds weights, averages and moments.
  public private(set) var trainer: DiffusionTrainer
  private let pictures: PicturesInMemory

  /// - Parameters:
  ///   - parameters: weights to start from, of the network's names and shapes
  ///   - pictures: a batch, `[N, 3, H, W]` in [-1, 1]
  ///   - largestGradientNorm: of all gradients together
  ///   - averageDecay: of the moving averages
  public init(
    _ network: Network, parameters: [NamedTensor], pictures: Tensor, learningRate: Double = 1e-4,
    largestGradientNorm: Double = 1, averageDecay: Double = 0.9999
  ) throws(DataError) {
    var options = DiffusionTrainingOptions()
    options.batch = pictures.shape[0]
    options.optimizer.learningRate = learningRate
    options.largestGradientNorm = largestGradientNorm
    options.average = ExponentialAverage(decay: averageDecay)
    // Everyone sees the same pictures.
    options.flips = false
    let diffusion = GaussianDiffusion(varianceType: .fixedLarge)
    self.pictures = PicturesInMemory(pictures: pictures)
    trainer = try DiffusionTrainer(
      configuration: network.configuration, diffusion: diffusion, imageSize: pictures.shape[2],
      options: options, parameters: parameters)
  }

  /// A network with random weights, on random pictures.
  public convenience init(_ network: Network, batch: Int, seed: UInt64 = 1) throws(DataError) {
    var random = Philox(seed: seed).split(1)
    try self.init(
      network,
      parameters: network.randomParameters(seed: seed).map { parameter in
        NamedTensor(name: parameter.name, tensor: parameter.array.tensor())
      },
      pictures: random.uniform(shape: [batch, 3, network.side, network.side]) * 2
        + Tensor(repeating: -1, shape: [batch, 3, network.side, network.side]))
  }

  /// The next step.
  public func step() throws(DataError) -> TrainingReport {
    try trainer.step(on: pictures)
  }

  /// What the trainer draws for a step, from 0, for others to take as well.
  ///
  /// The trainer keeps that to itself, so its streams are drawn again here. Were they others, losses and gradients of
  /// those who take this would not be those of the trainer.
  public func batch(ofStep step: Int) -> Batch {
    let (count, side) = (pictures.count, pictures.imageSize)
    let random = Philox(seed: trainer.options.seed)
    // A step sees every picture once, so each step has an order of its own.
    var orderRandom = random.split(2).split(UInt64(step))
    let order = orderRandom.permutation(count).map { Int($0) }
    let stepRandom = random.split(3).split(UInt64(step))
    var timestepRandom = stepRandom.split(0)
    let t = trainer.objective.timesteps.draw(count, random: &timestepRandom).t
    let noise = (0..<count).flatMap { place in
      var random = stepRandom.split(UInt64(1 + place))
      return random.normal(shape: [3, side, side]).elements
    }
    let shape = [count, 3, side, side]
    return Batch(
      xStart: Tensor(order.flatMap { pictures.elements(of: $0) }, shape: shape),
      noise: Tensor(noise, shape: shape), t: t)
  }

  /// Gradients of the first step, after their norm was limited: what the first mean of Adam is made of.
  /// - Precondition: one step is done.
  public var gradientsOfFirstStep: [NamedTensor] {
    precondition(trainer.state.step == 1, "\(trainer.state.step) steps are done")
    let share = Float(1 / (1 - trainer.options.optimizer.beta1))
    return zip(trainer.state.parameters, trainer.state.moments).map { parameter, moments in
      NamedTensor(name: parameter.name, tensor: moments.mean * share)
    }
  }
}

private struct PicturesInMemory: TrainingPictures, Sendable {
  /// `[N, 3, H, W]`
  let pictures: Tensor

  var count: Int { pictures.shape[0] }
  var imageSize: Int { pictures.shape[2] }

  func label(of index: Int) -> Int? { nil }

  func read(_ index: Int, into target: UnsafeMutablePointer<Float>) {
    pictures.withUnsafeBufferPointer { numbers in
      let picture = UnsafeBufferPointer(rebasing: numbers[range(of: index)])
      target.update(from: picture.baseAddress!, count: picture.count)
    }
  }

  func elements(of index: Int) -> [Float] {
    pictures.withUnsafeBufferPointer { Array($0[range(of: index)]) }
  }

  private func range(of index: Int) -> Range<Int> {
    let size = pictures.count / count
    return index * size..<(index + 1) * size
  }
}
