import CKernels
import Foundation

/// Adam (Kingma and Ba 2015, Algorithm 1) and AdamW (Loshchilov and Hutter 2019, Algorithm 2).
///
/// Hyper-parameters only; the moments of a parameter live in an `AdamMoments` beside it.
public struct Adam: Sendable, Equatable {
  /// How weight decay acts.
  public enum Decay: String, Sendable {
    /// Added to the gradient (PyTorch's `Adam`).
    case inGradient
    /// Shrinks the weight itself, by `learningRate · weightDecay` a step (`AdamW`).
    case decoupled
  }

  // Double, so that 1 - beta2 is as exact as the published constant.
  public var learningRate: Double
  public var beta1: Double
  public var beta2: Double
  public var eps: Double
  public var weightDecay: Double
  public var decay: Decay

  /// PyTorch's defaults, except that decay is off until asked for.
  public init(
    learningRate: Double = 1e-3, beta1: Double = 0.9, beta2: Double = 0.999, eps: Double = 1e-8,
    weightDecay: Double = 0, decay: Decay = .inGradient
  ) {
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.eps = eps
    self.weightDecay = weightDecay
    self.decay = decay
  }

  /// One step for one parameter.
  /// - Parameters:
  ///   - parameter: updated in place
  ///   - gradient: of the parameter's shape
  ///   - moments: of this parameter, from the step before
  public func update(_ parameter: inout Tensor, gradient: Tensor, moments: inout AdamMoments) {
    precondition(
      parameter.shape == gradient.shape && moments.mean.shape == parameter.shape,
      "gradient \(gradient.shape) and moments \(moments.mean.shape) of a parameter \(parameter.shape)")
    moments.step += 1
    let step = AdamStep(self, number: moments.step)
    let count = parameter.count
    withMutablePointers(&parameter, &moments.mean, &moments.square) { w, mean, square in
      withPointers(gradient) { gradient in
        parallelFor(count, inBlocksOf: elementwiseBlock) { range in
          let start = range.lowerBound
          step.update(
            w + start, gradient: gradient + start, mean: mean + start, square: square + start,
            count: range.count)
        }
      }
    }
  }
}

/// First and second moment of one parameter's gradient, and the steps taken.
public struct AdamMoments: Sendable {
  public var mean: Tensor
  public var square: Tensor
  public var step: Int

  /// The state after so many steps.
  public init(mean: Tensor, square: Tensor, step: Int) {
    precondition(mean.shape == square.shape, "moments \(mean.shape) and \(square.shape)")
    self.mean = mean
    self.square = square
    self.step = step
  }

  /// The state before the first step.
  public init(shape: [Int]) {
    mean = Tensor(zeros: shape)
    square = Tensor(zeros: shape)
    step = 0
  }
}

/// The numbers that one step of Adam is made of, and the step itself over plain memory.
package struct AdamStep: Sendable {
  private let step: dseg_adam

  /// - Parameter number: 1 for the first step
  package init(_ adam: Adam, number: Int) {
    step = dseg_adam(
      beta1: Float(adam.beta1), rest1: Float(1 - adam.beta1), beta2: Float(adam.beta2),
      rest2: Float(1 - adam.beta2), eps: Float(adam.eps),
      step_size: Float(adam.learningRate / (1 - pow(adam.beta1, Double(number)))),
      inverse_root: Float(1 / (1 - pow(adam.beta2, Double(number))).squareRoot()),
      // What is left of a weight after decoupled decay, and the share of a weight that joins its gradient.
      shrink: adam.decay == .decoupled ? Float(1 - adam.learningRate * adam.weightDecay) : 1,
      added_decay: adam.decay == .inGradient ? Float(adam.weightDecay) : 0)
  }

  /// One step for `count` weights that lie together, on the calling thread.
  package func update(
    _ w: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>, mean: UnsafeMutablePointer<Float>,
    square: UnsafeMutablePointer<Float>, count: Int
  ) {
    dseg_adam_step(step, w, gradient, mean, square, count)
  }
}
