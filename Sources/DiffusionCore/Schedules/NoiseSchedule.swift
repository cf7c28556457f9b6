import Foundation
import TensorCore

/// How the variance of the added noise grows over the steps.
public enum NoiseSchedule: String, Sendable, CaseIterable {
  /// From `1e-4 · 1000 / T` to `0.02 · 1000 / T` in equal steps (Ho et al. 2020, section 4; the scaling to
  /// other numbers of steps is that of guided-diffusion's `get_named_beta_schedule`).
  case linear
  /// From a squared cosine of the signal level (Nichol and Dhariwal 2021, equation 17), capped at 0.999.
  case cosine

  /// `β_t` for t = 0 ..< steps.
  public func betas(steps: Int) -> [Double] {
    precondition(steps > 0, "a schedule of \(steps) steps")
    switch self {
    case .linear:
      let scale = 1000 / Double(steps)
      let (first, last) = (1e-4 * scale, 0.02 * scale)
      guard steps > 1 else { return [first] }
      let increment = (last - first) / Double(steps - 1)
      return (0..<steps).map { $0 == steps - 1 ? last : first + Double($0) * increment }
    case .cosine:
      func signal(_ u: Double) -> Double {
        let root = cos((u + 0.008) / 1.008 * .pi / 2)
        return root * root
      }
      return (0..<steps).map { step in
        let (here, next) = (Double(step) / Double(steps), Double(step + 1) / Double(steps))
        return min(1 - signal(next) / signal(here), 0.999)
      }
    }
  }
}
