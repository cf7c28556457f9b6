// x, y: [N, …, C]   weight, bias: [C]   scale, shift: [N, C]   G groups of C / G channels

extension ChannelNormalization {
  /// Group normalisation with the statistics of an input, then optionally a modulation.
  ///
  /// Biased variance, `eps` inside the root (Wu and He 2018; `GroupNorm` of guided-diffusion).
  /// - Parameters:
  ///   - groups: number of groups of neighbouring channels
  ///   - x: `[N, …, C]`, not normalised yet
  ///   - weight: `[C]`
  ///   - bias: `[C]`
  ///   - eps: added to the variance
  ///   - modulation: `[N, C]` each; the `use_scale_shift_norm` of guided-diffusion
  /// - Precondition: `groups` divides `C`.
  public static func groups(
    _ groups: Int, of x: ConvolutionInput, weight: Tensor, bias: Tensor, eps: Float = 1e-5,
    modulation: ChannelModulation? = nil
  ) -> ChannelNormalization {
    let (batch, channels) = (x.shape[0], x.channels)
    precondition(
      x.normalization == nil && groups > 0 && channels % groups == 0 && weight.shape == [channels]
        && bias.shape == [channels],
      "group norm with \(groups) groups, weight \(weight.shape), bias \(bias.shape) of \(x.shape)")
    if let modulation {
      precondition(
        modulation.scale.shape == [batch, channels] && modulation.shift.shape == [batch, channels],
        "modulation \(modulation.scale.shape), \(modulation.shift.shape) of \(x.shape)")
    }
    let moments = GroupMoments(x, groups: groups)
    let (weights, biases) = (weight.elements, bias.elements)
    let (scales, shifts) = (modulation?.scale.elements, modulation?.shift.elements)
    let inverseDeviations = moments.variances.map { Float(1 / ($0 + Double(eps)).squareRoot()) }
    var (means, factors, offsets) = ([Float](), [Float](), [Float]())
    for n in 0..<batch {
      for channel in 0..<channels {
        let group = n * groups + channel / (channels / groups)
        let mean = Float(moments.means[group])
        var factor = inverseDeviations[group] * weights[channel]
        var offset = biases[channel]
        if let scales, let shifts {
          let gain = 1 + scales[n * channels + channel]
          factor *= gain
          offset = offset * gain + shifts[n * channels + channel]
        }
        means.append(mean)
        factors.append(factor)
        offsets.append(offset - Float(moments.means[group] - Double(mean)) * factor)
      }
    }
    let shape = [batch, channels]
    return ChannelNormalization(
      mean: Tensor(means, shape: shape), factor: Tensor(factors, shape: shape),
      offset: Tensor(offsets, shape: shape), weight: weight, bias: bias, modulation: modulation,
      inverseDeviations: inverseDeviations)
  }
}

/// Group normalisation, then optionally a modulation, then optionally SiLU.
///
/// - Parameters: as of `ChannelNormalization.groups`
/// - Returns: `[N, …, C]`
public func groupNorm(
  _ x: Tensor, groups: Int, weight: Tensor, bias: Tensor, eps: Float = 1e-5,
  modulation: ChannelModulation? = nil, applyingSiLU: Bool = false
) -> Tensor {
  let input = ConvolutionInput(x)
  let normalization = ChannelNormalization.groups(
    groups, of: input, weight: weight, bias: bias, eps: eps, modulation: modulation)
  return input.normalized(by: normalization, applyingSiLU: applyingSiLU).tensor
}
