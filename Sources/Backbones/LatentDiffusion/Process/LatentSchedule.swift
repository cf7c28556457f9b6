import Base
import DiffusionCore
import Foundation

/// How the variance of the added noise grows over the steps of a latent diffusion model (`make_beta_schedule` of
/// latent-diffusion).
public enum LatentSchedule: Sendable, Equatable {
  /// Squares of evenly spaced roots: all published models (`linear`, which guided-diffusion calls another one).
  case linear(from: Double = 0.0015, to: Double = 0.0195)
  /// From a squared cosine of the signal level, capped at 0.999 (`cosine`).
  case cosine(offset: Double = 0.008)
  /// Evenly spaced (`sqrt_linear`).
  case sqrtLinear(from: Double, to: Double)
  /// Roots of evenly spaced numbers (`sqrt`).
  case sqrt(from: Double, to: Double)

  /// Numbers of steps that a process can have.
  public static let steps = 1...1 << 20

  /// `β_t` for t = 0 ..< steps.
  /// - Throws: `DataError` when the number of steps is outside `LatentSchedule.steps`, or a variance is not between 0 and 1.
  public func betas(steps: Int) throws(DataError) -> [Double] {
    guard Self.steps.contains(steps) else {
      throw DataError(
        .invalidArgument, file: "noise schedule", item: "steps", expected: "\(Self.steps)", found: "\(steps)")
    }
    let betas = unchecked(steps)
    guard let wrong = betas.firstIndex(where: { !($0 > 0 && $0 < 1) }) else { return betas }
    throw DataError(
      .invalidArgument, file: "noise schedule", item: "step \(wrong)", expected: "a variance between 0 and 1",
      found: "\(betas[wrong])")
  }

  private func unchecked(_ steps: Int) -> [Double] {
    switch self {
    case .linear(let first, let last):
      return Self.spaced(first.squareRoot(), last.squareRoot(), steps).map { $0 * $0 }
    case .cosine(let offset):
      let signals = (0...steps).map { step in
        let root = cos((Double(step) / Double(steps) + offset) / (1 + offset) * .pi / 2)
        return root * root
      }
      return (0..<steps).map { min(max(1 - signals[$0 + 1] / signals[$0], 0), 0.999) }
    case .sqrtLinear(let first, let last): return Self.spaced(first, last, steps)
    case .sqrt(let first, let last): return Self.spaced(first, last, steps).map { $0.squareRoot() }
    }
  }

  /// From both ends towards the middle, as `torch.linspace`.
  private static func spaced(_ first: Double, _ last: Double, _ count: Int) -> [Double] {
    guard count > 1 else { return [first] }
    let increment = (last - first) / Double(count - 1)
    return (0..<count).map {
      $0 < count / 2 ? first + increment * Double($0) : last - increment * Double(count - 1 - $0)
    }
  }
}

extension GaussianDiffusion {
  /// The process of a latent diffusion model, by its schedule.
  /// - Parameters:
  ///   - schedule: how the variance of the noise grows
  ///   - steps: T
  ///   - meanType: what the network predicts: the noise, or the clean latents
  ///   - betaShare: v from 0 to 1: the reverse variance is `(1 - v) β̃ + v β` (`v_posterior`)
  /// - Throws: `DataError` when there can be no such process.
  public init(
    _ schedule: LatentSchedule, steps: Int = 1000, meanType: MeanType = .epsilon, betaShare: Double = 0
  ) throws(DataError) {
    guard (0...1).contains(betaShare) else {
      throw DataError(
        .invalidArgument, file: "noise schedule", item: "share of β", expected: "0 to 1",
        found: "\(betaShare)")
    }
    self.init(betas: try schedule.betas(steps: steps), meanType: meanType, betaShare: betaShare)
  }
}
