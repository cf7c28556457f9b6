import Base
import Features
import TensorCore

/// The noises that features of a picture are averaged over: one, or an even number, half of them drawn and each followed
/// by its negative. What a feature owes to a noise and not to the picture mostly cancels.
///
/// Source: antithetic variates, Hammersley and Morton 1956; averages over noises, Tang et al. 2023, "Emergent
/// correspondence from image diffusion", section 4.1.
package struct NoiseDraws: Sendable {
  package let noise: FeatureNoise
  package let count: Int
  /// Channels of what is noised.
  package let channels: Int
  /// Side of the noise that all pictures share.
  package let size: Int
  /// `[drawn, channels, size, size]`; nil when every picture has its own.
  package let shared: Tensor?

  package init(_ noise: FeatureNoise, count: Int, channels: Int, size: Int) {
    self.noise = noise
    self.count = count
    self.channels = channels
    self.size = size
    shared = noise.sharedTensor(channels: channels, size: size, count: Self.drawn(count))
  }

  /// Noises that are no negatives of others; 1 also for numbers that `validate` refuses.
  private static func drawn(_ count: Int) -> Int { (2...mostFeatureDraws).contains(count) ? count / 2 : 1 }

  /// - Throws: `DataError` when features cannot be averaged over so many, or a given noise has another shape.
  package func validate() throws(DataError) {
    guard count == 1 || (count > 0 && count <= mostFeatureDraws && count % 2 == 0) else {
      throw DataError(
        .invalidArgument, file: "noises", expected: "1, or an even number up to \(mostFeatureDraws)",
        found: "\(count)")
    }
    guard let shared else { return }
    let shape = [Self.drawn(count), channels, size, size]
    guard shared.shape == shape else {
      throw DataError(
        .invalidArgument, file: "noise", expected: "shape \(shape), for averages over \(count)",
        found: "shape \(shared.shape)")
    }
  }

  /// `[channels, height, width]` each, every one that was drawn followed by its negative.
  /// - Parameter name: of the picture's file, whose last component chooses its noise where every picture has its own
  package func tensors(height: Int, width: Int, name: String) -> [Tensor] {
    var drawn: [Tensor] = []
    if let shared {
      drawn = (0..<Self.drawn(count)).map { shared.slice($0).tiled(height: height, width: width) }
    } else {
      guard case .perImage(let seed) = noise else {
        preconditionFailure("noise is shared or of each picture")
      }
      var random = Philox(seed: seed).split(name: String(name.split(separator: "/").last ?? ""))
      for _ in 0..<Self.drawn(count) { drawn.append(random.normal(shape: [channels, height, width])) }
    }
    guard count > 1 else { return drawn }
    return drawn.flatMap { [$0, $0 * -1] }
  }

  /// The mean over noises of what a network makes of each, a tensor a place.
  package static func mean(over noises: [Tensor], _ activations: (Tensor) -> [Tensor]) -> [Tensor] {
    var sums: [Tensor] = []
    for noise in noises {
      let activations = activations(noise)
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
}

extension UNetConfiguration {
  /// Several steps go through the network at once while their activations stay below this.
  private static let mostActivationBytes = 1 << 30

  /// Steps in groups that go through the network together.
  package func batches(of steps: [Int], height: Int, width: Int) -> [[Int]] {
    let bytes = activationBytes(height: height, width: width)
    let size = max(1, min(steps.count, Self.mostActivationBytes / max(bytes, 1)))
    return stride(from: 0, to: steps.count, by: size).map { Array(steps[$0..<min($0 + size, steps.count)]) }
  }
}

/// - Throws: `DataError` when steps of a process of `count` steps are not there, or come twice.
package func checkSteps(_ steps: [Int], of count: Int) throws(DataError) {
  guard !steps.isEmpty, Set(steps).count == steps.count, steps.allSatisfy({ $0 >= 0 && $0 < count }) else {
    throw DataError(
      .invalidArgument, file: "steps", expected: "different steps from 0 to \(count - 1)",
      found: steps.isEmpty ? "none" : steps.map { "\($0)" }.joined(separator: ","))
  }
}

/// - Parameter list: the output blocks that there are, for messages
/// - Throws: `DataError` when blocks of `count` are not there.
package func checkBlocks(_ blocks: [Int], of count: Int, list: String) throws(DataError) {
  guard !blocks.isEmpty, blocks.allSatisfy({ $0 >= 0 && $0 < count }) else {
    throw DataError(
      .invalidArgument, file: "blocks", expected: "some of the output blocks (\(list))",
      found: blocks.isEmpty ? "none" : blocks.map { "\($0)" }.joined(separator: ","))
  }
}
