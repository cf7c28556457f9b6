import Base
import TensorCore

/// Makes pictures with a diffusion model.
public struct DiffusionSampler: Sendable {
  public let network: UNet
  /// The process with the steps that are taken.
  public let diffusion: GaussianDiffusion
  public let imageSize: Int
  public var method: SamplingMethod
  /// Pictures that are computed together.
  public var batch: Int

  /// - Parameters:
  ///   - network: predicts the noise, alone or with a variance
  ///   - options: the process that the network was trained for, and the size of its pictures
  ///   - method: ancestral, or DDIM
  ///   - steps: of the shortened process; nil for all. For DDIM evenly spaced, as `ddimN` of the reference where it can
  ///     be, else like the ancestral sampler's
  ///   - batch: pictures that are computed together, at least 1
  /// - Throws: `DataError` when there cannot be so many steps, or the network does not predict noise, alone or with a
  ///   variance.
  public init(
    network: UNet, options: DiffusionOptions, method: SamplingMethod = .ancestral, steps: Int? = nil,
    batch: Int = 16
  ) throws(DataError) {
    guard batch > 0 else {
      throw DataError(.invalidArgument, file: "batch", expected: "1 or more", found: "\(batch)")
    }
    try network.configuration.requireNoise()
    let total = options.diffusionSteps
    var respacing: TimestepRespacing?
    if let steps {
      guard steps > 0 && steps <= total else {
        throw DataError(
          .invalidArgument, file: "sampling steps", expected: "1 to \(total)", found: "\(steps)")
      }
      if case .ddim = method { respacing = try? TimestepRespacing("ddim\(steps)", steps: total) }
      if respacing == nil { respacing = try TimestepRespacing("\(steps)", steps: total) }
    }
    self.network = network
    self.method = method
    self.batch = batch
    imageSize = options.imageSize
    diffusion = GaussianDiffusion(
      schedule: options.noiseSchedule, steps: total, respacing: respacing,
      varianceType: network.configuration.hasLearnedVariance ? .learnedRange : .fixedLarge,
      rescaleTimesteps: options.rescaleTimesteps)
  }

  /// Pictures in [-1, 1], `[count, C, imageSize, imageSize]` with the channels of the network.
  ///
  /// A picture depends on the seed and its number alone, whatever the batch and the threads; on the batch only by
  /// rounding.
  /// - Parameters:
  ///   - count: number of pictures
  ///   - seed: of the noise
  ///   - classes: one a picture for a class-conditional network
  ///   - progress: called after every step of a batch with the pictures of that batch, of which the first is `first`
  /// - Throws: `DataError` when a batch needs more memory than there is, of kind `.cancelled` when the task was cancelled,
  ///   or what `progress` throws.
  public func sample(
    count: Int, seed: UInt64, classes: [Int]? = nil,
    progress: (_ first: Int, _ step: SamplingStep) throws(DataError) -> Void = { _, _ in }
  ) throws(DataError) -> Tensor {
    try checkMemory(count: count)
    precondition(classes.map { $0.count == count } ?? true, "\(classes?.count ?? 0) classes of \(count)")
    let shape = [network.configuration.inChannels, imageSize, imageSize]
    let size = shape.reduce(1, *)
    var pictures = Tensor(zeros: [count] + shape)
    for first in stride(from: 0, to: count, by: batch) {
      let range = first..<min(count, first + batch)
      /// Index of a stream of every picture: 0 is where it begins, the others belong to the steps.
      func noise(_ stream: UInt64) -> Tensor {
        var random = range.map { Philox(seed: seed).split(UInt64($0)).split(stream) }
        return normal(shape: shape, of: &random)
      }
      let labels = classes.map { Array($0[range]) }
      let made = try diffusion.sample(
        from: noise(0), method: method, stepNoise: { noise(UInt64($0 + 1)) },
        network: { (x, timesteps) throws(DataError) in network(x, timesteps: timesteps, classes: labels) },
        progress: { (step) throws(DataError) in
          try Cancellation.check()
          try progress(first, step)
        })
      pictures.withMutablePointer { pictures in
        withPointers(made) { made in
          (pictures + first * size).update(from: made, count: range.count * size)
        }
      }
    }
    return pictures
  }

  private func checkMemory(count: Int) throws(DataError) {
    let together = min(batch, count)
    let activations = network.configuration.activationBytes(height: imageSize, width: imageSize)
    let picture = 4 * network.configuration.inChannels * imageSize * imageSize
    try AvailableMemory.require(
      Double(together) * Double(activations) + Double(count) * Double(picture), file: "batch",
      item: "memory of \(count) pictures of \(imageSize) px, \(together) at a time")
  }
}

extension DiffusionSampler {
  /// Pictures in [-1, 1]; see the form without `async`. It works on a thread of its own.
  /// - Throws: `DataError` as that form.
  public func sample(
    count: Int, seed: UInt64, classes: [Int]? = nil,
    progress: @escaping @Sendable (_ first: Int, _ step: SamplingStep) throws(DataError) -> Void = { _, _ in }
  ) async throws(DataError) -> Tensor {
    try await onOwnThread { () throws(DataError) in
      try sample(count: count, seed: seed, classes: classes, progress: progress)
    }
  }
}
