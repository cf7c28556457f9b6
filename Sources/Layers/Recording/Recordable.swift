import Foundation
import TensorCore

// Operations whose backward rules are made of each other, so that gradients of gradients of any order can be recorded.
//
// x: [N, I]   weight: [O, I]   gradient: [N, O]; convolutions: x [N, H, W, C], kernel [O, C, kh, kw]

// MARK: Fully connected layers

/// `x · weightᵀ`.
package func linear(_ x: Tensor, weight: Tensor, tape: Tape?) -> Tensor {
  let y = linear(x, weight: weight)
  tape?.record(y) { gradient, gradients, recorder in
    gradients.add(linearInputGradient(gradient, weight: weight, tape: recorder), to: x)
    gradients.add(linearWeightGradient(gradient, x: x, tape: recorder), to: weight)
  }
  return y
}

/// `gradient · weight`.
package func linearInputGradient(_ gradient: Tensor, weight: Tensor, tape: Tape?) -> Tensor {
  let y = linearInputGradient(gradient, weight: weight)
  tape?.record(y) { slope, gradients, recorder in
    gradients.add(linear(slope, weight: weight, tape: recorder), to: gradient)
    gradients.add(linearWeightGradient(gradient, x: slope, tape: recorder), to: weight)
  }
  return y
}

/// `gradientᵀ · x`.
package func linearWeightGradient(_ gradient: Tensor, x: Tensor, tape: Tape?) -> Tensor {
  let y = linearWeightGradient(gradient, x: x)
  tape?.record(y) { slope, gradients, recorder in
    gradients.add(linear(x, weight: slope, tape: recorder), to: gradient)
    gradients.add(linearInputGradient(gradient, weight: slope, tape: recorder), to: x)
  }
  return y
}

/// Sum of the rows of `[N, C]`, `[C]`.
package func sumOfRows(_ x: Tensor, tape: Tape?) -> Tensor {
  let y = sumOfRows(x)
  tape?.record(y) { slope, gradients, recorder in
    gradients.add(repeatingRows(slope, x.shape[0], tape: recorder), to: x)
  }
  return y
}

/// `[C]` as each of the rows of `[count, C]`.
package func repeatingRows(_ row: Tensor, _ count: Int, tape: Tape?) -> Tensor {
  let width = row.count
  let y = Tensor(shape: [count, width]) { y in
    withPointers(row) { source in
      for n in 0..<count { (y + n * width).update(from: source, count: width) }
    }
  }
  tape?.record(y) { slope, gradients, recorder in gradients.add(sumOfRows(slope, tape: recorder), to: row) }
  return y
}

// MARK: Convolutions

/// A convolution of a plain activation without a bias.
package func conv2d(
  _ x: Tensor, weight: ConvolutionWeight, stride: Int, padding: Padding2D, tape: Tape?
) -> Tensor {
  if tape != nil { weight.keepForTraining() }
  let y = conv2d(ConvolutionInput(x), weight: weight, stride: stride, padding: padding)
  tape?.record(y) { gradient, gradients, recorder in
    gradients.add(
      conv2dInputGradient(gradient, weight: weight, of: x, stride: stride, padding: padding, tape: recorder),
      to: x)
    gradients.add(
      conv2dWeightGradient(gradient, x: x, like: weight, stride: stride, padding: padding, tape: recorder),
      to: weight)
  }
  return y
}

/// Gradient at the input of a convolution.
/// - Parameter x: the input, for its size
package func conv2dInputGradient(
  _ gradient: Tensor, weight: ConvolutionWeight, of x: Tensor, stride: Int, padding: Padding2D, tape: Tape?
) -> Tensor {
  let y = conv2dInputGradient(
    gradient, weight: weight, height: x.shape[1], width: x.shape[2], stride: stride, padding: padding)
  tape?.record(y) { slope, gradients, recorder in
    gradients.add(
      conv2d(slope, weight: weight, stride: stride, padding: padding, tape: recorder), to: gradient)
    gradients.add(
      conv2dWeightGradient(
        gradient, x: slope, like: weight, stride: stride, padding: padding, tape: recorder),
      to: weight)
  }
  return y
}

/// Gradient at the kernel of a convolution.
/// - Parameter weight: the kernel, for its size
package func conv2dWeightGradient(
  _ gradient: Tensor, x: Tensor, like weight: ConvolutionWeight, stride: Int, padding: Padding2D, tape: Tape?
) -> Tensor {
  let y = conv2dWeightGradient(
    gradient, x: ConvolutionInput(x), kernelHeight: weight.kernelHeight, kernelWidth: weight.kernelWidth,
    stride: stride, padding: padding, algorithm: weight.algorithm)
  tape?.record(y) { slope, gradients, recorder in
    let kernel = ConvolutionWeight(slope.reshaped(weight.shape), algorithm: weight.algorithm)
    kernel.keepForTraining()
    gradients.add(conv2d(x, weight: kernel, stride: stride, padding: padding, tape: recorder), to: gradient)
    gradients.add(
      conv2dInputGradient(gradient, weight: kernel, of: x, stride: stride, padding: padding, tape: recorder),
      to: x)
  }
  return y
}

// MARK: Activations

package func silu(_ x: Tensor, tape: Tape?) -> Tensor {
  let y = silu(x)
  tape?.record(y) { gradient, gradients, recorder in
    gradients.add(siluBackward(gradient, x: x, tape: recorder), to: x)
  }
  return y
}

/// `gradient · silu'(x)`. Its rule gives second gradients and no third ones.
package func siluBackward(_ gradient: Tensor, x: Tensor, tape: Tape?) -> Tensor {
  let y = siluBackward(gradient, x: x)
  tape?.record(y) { slope, gradients in
    gradients.add(siluBackward(slope, x: x), to: gradient)
    // silu''(x) = σ (1 - σ) (2 + x (1 - 2 σ))
    let curvature = x.mapped { x in
      let sigma = 1 / (1 + exp(-x))
      return sigma * (1 - sigma) * (2 + x * (1 - 2 * sigma))
    }
    gradients.add(slope * gradient * curvature, to: x)
  }
  return y
}

package func relu(_ x: Tensor, tape: Tape?) -> Tensor {
  let y = relu(x)
  tape?.record(y) { gradient, gradients, recorder in
    gradients.add(reluBackward(gradient, output: y, tape: recorder), to: x)
  }
  return y
}

/// `gradient` where the output is above 0: linear in the gradient, without slope in x.
package func reluBackward(_ gradient: Tensor, output y: Tensor, tape: Tape?) -> Tensor {
  let result = reluBackward(gradient, output: y)
  tape?.record(result) { slope, gradients, recorder in
    gradients.add(reluBackward(slope, output: y, tape: recorder), to: gradient)
  }
  return result
}

// MARK: Sums

/// Sum of the squares of all elements, `[1]`.
package func sumOfSquares(_ x: Tensor, tape: Tape?) -> Tensor {
  let y = Tensor([Float(squaredNorm([x]))], shape: [1])
  tape?.record(y) { gradient, gradients in gradients.add(x * (2 * gradient.elements[0]), to: x) }
  return y
}
