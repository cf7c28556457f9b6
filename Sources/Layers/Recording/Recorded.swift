import TensorCore

// Operations without weights that leave a note on the tape.

extension ConvolutionInput {
  /// What a convolution would read, as a tensor.
  package func tensor(_ tape: Tape?) -> Tensor {
    let y = tensor
    // An input that is nothing but a tensor is that tensor.
    if y.identity != first.identity {
      tape?.record(y) { gradient, gradients in gradients.add(gradient, to: self) }
    }
    return y
  }
}

package func upsampleNearest2x(_ x: Tensor, tape: Tape?) -> Tensor {
  let y = upsampleNearest2x(x)
  tape?.record(y) { gradient, gradients in gradients.add(upsampleNearest2xBackward(gradient), to: x) }
  return y
}

package func averagePool2x2(_ x: Tensor, tape: Tape?) -> Tensor {
  let y = averagePool2x2(x)
  tape?.record(y) { gradient, gradients in
    gradients.add(averagePool2x2Backward(gradient, height: x.shape[1], width: x.shape[2]), to: x)
  }
  return y
}

/// Splits `[N, 2C]` into two of `[N, C]`.
package func splitChannels(_ x: Tensor, tape: Tape?) -> (Tensor, Tensor) {
  let half = x.shape[1] / 2
  let (left, right) = x.splittingChannels(at: half)
  func record(_ part: Tensor, offset: Int) {
    tape?.record(part) { gradient, gradients in
      var whole = Tensor(zeros: x.shape)
      whole.withMutablePointer { whole in
        withPointers(gradient) { gradient in
          for row in 0..<x.shape[0] {
            (whole + row * 2 * half + offset).update(from: gradient + row * half, count: half)
          }
        }
      }
      gradients.add(whole, to: x)
    }
  }
  record(left, offset: 0)
  record(right, offset: half)
  return (left, right)
}

/// Inverted dropout: zeroes each element with probability p, scales the rest by 1/(1−p) (Srivastava et al. 2014).
package func dropout(_ x: Tensor, probability: Float, tape: Tape) -> Tensor {
  let random = tape.nextRandom()
  let y = TensorCore.dropout(x, probability: probability, random: random)
  tape.record(y) { gradient, gradients in
    gradients.add(TensorCore.dropout(gradient, probability: probability, random: random), to: x)
  }
  return y
}

/// Sum of two tensors of the same shape.
package func sum(_ a: Tensor, _ b: Tensor, tape: Tape?) -> Tensor {
  let y = a + b
  tape?.record(y) { gradient, gradients in
    gradients.add(gradient, to: a)
    gradients.add(gradient, to: b)
  }
  return y
}

/// The largest value of each window of `[N, H, W, C]`.
package func maxPool2d(
  _ x: Tensor, kernelSize: Int, stride: Int, padding: Int, tape: Tape?
) -> Tensor {
  let y = TensorCore.maxPool2d(x, kernelSize: kernelSize, stride: stride, padding: padding)
  tape?.record(y) { gradient, gradients in
    gradients.add(
      maxPool2dBackward(gradient, x: x, kernelSize: kernelSize, stride: stride, padding: padding), to: x)
  }
  return y
}
