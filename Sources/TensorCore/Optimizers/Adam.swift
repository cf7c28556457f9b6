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

  public var learningRate: Float
  public var beta1: Float
  public var beta2: Float
  public var eps: Float
  public var weightDecay: Float
  public var decay: Decay

  /// PyTorch's defaults, except that decay is off until asked for.
  public init(
    learningRate: Float = 1e-3, beta1: Float = 0.9, beta2: Float = 0.999, eps: Float = 1e-8,
    weightDecay: Float = 0, decay: Decay = .inGradient
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
    let step = Double(moments.step)
    let correction1 = 1 - pow(Double(beta1), step)
    let correction2 = 1 - pow(Double(beta2), step)
    let stepSize = Float(Double(learningRate) / correction1)
    let inverseRoot2 = Float(1 / correction2.squareRoot())
    let shrink = decay == .decoupled ? 1 - learningRate * weightDecay : 1
    let addedDecay = decay == .inGradient ? weightDecay : 0
    let (beta1, beta2, eps) = (beta1, beta2, eps)
    let (rest1, rest2) = (1 - beta1, 1 - beta2)
    let count = parameter.count
    guard count > 0 else { return }
    parameter.withMutablePointer { w in
      moments.mean.withMutablePointer { m in
        moments.square.withMutablePointer { v in
          withPointers(gradient) { gradient in
            parallelFor(count, inBlocksOf: elementwiseBlock) { range in
              for i in range {
                let g = gradient[i] + addedDecay * w[i]
                m[i] = beta1 * m[i] + rest1 * g
                v[i] = beta2 * v[i] + rest2 * g * g
                w[i] = w[i] * shrink - stepSize * m[i] / (v[i].squareRoot() * inverseRoot2 + eps)
              }
            }
          }
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

  /// The state before the first step.
  public init(shape: [Int]) {
    mean = Tensor(zeros: shape)
    square = Tensor(zeros: shape)
    step = 0
  }
}
