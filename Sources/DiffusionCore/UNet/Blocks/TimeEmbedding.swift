import Checkpoints
import Layers
import TensorCore

/// The embedding of time, and of the class for class-conditional networks (`UNetModel.time_embed`,
/// `label_emb`).
public struct TimeEmbedding: Sendable {
  public var first: Linear
  public var second: Linear
  /// `[classes, embeddingChannels]`
  public var classes: Tensor?
  public let modelChannels: Int

  /// Loads `time_embed.0`, `time_embed.2` and `label_emb` from the scope of the whole network.
  public init(modelChannels: Int, embeddingChannels: Int, classCount: Int?, weights: WeightScope) {
    self.modelChannels = modelChannels
    first = Linear(
      inFeatures: modelChannels, outFeatures: embeddingChannels, weights: weights.scope("time_embed.0"))
    second = Linear(
      inFeatures: embeddingChannels, outFeatures: embeddingChannels, weights: weights.scope("time_embed.2"))
    if let classCount {
      classes = weights.tensor("label_emb.weight", shape: [classCount, embeddingChannels])
    }
  }

  /// The embedding of one time a sample, without the class: `[N, embeddingChannels]`.
  public func embed(timesteps: [Float], tape: Tape? = nil) -> Tensor {
    let waves = timestepEmbedding(timesteps, dimension: modelChannels)
    tape?.markConstant(waves)
    return second(silu(first(waves, tape: tape), tape: tape), tape: tape)
  }

  /// `[N, embeddingChannels]` plus the embedding of each sample's class.
  /// - Precondition: classes are given exactly when the network is conditioned on them, one a sample.
  public func add(classes labels: [Int]?, to embedded: Tensor, tape: Tape? = nil) -> Tensor {
    precondition(
      (labels != nil) == (classes != nil), "classes are given exactly to a class-conditional network")
    guard let labels, let classes else { return embedded }
    precondition(
      labels.count == embedded.shape[0], "\(labels.count) classes for \(embedded.shape[0]) samples")
    let width = classes.shape[1]
    var sum = embedded
    sum.withMutablePointer { sum in
      withPointers(classes) { table in
        for (row, label) in labels.enumerated() {
          precondition(label >= 0 && label < classes.shape[0], "class \(label) of \(classes.shape[0])")
          for column in 0..<width { sum[row * width + column] += table[label * width + column] }
        }
      }
    }
    tape?.record(sum) { gradient, gradients in
      gradients.add(gradient, to: embedded)
      var rows = Tensor(zeros: classes.shape)
      rows.withMutablePointer { rows in
        withPointers(gradient) { gradient in
          for (row, label) in labels.enumerated() {
            for column in 0..<width { rows[label * width + column] += gradient[row * width + column] }
          }
        }
      }
      gradients.add(rows, to: classes)
    }
    return sum
  }
}
