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

/// Element by element times numbers that nobody trains, as a mask of dropout or a weight.
package func multiplied(_ x: Tensor, by factors: Tensor, tape: Tape?) -> Tensor {
  let y = x * factors
  tape?.record(y) { gradient, gradients in gradients.add(gradient * factors, to: x) }
  return y
}

/// The channels of several activations side by side: `[N, H, W, Ci]` to `[N, H, W, ΣCi]`.
package func joinedChannels(_ parts: [Tensor], tape: Tape?) -> Tensor {
  let pixels = parts[0].shape.dropLast()
  precondition(
    parts.allSatisfy { $0.shape.dropLast() == pixels }, "channels of \(parts.map(\.shape)) side by side")
  let widths = parts.map { $0.shape[$0.rank - 1] }
  let total = widths.reduce(0, +)
  let count = pixels.reduce(1, *)
  var y = Tensor(zeros: Array(pixels) + [total])
  var offset = 0
  for (part, width) in zip(parts, widths) {
    y.withMutablePointer { y in
      withPointers(part) { from in
        parallelFor(count, inBlocksOf: max(1, elementwiseBlock / max(1, width))) { range in
          for pixel in range {
            (y + pixel * total + offset).update(from: from + pixel * width, count: width)
          }
        }
      }
    }
    offset += width
  }
  tape?.record(y) { gradient, gradients in
    var rest = gradient
    for (part, width) in zip(parts, widths) {
      let (first, after) = rest.splittingChannels(at: width)
      gradients.add(first, to: part)
      rest = after
    }
  }
  return y
}

/// Mean over the pixels of each channel of each sample: `[N, H, W, C]` to `[N, 1, 1, C]`.
package func meanOfPixels(_ x: Tensor, tape: Tape?) -> Tensor {
  let (batch, height, width, channels) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
  let share = 1 / Float(height * width)
  let y = (sumOfPixels(x) * share).reshaped([batch, 1, 1, channels])
  tape?.record(y) { gradient, gradients in
    gradients.add(repeatingPixels(gradient * share, height: height, width: width, tape: nil), to: x)
  }
  return y
}

/// One pixel of each sample as all pixels of a map: `[N, 1, 1, C]` to `[N, height, width, C]`.
package func repeatingPixels(_ x: Tensor, height: Int, width: Int, tape: Tape?) -> Tensor {
  precondition(x.rank == 4 && x.shape[1] == 1 && x.shape[2] == 1, "one pixel of each sample of \(x.shape)")
  let (batch, channels) = (x.shape[0], x.shape[3])
  let y = Tensor(shape: [batch, height, width, channels]) { y in
    withPointers(x) { x in
      parallelFor(batch * height) { row in
        for column in 0..<width {
          (y + (row * width + column) * channels)
            .update(from: x + row / height * channels, count: channels)
        }
      }
    }
  }
  tape?.record(y) { gradient, gradients in
    gradients.add(sumOfPixels(gradient).reshaped([batch, 1, 1, channels]), to: x)
  }
  return y
}

/// Bilinear resampling of `[N, h, w, C]` without corner alignment.
package func resizeBilinearChannelsLast(_ x: Tensor, height: Int, width: Int, tape: Tape?) -> Tensor {
  let y = resizeBilinearChannelsLast(x, height: height, width: width)
  tape?.record(y) { gradient, gradients in
    gradients.add(
      resizeBilinearChannelsLastBackward(gradient, height: x.shape[1], width: x.shape[2]), to: x)
  }
  return y
}

/// Mean cross entropy over the labelled pixels, `[1]`.
package func crossEntropy(
  _ logits: Tensor, labels: [UInt8], ignoring ignored: UInt8?, tape: Tape?
) -> Tensor {
  let found = crossEntropy(logits, labels: labels, ignoring: ignored)
  let loss = Tensor([found.loss], shape: [1])
  tape?.record(loss) { gradient, gradients in
    gradients.add(found.logitsGradient * gradient.item, to: logits)
  }
  return loss
}
