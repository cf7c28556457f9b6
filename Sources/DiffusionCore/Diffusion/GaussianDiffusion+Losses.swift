import Foundation
import TensorCore

// x, noise: [N, C, …]   modelOutput: [N, C or 2C, …]   t: N steps   losses: [N]

/// What training minimises.
public enum DiffusionLoss: String, Sendable, CaseIterable {
  /// `L_simple` (Ho et al. 2020, equation 14), and with a learned variance the variational term beside it, in which
  /// the mean is held fixed (Nichol and Dhariwal 2021, equation 16).
  case mse
  /// The same with the variational term times steps / 1000.
  case rescaledMSE = "rescaled_mse"
  /// The variational term alone.
  case kl
  /// The variational term times the number of steps: an estimate of the whole bound.
  case rescaledKL = "rescaled_kl"
}

/// The loss of every sample of a batch, and its gradient.
public struct DiffusionLosses: Sendable {
  /// `[N]`
  public var loss: Tensor
  /// Mean squared error of what the network predicts, `[N]`; nil for the pure variational losses.
  public var mse: Tensor?
  /// Variational term as it enters the loss, in bits per dimension unless it was rescaled, `[N]`; nil where the loss
  /// has none.
  public var variational: Tensor?
  /// Gradient of the sum of all losses with respect to the network's output, of its shape.
  public var outputGradient: Tensor
}

extension GaussianDiffusion {
  /// Losses of a batch (`training_losses` of the reference).
  /// - Parameters:
  ///   - modelOutput: at `xT`, `[N, C, …]`, or `[N, 2C, …]` when the variance is learned
  ///   - xStart: clean pictures
  ///   - xT: noised ones
  ///   - noise: that was added
  ///   - t: one step a sample
  ///   - kind: what is minimised
  public func trainingLosses(
    modelOutput: Tensor, xStart: Tensor, xT: Tensor, noise: Tensor, t: [Int], loss kind: DiffusionLoss
  ) -> DiffusionLosses {
    let batch = t.count
    precondition(
      xStart.shape == xT.shape && noise.shape == xT.shape && xT.shape[0] == batch,
      "losses of \(xStart.shape), \(xT.shape), \(noise.shape) at \(batch) steps")
    let terms = VariationalTerms(self, modelOutput: modelOutput, xStart: xStart, xT: xT, t: t)
    let isSimple = kind == .mse || kind == .rescaledMSE
    let usesVariational = !isSimple || varianceType.isLearned
    let factor: Double =
      switch kind {
      case .mse, .kl: 1
      case .rescaledMSE: Double(steps) / 1000
      case .rescaledKL: Double(steps)
      }
    var gradient = Tensor(zeros: modelOutput.shape)
    var (squares, variational) = ([Double](repeating: 0, count: batch), [Double](repeating: 0, count: batch))
    let size = batch > 0 ? xT.count / batch : 0
    let target = isSimple ? self.target(xStart: xStart, xT: xT, noise: noise, t: t) : nil
    gradient.withMutablePointer { gradient in
      squares.withUnsafeMutableBufferPointer { squares in
        variational.withUnsafeMutableBufferPointer { variational in
          // Each sample writes to places of its own.
          nonisolated(unsafe) let (squares, variational) = (squares, variational)
          parallelFor(batch) { n in
            let line = gradient + n * modelOutput.count / batch
            if usesVariational {
              variational[n] =
                factor * terms.add(sample: n, factor: factor, movesMean: !isSimple, to: line)
            }
            if let target {
              squares[n] = withPointers(modelOutput, target) { output, target in
                squaredError(
                  output + n * modelOutput.count / batch, target + n * size, count: size, addingTo: line)
              }
            }
          }
        }
      }
    }
    func tensor(_ values: [Double]) -> Tensor { Tensor(values.map { Float($0) }, shape: [batch]) }
    return DiffusionLosses(
      loss: tensor(zip(squares, variational).map { $0 + $1 }), mse: isSimple ? tensor(squares) : nil,
      variational: usesVariational ? tensor(variational) : nil, outputGradient: gradient)
  }

  /// What the network should predict.
  private func target(xStart: Tensor, xT: Tensor, noise: Tensor, t: [Int]) -> Tensor {
    switch meanType {
    case .epsilon: noise
    case .startX: xStart
    case .previousX: qPosteriorMeanVariance(xStart: xStart, xT: xT, t: t).mean
    }
  }
}

/// The mean of `(x - target)²`; adds its gradient.
private func squaredError(
  _ x: UnsafePointer<Float>, _ target: UnsafePointer<Float>, count: Int,
  addingTo gradient: UnsafeMutablePointer<Float>
) -> Double {
  let slope = 2 / Float(count)
  var sum = 0.0
  for i in 0..<count {
    let distance = x[i] - target[i]
    sum += Double(distance * distance)
    gradient[i] += slope * distance
  }
  return sum / Double(count)
}
