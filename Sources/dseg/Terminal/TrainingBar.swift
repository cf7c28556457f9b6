import DiffusionSegmentation
import PixelClassifier
import Synchronization

/// Progress over all members, which are trained at the same time.
final class TrainingBar: Sendable {
  private let bar: ProgressBar
  private let members: Int
  private let epochs: Int
  private let shares: Mutex<[Double]>

  init(_ title: String = "training", members: Int, epochs: Int) {
    bar = ProgressBar(title)
    self.members = members
    self.epochs = epochs
    shares = Mutex([Double](repeating: 0, count: members))
  }

  func update(_ progress: TrainingProgress) {
    // Early stopping ends a member somewhere in the epoch after the full ones; most end early in it.
    let expected = Double(max(epochs, 1) * progress.iterationsPerEpoch) + 200
    let share = min(Double(progress.iteration) / expected, 0.999)
    let (total, done) = shares.withLock { shares in
      shares[progress.member] = share
      return (shares.reduce(0, +) / Double(members), shares.count { $0 > 0.99 })
    }
    bar.update(total, "\(done) of \(members) members, loss \(TrainingBar.format(progress.loss))")
  }

  func finish() {
    bar.update(1, "\(members) members")
    bar.finish()
  }

  private static func format(_ loss: Float) -> String {
    guard loss.isFinite, loss < 1e6 else { return "\(loss)" }
    let thousandths = Int((loss * 1000).rounded())
    return "\(thousandths / 1000).\(String(thousandths % 1000 + 1000).dropFirst())"
  }
}
