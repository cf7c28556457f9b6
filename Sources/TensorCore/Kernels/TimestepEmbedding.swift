import Foundation

/// Sinusoidal embedding of time steps: cosines, then sines, of `t · exp(-ln(maxPeriod) · k / half)`.
///
/// A zero is appended when `dimension` is odd. Source: guided-diffusion `nn.py`, `timestep_embedding`
/// (cosines first and division by `half`, unlike Ho et al. 2020).
/// - Parameters:
///   - timesteps: one a sample; fractions are allowed
///   - dimension: length of the embedding, at least 2
///   - maxPeriod: frequencies fall from 1 to nearly 1 / maxPeriod, in radians a step
/// - Returns: `[timesteps.count, dimension]`
public func timestepEmbedding(_ timesteps: [Float], dimension: Int, maxPeriod: Float = 10_000) -> Tensor {
  precondition(dimension >= 2, "a timestep embedding of \(dimension) dimensions")
  let half = dimension / 2
  return Tensor(shape: [timesteps.count, dimension]) { y in
    for (row, timestep) in timesteps.enumerated() {
      let line = y + row * dimension
      for k in 0..<half {
        let frequency = exp(-log(maxPeriod) * Float(k) / Float(half))
        let phase = timestep * frequency
        line[k] = cos(phase)
        line[half + k] = sin(phase)
      }
      if dimension % 2 == 1 { line[dimension - 1] = 0 }
    }
  }
}
