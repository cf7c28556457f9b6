import Checkpoints
import TensorCore

/// Makes a context of one token of a class (`ClassEmbedder` of latent-diffusion).
public struct ClassEmbedder: Sendable {
  /// `[classes, E]`
  public let table: Tensor

  /// Name of the table in a latent diffusion model.
  static let name = "cond_stage_model.embedding.weight"

  /// Number of classes.
  public var classCount: Int { table.shape[0] }

  /// Loads `embedding` from a scope.
  /// - Parameters:
  ///   - classCount: number of classes
  ///   - channels: numbers of a token
  ///   - weights: where the parameters lie
  public init(classCount: Int, channels: Int, weights: WeightScope) {
    table = weights.tensor("embedding.weight", shape: [classCount, channels])
  }

  /// One token a sample, `[N, 1, E]`.
  /// - Parameters:
  ///   - labels: a class a sample
  ///   - tape: where to record; nil for inference
  public func callAsFunction(_ labels: [Int], tape: Tape? = nil) -> Tensor {
    let width = table.shape[1]
    precondition(
      labels.allSatisfy { $0 >= 0 && $0 < classCount }, "classes \(labels) of \(table.shape)")
    let y = Tensor(shape: [labels.count, 1, width]) { y in
      withPointers(table) { table in
        for (row, label) in labels.enumerated() {
          (y + row * width).update(from: table + label * width, count: width)
        }
      }
    }
    tape?.record(y) { [table] gradient, gradients in
      var rows = Tensor(zeros: table.shape)
      rows.withMutablePointer { rows in
        withPointers(gradient) { gradient in
          for (row, label) in labels.enumerated() {
            for c in 0..<width { rows[label * width + c] += gradient[row * width + c] }
          }
        }
      }
      gradients.add(rows, to: table)
    }
    return y
  }
}
