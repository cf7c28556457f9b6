import Foundation

// logits: [N, K]   targets: N class numbers below K

/// Value and gradient of the cross entropy.
public struct CrossEntropyResult: Sendable {
  /// Mean over the rows of `-log softmax(logits)[target]`, in nats.
  public var loss: Float
  /// Gradient of `loss` with respect to the logits: `(softmax - one hot) / N`, `[N, K]`.
  public var logitsGradient: Tensor
}

/// Mean cross entropy of logits `[N, K]` against one class number a row, and its gradient.
/// - Precondition: every target is in `0..<K`, and there is one a row.
public func crossEntropy(_ logits: Tensor, targets: [Int]) -> CrossEntropyResult {
  precondition(
    logits.rank == 2 && logits.shape[0] == targets.count && !targets.isEmpty,
    "cross entropy of logits \(logits.shape) and \(targets.count) targets")
  let (rows, classes) = (logits.shape[0], logits.shape[1])
  var loss = 0.0
  let gradient = Tensor(shape: logits.shape) { gradient in
    withPointers(logits) { logits in
      for row in 0..<rows {
        let target = targets[row]
        precondition(target >= 0 && target < classes, "target \(target) of \(classes) classes")
        let (line, out) = (logits + row * classes, gradient + row * classes)
        let normalizer = logSumExp(line, classes)
        loss += normalizer - Double(line[target])
        for k in 0..<classes { out[k] = fastExp(Float(Double(line[k]) - normalizer)) / Float(rows) }
        out[target] -= 1 / Float(rows)
      }
    }
  }
  return CrossEntropyResult(loss: Float(loss / Double(rows)), logitsGradient: gradient)
}
