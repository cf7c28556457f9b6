import Base
import DiffusionCore
import TensorCore

/// The steps of a process that a DDIM or PLMS sampler takes, with their coefficients (`make_ddim_timesteps` and
/// `make_ddim_sampling_parameters` of latent-diffusion).
///
/// All steps are one later than guided-diffusion's: the last one ends at `ᾱ_0`, where there is still noise, not at 1.
public struct DDIMSteps: Sendable, Equatable {
  /// How steps are chosen.
  public enum Spacing: String, Sendable, CaseIterable {
    /// Every c-th, c = ⌊T / count⌋: there may be more than were asked for.
    case uniform
    /// Squares of evenly spaced numbers up to `√(0.8 T)`. More than `√(0.8 T) + 1` repeat early steps, of which the
    /// second changes nothing, as in the reference.
    case quadratic = "quad"
  }

  /// Ascending, from 1.
  public let timesteps: [Int]
  /// `ᾱ` of each step.
  public let alphas: [Double]
  /// `ᾱ` of where the step ends: that of the chosen step before, at the first that of step 0.
  public let alphasPrev: [Double]
  /// Deviation of the noise that each step adds.
  public let sigmas: [Double]

  public var sqrtOneMinusAlphas: [Double] { alphas.map { (1 - $0).squareRoot() } }

  /// - Parameters:
  ///   - diffusion: the process
  ///   - count: number of steps that is asked for
  ///   - spacing: how they are chosen
  ///   - eta: 0 for no noise, 1 for that of the ancestral sampler
  ///   - notices: told when there will be another number of steps
  /// - Throws: `DataError` when the last step would be one past the process, naming numbers near it that work; or when η is
  ///   not between 0 and 1.
  public init(
    _ diffusion: GaussianDiffusion, count: Int, spacing: Spacing = .uniform, eta: Double = 0,
    notices: Notices = Notices()
  ) throws(DataError) {
    guard (0...1).contains(eta) else {
      throw DataError(.invalidArgument, file: "eta", expected: "0 to 1", found: "\(eta)")
    }
    guard let chosen = Self.timesteps(count, of: diffusion.steps, spacing: spacing) else {
      throw DataError(
        .invalidArgument, file: "sampling steps",
        expected: Self.nearby(count, of: diffusion.steps, spacing: spacing), found: "\(count)")
    }
    if chosen.count != count {
      notices.add(
        .changed, file: "sampling steps", item: "\(count)",
        "\(chosen.count) steps: one in \(chosen[1] - chosen[0]) of the \(diffusion.steps) of the process")
    }
    // The reference computes them from a table in single precision.
    let bars = diffusion.alphasCumprod.map { Double(Float($0)) }
    let (alphas, previous) = (chosen.map { bars[$0] }, [bars[0]] + chosen.dropLast().map { bars[$0] })
    timesteps = chosen
    self.alphas = alphas
    alphasPrev = previous
    sigmas = zip(alphas, previous).map { bar, previous in
      eta * ((1 - previous) / (1 - bar) * (1 - bar / previous)).squareRoot()
    }
  }

  /// The steps; nil where there can be none or the last would be one past the process.
  private static func timesteps(_ count: Int, of total: Int, spacing: Spacing) -> [Int]? {
    guard works(count, of: total, spacing: spacing) else { return nil }
    switch spacing {
    case .uniform: return stride(from: 1, through: total, by: total / count).map { $0 }
    case .quadratic:
      let last = (Double(total) * 0.8).squareRoot()
      let increment = count > 1 ? last / Double(count - 1) : 0
      return (0..<count).map { index in
        let root = index == count - 1 && count > 1 ? last : Double(index) * increment
        return Int(root * root) + 1
      }
    }
  }

  /// Whether the last step lies within the process.
  private static func works(_ count: Int, of total: Int, spacing: Spacing) -> Bool {
    guard count >= 1, count <= total else { return false }
    switch spacing {
    case .uniform: return (total - 1) / (total / count) * (total / count) + 1 < total
    case .quadratic:
      let last = count > 1 ? (Double(total) * 0.8).squareRoot() : 0
      return Int(last * last) + 1 < total
    }
  }

  /// Numbers of steps that work, at most two below and two above.
  private static func nearby(_ count: Int, of total: Int, spacing: Spacing) -> String {
    func works(_ count: Int) -> Bool { Self.works(count, of: total, spacing: spacing) }
    let below = Array((1..<max(1, min(count, total + 1))).reversed().lazy.filter(works).prefix(2))
    let above = Array((max(1, count)..<max(1, count, total + 1)).lazy.filter(works).prefix(2))
    let near = (below.reversed() + above).map { "\($0)" }
    guard let last = near.last else { return "a process of more than \(total) steps" }
    let list = near.count > 1 ? near.dropLast().joined(separator: ", ") + " or " + last : last
    return "a number whose last step lies within the \(total) of the process, such as \(list)"
  }

  /// One step (Song et al. 2021, equation 12), without clipping.
  /// - Parameters:
  ///   - index: number of the chosen step, the smallest first
  ///   - x: latents, `[N, …]`
  ///   - epsilon: the predicted noise, `[N, …]`
  ///   - noise: standard normal, `[N, …]`; nil for none
  ///   - temperature: factor of the noise
  ///   - replacing: what to take for the clean latents that the noise implies
  /// - Returns: the latents where the step ends, and the clean ones
  public func step(
    _ index: Int, x: Tensor, epsilon: Tensor, noise: Tensor?, temperature: Double = 1,
    replacing: (_ predXStart: Tensor) -> Tensor = { $0 }
  ) -> (sample: Tensor, predXStart: Tensor) {
    let (bar, previous, sigma) = (alphas[index], alphasPrev[index], sigmas[index])
    let (root, spread) = (Float(bar.squareRoot()), Float((1 - bar).squareRoot()))
    let xStart = replacing(x.combined(with: epsilon) { ($0 - spread * $1) / root })
    let signal = Float(previous.squareRoot())
    let direction = Float(max(0, 1 - previous - sigma * sigma).squareRoot())
    var sample = xStart.combined(with: epsilon) { signal * $0 + direction * $1 }
    if let noise, sigma > 0 {
      let scale = Float(sigma * temperature)
      sample = sample.combined(with: noise) { $0 + scale * $1 }
    }
    return (sample, xStart)
  }
}
