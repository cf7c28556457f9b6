import Base
import DiffusionCore
import TensorCore

extension LatentSampler {
  /// Latents from noise that a seed gives, `[count, C, h, w]`.
  ///
  /// A latent depends on the seed and its number alone, whatever the batch and the threads; on the batch only by the
  /// rounding of the network.
  /// - Parameters:
  ///   - count: number of latents
  ///   - shape: of one, `[C, h, w]`
  ///   - seed: of the noise
  ///   - condition: what the pictures should show, `count` of them
  ///   - network: the prediction at noisy latents
  ///   - progress: called after every step of a batch with the latents of that batch, of which the first is `first`
  /// - Throws: `DataError` of kind `.cancelled` when the task was cancelled, or what `network` and `progress` throw.
  public func sample(
    count: Int, shape: [Int], seed: UInt64, condition: LatentCondition? = nil, network: Network,
    progress: (_ first: Int, _ step: SamplingStep) throws(DataError) -> Void = { _, _ in }
  ) throws(DataError) -> Tensor {
    precondition(
      shape.count == 3 && condition.map { $0.context.shape[0] == count } ?? true,
      "\(count) latents of \(shape), contexts \(condition?.context.shape ?? [])")
    let size = shape.reduce(1, *)
    var latents = Tensor(zeros: [count] + shape)
    for first in stride(from: 0, to: count, by: batch) {
      let range = first..<min(count, first + batch)
      /// Index of a stream of every latent: 0 is where it begins, the others belong to the steps.
      func noise(_ stream: UInt64) -> Tensor {
        var random = range.map { Philox(seed: seed).split(UInt64($0)).split(stream) }
        return normal(shape: shape, of: &random)
      }
      let made = try sample(
        from: noise(0), condition: condition?.samples(range), stepNoise: { noise(UInt64($1 + 1)) },
        network: network,
        progress: { (step) throws(DataError) in try progress(first, step) })
      latents.withMutablePointer { latents in
        withPointers(made) { made in
          (latents + first * size).update(from: made, count: range.count * size)
        }
      }
    }
    return latents
  }

  /// Latents from noise that a seed gives; see the form without `async`. It works on a thread of its own.
  /// - Throws: `DataError` as that form.
  public func sample(
    count: Int, shape: [Int], seed: UInt64, condition: LatentCondition? = nil,
    network:
      @escaping @Sendable (_ latents: Tensor, _ timesteps: [Float], _ context: Tensor?)
      throws(DataError) -> Tensor,
    progress: @escaping @Sendable (_ first: Int, _ step: SamplingStep) throws(DataError) -> Void = { _, _ in }
  ) async throws(DataError) -> Tensor {
    try await onOwnThread { () throws(DataError) in
      try sample(
        count: count, shape: shape, seed: seed, condition: condition, network: network, progress: progress)
    }
  }
}
