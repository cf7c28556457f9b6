import Checkpoints
import TensorCore

/// Batch normalisation of the channels of pictures (Ioffe and Szegedy 2015; `torch.nn.BatchNorm2d`) with its parameters
/// and running statistics.
public struct BatchNorm2d: Sendable {
  /// `weight`, `bias`, `running_mean` and `running_var`, `[channels]` each.
  public var state: BatchNorm1dState
  /// Batches that the running statistics have seen; nil where the file does not count them, as older ones do not.
  public var batchesTracked: Float?
  /// The scope that it was loaded from.
  let path: String

  /// Loads parameters and running statistics from a scope. `num_batches_tracked` need not be there.
  /// - Parameters:
  ///   - channels: channels of the input
  ///   - eps: added to the variance inside the root
  ///   - momentum: share of a new batch in the running statistics
  ///   - weights: where the parameters lie
  public init(channels: Int, eps: Float = 1e-5, momentum: Float = 0.1, weights: WeightScope) {
    state = BatchNorm1dState(
      weight: weights.tensor("weight", shape: [channels]), bias: weights.tensor("bias", shape: [channels]),
      runningMean: weights.tensor("running_mean", shape: [channels]),
      runningVariance: weights.tensor("running_var", shape: [channels]), eps: eps, momentum: momentum)
    path = weights.path
    if weights.shape(of: Self.counter) == [] {
      batchesTracked = weights.tensorIfPresent(Self.counter, shape: [])?.item
    } else {
      weights.ignore(Self.counter)
    }
  }

  private static let counter = "num_batches_tracked"

  /// `[N, H, W, channels]` with the running statistics (evaluation form).
  public func callAsFunction(_ x: Tensor, tape: Tape? = nil) -> Tensor {
    let (y, saved) = batchNorm1dEvaluation(rows(x), state: state)
    return record(y.reshaped(x.shape), of: x, saved: saved, tape: tape)
  }

  /// `[N, H, W, channels]` with the statistics of the batch (training form).
  /// - Returns: the result, and the layer with its running statistics moved towards those of the batch
  /// - Precondition: there are at least two pixels.
  public func training(_ x: Tensor, tape: Tape? = nil) -> (y: Tensor, updated: BatchNorm2d) {
    var updated = self
    let (y, saved) = batchNorm1dTraining(rows(x), state: &updated.state)
    updated.batchesTracked = batchesTracked.map { $0 + 1 }
    return (record(y.reshaped(x.shape), of: x, saved: saved, tape: tape), updated)
  }

  /// With the statistics of the batch where there is a place for what becomes of the running ones, else with those.
  func callAsFunction(_ x: Tensor, tape: Tape?, statistics: RunningStatistics?) -> Tensor {
    guard let statistics else { return self(x, tape: tape) }
    let (y, updated) = training(x, tape: tape)
    statistics.note(updated)
    return y
  }

  private func rows(_ x: Tensor) -> Tensor {
    precondition(
      x.rank == 4 && x.shape[3] == state.weight.count,
      "batch norm over \(state.weight.count) channels of \(x.shape)")
    return x.reshaped([x.count / x.shape[3], x.shape[3]])
  }

  private func record(_ y: Tensor, of x: Tensor, saved: BatchNorm1dSaved, tape: Tape?) -> Tensor {
    tape?.record(y) { [state] gradient, gradients in
      let found = batchNorm1dBackward(
        gradient.reshaped(saved.normalized.shape), saved: saved, weight: state.weight)
      gradients.add(found.x.reshaped(x.shape), to: x)
      gradients.add(found.weight, to: state.weight)
      gradients.add(found.bias, to: state.bias)
    }
    return y
  }

  // MARK: Folding

  /// `weight / sqrt(variance + eps)`, in double precision.
  private var factors: [Double] {
    zip(state.weight.elements, state.runningVariance.elements).map {
      Double($0) / (Double($1) + Double(state.eps)).squareRoot()
    }
  }

  /// What is added after the factors, `[channels]`.
  var offset: Tensor {
    let values = zip(factors, zip(state.bias.elements, state.runningMean.elements)).map {
      Float(Double($1.0) - Double($1.1) * $0)
    }
    return Tensor(values, shape: state.bias.shape)
  }

  /// The kernel `[channels, …]` of the convolution before it, each channel times its factor.
  func folded(into kernel: Tensor) -> Tensor {
    let factors = factors
    let size = kernel.count / factors.count
    return Tensor(shape: kernel.shape) { y in
      withPointers(kernel) { kernel in
        for (o, factor) in factors.enumerated() {
          for i in o * size..<(o + 1) * size { y[i] = Float(Double(kernel[i]) * factor) }
        }
      }
    }
  }
}
