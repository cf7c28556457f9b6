// x, y: [N, C, …]   weight, bias: [C]   scale, shift: [N, C]   G groups of C / G channels

/// Scale and shift of every channel that depend on the sample, each `[N, C]`: `y · (1 + scale) + shift`.
public struct ChannelModulation: Sendable {
  public var scale: Tensor
  public var shift: Tensor

  public init(scale: Tensor, shift: Tensor) {
    self.scale = scale
    self.shift = shift
  }
}

/// Group normalisation, then optionally a modulation, then optionally SiLU, in one pass over the data.
///
/// Biased variance, `eps` inside the root (Wu and He 2018; `GroupNorm32` of guided-diffusion).
/// - Parameters:
///   - x: `[N, C, …]`
///   - weight: `[C]`
///   - bias: `[C]`
///   - modulation: `[N, C]` each; the `use_scale_shift_norm` of guided-diffusion
/// - Precondition: `groups` divides `C`.
public func groupNorm(
  _ x: Tensor, groups: Int, weight: Tensor, bias: Tensor, eps: Float = 1e-5,
  modulation: ChannelModulation? = nil, applyingSiLU: Bool = false
) -> Tensor {
  precondition(
    x.rank >= 2 && groups > 0 && x.shape[1] % groups == 0 && weight.shape == [x.shape[1]]
      && bias.shape == [x.shape[1]],
    "group norm with \(groups) groups, weight \(weight.shape), bias \(bias.shape) of \(x.shape)")
  let (batch, channels) = (x.shape[0], x.shape[1])
  if let modulation {
    precondition(
      modulation.scale.shape == [batch, channels] && modulation.shift.shape == [batch, channels],
      "modulation \(modulation.scale.shape), \(modulation.shift.shape) of \(x.shape)")
  }
  let plane = x.shape.dropFirst(2).reduce(1, *)
  let groupChannels = channels / groups
  let groupCount = groupChannels * plane
  let (scales, shifts) = (modulation?.scale.elements, modulation?.shift.elements)
  return Tensor(shape: x.shape) { y in
    withPointers(x, weight, bias) { x, weight, bias in
      parallelFor(batch * groups) { item in
        let (n, group) = (item / groups, item % groups)
        let start = item * groupCount
        let statistics = Statistics(x + start, count: groupCount)
        let (mean, variance) = (statistics.roundedMean, statistics.variance)
        let inverse = Float(1 / (variance + Double(eps)).squareRoot())
        for local in 0..<groupChannels {
          let channel = group * groupChannels + local
          var factor = inverse * weight[channel]
          var offset = bias[channel]
          if let scales, let shifts {
            let gain = 1 + scales[n * channels + channel]
            factor *= gain
            offset = offset * gain + shifts[n * channels + channel]
          }
          let (from, to) = (x + start + local * plane, y + start + local * plane)
          offset -= statistics.meanRest * factor
          // The mean is subtracted first: folded into the offset it would cost the digits of x - mean.
          if applyingSiLU {
            for index in 0..<plane { to[index] = siluValue((from[index] - mean) * factor + offset) }
          } else {
            for index in 0..<plane { to[index] = (from[index] - mean) * factor + offset }
          }
        }
      }
    }
  }
}

/// Mean and biased variance of one group, exact enough for data whose mean is large against its spread.
private struct Statistics {
  /// The mean in single precision, and what that leaves out.
  let roundedMean: Float
  let meanRest: Float
  let variance: Double

  init(_ x: UnsafePointer<Float>, count: Int) {
    // Differences from any element of the group are small where the elements are not.
    let pivot = x[0]
    let mean = Double(pivot) + sumOfDifferences(x, count: count, from: pivot) / Double(count)
    roundedMean = Float(mean)
    let rest = mean - Double(roundedMean)
    meanRest = Float(rest)
    variance = max(0, sumOfSquares(x, count: count, around: roundedMean) / Double(count) - rest * rest)
  }
}
