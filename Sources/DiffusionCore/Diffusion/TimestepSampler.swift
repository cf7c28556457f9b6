import Foundation
import TensorCore

/// Which steps a training batch is noised to.
public enum TimestepSampling: String, Sendable, CaseIterable {
  /// All alike.
  case uniform
  /// In proportion to the root of the mean square of the last losses at a step (Nichol and Dhariwal 2021,
  /// equation 18), which learns the variational bound with less noise.
  case lossSecondMoment = "loss-second-moment"
}

/// Draws steps, and remembers the losses that came of them (`resample.py` of guided-diffusion).
public struct TimestepSampler: Sendable, Equatable {
  public let sampling: TimestepSampling
  public let steps: Int
  /// Losses of each step, oldest first, at most `historyLength`; empty where they do not matter.
  public private(set) var history: [[Float]]

  static let historyLength = 10
  /// Share of draws that are uniform, so that no step is forgotten.
  static let uniformShare = 0.001

  public init(_ sampling: TimestepSampling, steps: Int) {
    precondition(steps > 0, "a sampler of \(steps) steps")
    self.sampling = sampling
    self.steps = steps
    history = sampling == .uniform ? [] : [[Float]](repeating: [], count: steps)
  }

  /// The state of an earlier run.
  /// - Precondition: the history is one of such a sampler.
  public init(_ sampling: TimestepSampling, steps: Int, history: [[Float]]) {
    self.init(sampling, steps: steps)
    precondition(
      history.count == self.history.count && history.allSatisfy { $0.count <= Self.historyLength },
      "a history of \(history.count) steps for \(steps)")
    self.history = history
  }

  /// Probability of every step; uniform until each step has been seen often enough.
  public var probabilities: [Double] {
    let uniform = 1 / Double(steps)
    guard !history.isEmpty, history.allSatisfy({ $0.count == Self.historyLength }) else {
      return [Double](repeating: uniform, count: steps)
    }
    let roots = history.map { losses in
      (losses.reduce(0) { $0 + Double($1) * Double($1) } / Double(losses.count)).squareRoot()
    }
    let sum = roots.reduce(0, +)
    // Losses of 0 everywhere, or beyond all numbers, prefer no step.
    guard sum > 0, sum.isFinite else { return [Double](repeating: uniform, count: steps) }
    return roots.map { $0 / sum * (1 - Self.uniformShare) + Self.uniformShare * uniform }
  }

  /// One step a sample, and the weight of its loss, `1 / (steps · probability)`, which keeps the expectation that of
  /// uniform draws.
  public func draw(_ count: Int, random: inout Philox) -> (t: [Int], weights: [Float]) {
    if sampling == .uniform {
      return (
        (0..<count).map { _ in random.integer(below: steps) }, .init(repeating: 1, count: count)
      )
    }
    let probabilities = probabilities
    var cumulative: [Double] = []
    for probability in probabilities { cumulative.append((cumulative.last ?? 0) + probability) }
    let t = (0..<count).map { _ in
      let place = cumulative[steps - 1] * random.uniformDouble()
      return cumulative.firstIndex { place < $0 } ?? steps - 1
    }
    return (t, t.map { Float(1 / (Double(steps) * probabilities[$0])) })
  }

  /// Remembers losses, without their weights.
  public mutating func note(losses: [Float], at t: [Int]) {
    precondition(losses.count == t.count, "\(losses.count) losses at \(t.count) steps")
    guard !history.isEmpty else { return }
    for (loss, step) in zip(losses, t) {
      if history[step].count == Self.historyLength { history[step].removeFirst() }
      history[step].append(loss)
    }
  }
}
