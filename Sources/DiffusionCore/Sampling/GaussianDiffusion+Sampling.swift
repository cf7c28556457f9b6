import TensorCore

// x: [N, C, …]   t: N steps

/// How pictures are made from noise.
public enum SamplingMethod: Sendable, Equatable {
  /// Step by step along the reverse process (Ho et al. 2020, Algorithm 2).
  case ancestral
  /// With less noise a step, or none (Song et al. 2021, equation 12).
  /// - Parameter eta: 0 for the deterministic process, 1 for the variance of the ancestral one
  case ddim(eta: Double = 0)
}

/// A sample on its way from noise.
public struct SamplingStep: Sendable {
  /// Steps done, from 1.
  public var number: Int
  /// The step that was undone, of the shortened process.
  public var t: Int
  /// `x_{t-1}`, `[N, C, …]`.
  public var sample: Tensor
  /// The clean picture as the network sees it now, `[N, C, …]`.
  public var predXStart: Tensor

  package init(number: Int, t: Int, sample: Tensor, predXStart: Tensor) {
    (self.number, self.t, self.sample, self.predXStart) = (number, t, sample, predXStart)
  }
}

extension GaussianDiffusion {
  /// Pictures from noise, through all steps (`p_sample_loop` and `ddim_sample_loop` of the reference).
  /// - Parameters:
  ///   - noise: where to begin, `x_T`: `[N, C, …]`
  ///   - method: how a step is undone: ancestral, or DDIM
  ///   - clipDenoised: clamp the implied clean picture to [-1, 1]
  ///   - stepNoise: standard normal for a step, of the shape of `noise`; called from the last step down
  ///   - network: the output at noisy pictures and the times that the network sees
  ///   - progress: called after every step
  /// - Returns: `[N, C, …]`
  public func sample<Failure: Error>(
    from noise: Tensor, method: SamplingMethod = .ancestral, clipDenoised: Bool = true,
    stepNoise: (_ t: Int) -> Tensor,
    network: (_ x: Tensor, _ timesteps: [Float]) throws(Failure) -> Tensor,
    progress: (SamplingStep) throws(Failure) -> Void
  ) throws(Failure) -> Tensor {
    var x = noise
    for step in (0..<steps).reversed() {
      let t = [Int](repeating: step, count: x.shape[0])
      let output = try network(x, modelTimesteps(t))
      let result =
        switch method {
        case .ancestral:
          pSample(
            modelOutput: output, xT: x, t: t, noise: stepNoise(step), clipDenoised: clipDenoised)
        case .ddim(let eta):
          ddimSample(
            modelOutput: output, xT: x, t: t, noise: stepNoise(step), eta: eta,
            clipDenoised: clipDenoised)
        }
      x = result.sample
      try progress(
        SamplingStep(number: steps - step, t: step, sample: x, predXStart: result.predXStart))
    }
    return x
  }

  /// Pictures from noise; see the form with `progress`.
  public func sample<Failure: Error>(
    from noise: Tensor, method: SamplingMethod = .ancestral, clipDenoised: Bool = true,
    stepNoise: (_ t: Int) -> Tensor,
    network: (_ x: Tensor, _ timesteps: [Float]) throws(Failure) -> Tensor
  ) throws(Failure) -> Tensor {
    // A default closure for `progress` makes the compiler of Swift 6.3 crash.
    try sample(
      from: noise, method: method, clipDenoised: clipDenoised, stepNoise: stepNoise, network: network,
      progress: { (_) throws(Failure) in })
  }

  /// The noise that a deterministic DDIM makes a picture of (`ddim_reverse_sample` in a loop).
  /// - Parameters:
  ///   - xStart: `[N, C, …]`
  ///   - clipDenoised: clamp the implied clean picture to [-1, 1]
  ///   - network: the output at noisy pictures and the times that the network sees
  ///   - progress: called after every step, with `x_{t+1}` as the sample
  /// - Returns: `x_T`, `[N, C, …]`
  public func invert(
    _ xStart: Tensor, clipDenoised: Bool = true,
    network: (_ x: Tensor, _ timesteps: [Float]) throws -> Tensor,
    progress: (SamplingStep) throws -> Void = { _ in }
  ) rethrows -> Tensor {
    var x = xStart
    for step in 0..<steps {
      let t = [Int](repeating: step, count: x.shape[0])
      let result = ddimReverseSample(
        modelOutput: try network(x, modelTimesteps(t)), xT: x, t: t, clipDenoised: clipDenoised)
      x = result.sample
      try progress(SamplingStep(number: step + 1, t: step, sample: x, predXStart: result.predXStart))
    }
    return x
  }
}
