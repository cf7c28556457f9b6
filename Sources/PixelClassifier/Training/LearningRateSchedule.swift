import Foundation

/// How the learning rate changes in the course of a training.
public enum LearningRateSchedule: String, Sendable, Hashable, CaseIterable {
  /// It stays.
  case constant
  /// It falls to 0 along half a cosine over all epochs (Loshchilov and Hutter 2017, without restarts).
  case cosine

  /// The share of the learning rate for an iteration.
  /// - Parameters:
  ///   - iteration: from 0
  ///   - count: iterations of the whole training
  package func factor(iteration: Int, of count: Int) -> Double {
    switch self {
    case .constant: 1
    case .cosine: 0.5 * (1 + cos(.pi * Double(min(iteration, count)) / Double(count)))
    }
  }
}
