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

/// Mean cross entropy over the labelled pixels of pictures, and its gradient (`F.cross_entropy` of PyTorch with
/// `ignore_index`).
///
/// Pixels of the ignored label count neither in the sum nor in the divisor. Where no pixel is left the loss is NaN, as in
/// PyTorch, and the gradient is 0.
/// - Parameters:
///   - logits: `[…, K]`, channels last
///   - labels: of each pixel, row by row
///   - ignored: the label of pixels that do not count; nil for none
/// - Returns: the mean in nats, and its gradient of the shape of the logits
/// - Precondition: there is a label for each pixel, and it is below K or ignored.
public func crossEntropy(
  _ logits: Tensor, labels: [UInt8], ignoring ignored: UInt8? = nil
) -> CrossEntropyResult {
  let classes = logits.shape.last ?? 0
  precondition(
    classes > 0 && logits.count == labels.count * classes,
    "cross entropy of logits \(logits.shape) and \(labels.count) labels")
  let counted = ignored.map { ignored in labels.count { $0 != ignored } } ?? labels.count
  let block = 1024
  var sums = [Double](repeating: 0, count: (labels.count + block - 1) / block)
  let gradient = Tensor(shape: logits.shape) { gradient in
    sums.withUnsafeMutableBufferPointer { sums in
      // Each block has a place of its own.
      nonisolated(unsafe) let sums = sums
      withPointers(logits) { logits in
        parallelFor(labels.count, inBlocksOf: block) { range in
          var sum = 0.0
          for pixel in range {
            let (line, out) = (logits + pixel * classes, gradient + pixel * classes)
            guard labels[pixel] != ignored else {
              out.update(repeating: 0, count: classes)
              continue
            }
            let label = Int(labels[pixel])
            precondition(label < classes, "label \(label) of \(classes) classes")
            let normalizer = logSumExp(line, classes)
            sum += normalizer - Double(line[label])
            for k in 0..<classes { out[k] = fastExp(Float(Double(line[k]) - normalizer)) / Float(counted) }
            out[label] -= 1 / Float(counted)
          }
          sums[range.lowerBound / block] = sum
        }
      }
    }
  }
  return CrossEntropyResult(
    loss: Float(sums.reduce(0, +) / Double(counted)), logitsGradient: gradient)
}
